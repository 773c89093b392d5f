"""The pipeline's own metrics, in one declared table: the instruments, the docs, dashboards and rules follow from it."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from stream_kpi.events.rejection import Reason
from stream_kpi.kpis.catalogue import catalogue
from stream_kpi.kpis.rows import TOTAL_CUT

DATA_PROBLEMS: Final = (
    "accepted_after_end",
    "balance_broken",
    "customer_gone",
    "customer_too_large",
    "invoice_paid_twice",
    "left_after_accept",
    "negative_duration",
    "never_created",
    "second_created",
    "second_ended",
    "second_mention",
    "second_queued",
    "second_signup",
)
"""What can be wrong though every event is valid: what events say of each other, and the figures themselves
(balance_broken)."""


class SelfMetric(NamedTuple):
    """One row of the table. ``name`` is the name of the series, so counters end in ``_total``."""

    name: str
    type: Literal["counter", "gauge", "histogram", "info"]
    unit: str
    labels: tuple[str, ...]
    meaning: str
    advice: str
    """What to do when it looks wrong."""
    buckets: tuple[float, ...] = ()
    known: tuple[str, ...] = ()
    """Values of a single label that exist from the start, at 0."""


SELF_METRICS: Final[tuple[SelfMetric, ...]] = (
    SelfMetric(
        "stream_kpi_events_total",
        "counter",
        "events",
        ("topic",),
        "Events read from a source topic, rejected and repeated ones included.",
        "Flat while producers write: look at stream_kpi_lag_records and at the worker's log.",
    ),
    SelfMetric(
        "stream_kpi_rejected_total",
        "counter",
        "events",
        ("reason",),
        "Records that are no valid event; each is in its topic's dead-letter topic with the reason.",
        "Read the dead-letter topic `<source>.dlq`: its headers say why. Correct the producer, then send them again.",
        known=tuple(reason.value for reason in Reason),
    ),
    SelfMetric(
        "stream_kpi_late_total",
        "counter",
        "events",
        (),
        "Events for an entity that has left memory by its retention; each is in its topic's late topic.",
        "A producer holds events back for days: find it by the source in the late topic.",
    ),
    SelfMetric(
        "stream_kpi_duplicates_total",
        "counter",
        "events",
        (),
        "Events whose source and id had been seen; they changed nothing.",
        "A few are normal after a producer's retry. A steady share is a producer that sends everything twice.",
    ),
    SelfMetric(
        "stream_kpi_unknown_type_total",
        "counter",
        "events",
        (),
        "Events of a type that the topic's contract does not have; they were skipped.",
        "Check the spelling of the type in the producer, or update stream-kpi.",
    ),
    SelfMetric(
        "stream_kpi_rekeyed_total",
        "counter",
        "events",
        (),
        "Records sent on to another partition: wrongly keyed ones, and signals about somebody who lives there.",
        "More of them than signals: set the record key to the subject in the producer; `stream-kpi doctor` says which "
        "partitioner it uses.",
    ),
    SelfMetric(
        "stream_kpi_time_missing_total",
        "counter",
        "events",
        (),
        "Events without a time, placed by their Kafka timestamp.",
        "Set `time` in the producer: the Kafka timestamp is when the record was sent, not when it happened.",
    ),
    SelfMetric(
        "stream_kpi_data_problems_total",
        "counter",
        "problems",
        ("problem",),
        "Things that cannot be, like a reply before its ticket's creation; counted as the fine print says.",
        "Compare the clocks of the systems that write the events. balance_broken is a defect of stream-kpi: report it.",
        known=DATA_PROBLEMS,
    ),
    SelfMetric(
        "stream_kpi_batch_records",
        "histogram",
        "records",
        (),
        "Records of one fetched batch of one partition.",
        "Always 1: the producers do not batch (linger), which costs throughput here and on the broker.",
        buckets=(1, 10, 100, 500, 1_000, 2_000, 5_000, 10_000),
    ),
    SelfMetric(
        "stream_kpi_flush_seconds",
        "histogram",
        "seconds",
        (),
        "Time of one atomic flush, from its start to the broker's acknowledgement.",
        "Above a second: the broker's disks or its replication are slow; values appear later by as much.",
        buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    ),
    SelfMetric(
        "stream_kpi_flush_failures_total",
        "counter",
        "flushes",
        (),
        "Flushes that failed or whose outcome is unknown; the shard was dropped and recovered, nothing is lost.",
        "Look at the broker's health and at the limits of message and transaction size in the log.",
    ),
    SelfMetric(
        "stream_kpi_fenced_total",
        "counter",
        "flushes",
        (),
        "Flushes that the broker refused because another worker owns the shard by now.",
        "Normal after a worker was paused. Again and again: two applications share one name, or the session is short.",
    ),
    SelfMetric(
        "stream_kpi_watermark_timestamp_seconds",
        "gauge",
        "seconds",
        ("shard",),
        "Greatest event time that the shard has applied, as a Unix time.",
        "Far behind now with no lag: the producers are silent or their clocks are behind.",
    ),
    SelfMetric(
        "stream_kpi_lag_records",
        "gauge",
        "records",
        ("topic", "partition"),
        "Records of the partition that are not applied yet.",
        "If it grows, add workers, up to the number of partitions.",
    ),
    SelfMetric(
        "stream_kpi_lag_seconds",
        "gauge",
        "seconds",
        ("shard",),
        "How far the shard's clock is behind the world's while records wait; 0 when it has caught up. Absent on the "
        "event clock.",
        "Grows by a second each second: the worker hangs. Slower: add workers, up to the number of partitions.",
    ),
    SelfMetric(
        "stream_kpi_live_entities",
        "gauge",
        "entities",
        ("kind", "shard"),
        "Tickets, chats, customers and all else that events are about, in memory.",
        "Compare with the open ones: closed entities leave 8 days after their last event.",
    ),
    SelfMetric(
        "stream_kpi_shards_opening",
        "gauge",
        "shards",
        (),
        "Shards that are assigned to the worker and not open yet: their state is being recovered.",
        "Above 0 for minutes: the broker is slow or gone, or the changelogs are not compacted; read the worker's log.",
    ),
    SelfMetric(
        "stream_kpi_recovery_seconds",
        "gauge",
        "seconds",
        (),
        "Duration of the last recovery of a shard's state.",
        "Longer than the rebalance time-out allows: check that the changelogs are compacted.",
    ),
    SelfMetric(
        "stream_kpi_recovered_records_total",
        "counter",
        "records",
        (),
        "Changelog records read in recoveries.",
        "Many times the live entities: compaction of the changelogs lags or is off.",
    ),
    SelfMetric(
        "stream_kpi_lost_input_records_total",
        "counter",
        "records",
        ("topic",),
        "Source records that the broker deleted before they were read.",
        "KPIs miss them: raise the topic's retention, and replay the period from its origin.",
    ),
    SelfMetric(
        "stream_kpi_label_overflow_total",
        "counter",
        "values",
        ("dimension",),
        "Values of a dimension beyond the cap of label values; they are shown together as `other`.",
        "Clean the free text in the producer, or raise the cap.",
        known=tuple(sorted({cut for kpi in catalogue() for cut in kpi.cuts} - {TOTAL_CUT})),
    ),
    SelfMetric(
        "stream_kpi_publish_seconds",
        "histogram",
        "seconds",
        (),
        "Time from the start of an evaluation of changed windows until its values are out.",
        "Near the publish interval: fewer distinct categories or agents, or a longer interval.",
        buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    ),
    SelfMetric(
        "stream_kpi_values_published_total",
        "counter",
        "values",
        (),
        "KPI records written to the values topic.",
        "Flat while events arrive: the worker that owns shard 0 does not publish; read its log.",
    ),
    SelfMetric(
        "stream_kpi_history_untold_windows_total",
        "counter",
        "windows",
        (),
        "Windows that stopped being published before they were evaluated as final ones: history may lack them.",
        "A backlog is read faster than its five minutes are told; stream-kpi compute --window tumbling:5m has them.",
    ),
    SelfMetric(
        "stream_kpi_values_timestamp_seconds",
        "gauge",
        "seconds",
        (),
        "The moment as of which the worker has published values, as a Unix time; 0 on those that do not publish.",
        "Far behind now: a shard is behind (stream_kpi_lag_seconds says which), or the publishing worker hangs.",
    ),
    SelfMetric(
        "stream_kpi_publish_failures_total",
        "counter",
        "publishes",
        (),
        "Publishes that the broker did not take; all panes are read anew and the values written again.",
        "Look at the broker's health and at the limits of message and transaction size in the log.",
    ),
    SelfMetric(
        "stream_kpi_redis_failures_total",
        "counter",
        "writes",
        (),
        "Writes of values to Redis that failed, or that a later worker's made needless; all are written anew.",
        "Look at Redis and the way there; until it takes values the exporters show stale ones, then none.",
    ),
    SelfMetric(
        "stream_kpi_build_info",
        "info",
        "",
        ("version",),
        "The version that runs; always 1.",
        "Different versions side by side longer than a roll-out: finish it.",
    ),
)
