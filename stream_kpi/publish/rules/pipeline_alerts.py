"""Alerts on the pipeline: whether there are values, whether they are of now, whether events are left out of them."""

from __future__ import annotations

from typing import Final

from stream_kpi.publish.rules.alert import JOB, WORKERS, Alert, Trial, growing, series, steady

_UP: Final = f'up{{job="{JOB}"}}'
_EVENTS: Final = "stream_kpi_events_total"
_REJECTED: Final = "stream_kpi_rejected_total"
_WORKER: Final = {"job": WORKERS["job"], "instance": WORKERS["instance"]}
_LOG: Final = "The worker's log, from the time at which it began."
_HEALTH: Final = "`/health/ready` of each worker says in one line what it waits for."


def _absent() -> Alert:
    return Alert(
        name="StreamKpiAbsent",
        team="platform",
        severity="critical",
        scope="pipeline",
        for_s=120,
        expr=f"absent({_UP} == 1)",
        summary="No stream-kpi worker answers.",
        description=f"No target of the job {JOB} could be scraped for 2 minutes.",
        means="Nothing computes KPIs, or Prometheus looks for workers in the wrong place. All KPI alerts are blind.",
        checks=(
            "Prometheus, Status, Targets: is there a target, and what is its error?",
            "Whether the workers' processes run, and what their logs end with.",
            "`stream-kpi doctor` with the workers' settings: is it the broker?",
        ),
        remedy="Start the workers. They go on where they stopped: no event is lost while Kafka keeps it.",
        trial=Trial(
            fires={series("up"): steady(0)},
            silent={
                "one of two runs": {series("up"): steady(0), 'up{instance="worker-2:6066",job="stream-kpi"}': "1x240"}
            },
            labels={},
        ),
        fires_on_nothing=True,
    )


def _worker_down() -> Alert:
    return Alert(
        name="StreamKpiWorkerDown",
        team="platform",
        severity="warning",
        scope="pipeline",
        for_s=300,
        expr=f"{_UP} == 0",
        summary="A stream-kpi worker does not answer.",
        description="{{ $labels.instance }} could not be scraped for 5 minutes; the others take its shards over.",
        means="One worker is gone or hangs. The values stay right, with fewer workers to compute them.",
        checks=(_LOG, _HEALTH, "`stream_kpi_lag_seconds`: do the others keep up?"),
        remedy="Restart it. If it ends again, its log names the reason, and the exit status its kind: 2 settings, "
        "3 no broker, 4 topics.",
        trial=Trial(
            fires={series("up"): steady(0)},
            silent={"up again in time": {series("up"): "0x4 1x200"}},
            labels=_WORKER,
        ),
    )


def _stale() -> Alert:
    name, most_s = "stream_kpi_values_timestamp_seconds", 60
    return Alert(
        name="StreamKpiPipelineStale",
        team="platform",
        severity="critical",
        scope="pipeline",
        for_s=120,
        expr=f"time() - max({name}) > {most_s}",
        summary="The KPIs are not those of now.",
        description="The newest KPIs are {{ $value | humanizeDuration }} old (more than a year: no worker publishes "
        "any).",
        means="Wallboards show the past. KPI alerts are held back while this fires: they would be about the past too.",
        checks=(
            "`stream_kpi_lag_seconds` by shard: one that is behind holds all back, for one `now` holds for all.",
            "`stream_kpi_shards_opening`: is state being recovered?",
            "`stream_kpi_publish_failures_total` and `stream_kpi_flush_failures_total`: does the broker take writes?",
            _LOG,
        ),
        remedy="Behind and catching up: wait, or add workers up to the number of partitions. Standing still: restart "
        'the worker whose shard stands still. With `clock = "event"` (a replay) this alert means nothing: silence it.',
        trial=Trial(
            # As of the start, so it holds when more than a minute has gone by.
            fires={series(name): steady(0)},
            silent={
                "at the threshold": {series(name): growing(60, start=-most_s)},
                "on a quiet night, without an event but with values of now": {series(name): growing(60)},
                "another worker publishes": {
                    series(name): steady(0),
                    f'{name}{{instance="worker-2:6066",job="{JOB}"}}': growing(60),
                },
            },
            labels={},
            value="4m 0s",
            holds_at_s=120,
        ),
    )


def _no_events() -> Alert:
    watermark, most_s, usual = "stream_kpi_watermark_timestamp_seconds", 1_800, 100
    week_min = 7 * 1_440
    newest, events = series(watermark, shard="0"), series(_EVENTS, topic="support.tickets.v1")
    return Alert(
        name="StreamKpiNoEvents",
        team="platform",
        severity="warning",
        scope="pipeline",
        for_s=300,
        expr=f"""time() - max({watermark}) > {most_s}
and sum(increase({_EVENTS}[30m] offset 1w)) >= {usual}""",
        summary="No new events come, at an hour at which there were many a week ago.",
        description="The newest event is {{ $value | humanizeDuration }} old, and in this half hour of last week there "
        f"were at least {usual}.",
        means="The workers have nothing to do: the systems that write the events are silent, or write elsewhere.",
        checks=(
            "`stream_kpi_lag_records`: 0, or do events wait?",
            "The end offsets of the source topics: do they move?",
            "Whether the producers run, and the clocks of the systems that set the events' times.",
        ),
        remedy="Start the producers again. What they send late counts where it belongs. On a public holiday: nothing.",
        trial=Trial(
            fires={newest: f"{60 * week_min}x{week_min + 240}", events: growing(10, week_min)},
            silent={
                # Each minute the newest event is exactly so old.
                "at the threshold": {newest: growing(60, week_min + 240, start=-most_s)},
                "at low volume": {events: growing(3, week_min)},
            },
            labels={},
            value="36m 0s",
            holds_at_s=60 * (week_min + 31),
        ),
    )


def _lag() -> Alert:
    name, most_s = "stream_kpi_lag_seconds", 60
    return Alert(
        name="StreamKpiLag",
        team="platform",
        severity="warning",
        scope="pipeline",
        for_s=300,
        expr=f"max by (shard) ({name}) > {most_s}",
        summary="A shard is behind the events.",
        description="Shard {{ $labels.shard }} is {{ $value | humanizeDuration }} behind the events that wait for it.",
        means="Events come in faster than they are applied, or the worker of this shard does not get on.",
        checks=(
            "`stream_kpi_lag_records` over the last hour: does it grow or shrink?",
            "`rate(stream_kpi_events_total[5m])`: more than usual, or nothing?",
            "`stream_kpi_flush_seconds`: does the broker take longer than it did?",
        ),
        remedy="After a backlog of events or a restart it shrinks by itself. If it grows, add workers, up to the "
        "number of partitions. If nothing is applied, restart the worker.",
        trial=Trial(
            fires={series(name, shard="3"): steady(90)},
            silent={"at the threshold": {series(name, shard="3"): steady(most_s)}},
            labels={"shard": "3"},
            value="1m 30s",
        ),
    )


def _dead_letters(name: str, share: float, few: int, *, limit: bool) -> Alert:
    of_15m = f"sum(increase({_REJECTED}[15m]))"
    rejected, events = series(_REJECTED, reason="bad_json"), series(_EVENTS, topic="support.tickets.v1")
    per_minute = few / 15
    many = 6 * per_minute
    return Alert(
        name=name,
        team="platform",
        severity="critical" if limit else "warning",
        scope="pipeline",
        for_s=300,
        expr=f"""{of_15m} / sum(increase({_EVENTS}[15m])) > {share}
and {of_15m} >= {few}""",
        summary="So many events are refused that the KPIs are wrong." if limit else "Events are refused.",
        description="{{ $value | humanizePercentage }} of the events of the last 15 minutes went to the dead letters, "
        f"more than {share:.0%}.",
        means="Refused events are in no KPI"
        + (": with so many, the values cannot be relied on." if limit else "; each is kept in its dead-letter topic."),
        checks=(
            "`sum by (reason) (increase(stream_kpi_rejected_total[1h]))`: why.",
            "The dead-letter topic `<source>.dlq`: its headers name the reason and the place.",
            "What was rolled out at the producers when it began.",
        ),
        remedy="Correct or roll back the producer, then send the dead letters again: late events are counted where "
        "they belong.",
        trial=Trial(
            fires={rejected: growing(many), events: growing(many / (2 * share))},
            silent={
                "below the threshold": {events: growing(1.01 * many / share)},
                "at low volume": {
                    rejected: growing(0.9 * per_minute),
                    events: growing(0.9 * per_minute / (2 * share)),
                },
            },
            labels={},
            value=f"{200 * share:g}%",
            holds_at_s=180,
        ),
    )


def _recovery_stuck() -> Alert:
    name = "stream_kpi_shards_opening"
    return Alert(
        name="StreamKpiRecoveryStuck",
        team="platform",
        severity="warning",
        scope="pipeline",
        for_s=600,
        expr=f"{name} > 0",
        summary="A worker does not finish recovering its state.",
        description="{{ $labels.instance }} has been opening shards for 10 minutes; {{ $value }} are not open yet.",
        means="The events of these shards wait; all KPIs stand still until they are open.",
        checks=(
            "`rate(stream_kpi_recovered_records_total[5m])`: does it read at all?",
            "`stream-kpi doctor`: are the changelog topics compacted?",
            _LOG,
        ),
        remedy="If it reads, wait: `stream_kpi_live_entities` of before tells how many records there are. If not, "
        "look at the broker; then restart the worker.",
        trial=Trial(
            fires={series(name): steady(2)},
            silent={"open in time": {series(name): "2x9 0x200"}},
            labels=_WORKER,
            value="2",
        ),
    )


def _flush_failing() -> Alert:
    flushes, publishes, few = "stream_kpi_flush_failures_total", "stream_kpi_publish_failures_total", 3
    return Alert(
        name="StreamKpiFlushFailing",
        team="platform",
        severity="warning",
        scope="pipeline",
        for_s=300,
        expr=f"round(sum(increase({flushes}[10m])) + sum(increase({publishes}[10m]))) >= {few}",
        summary="Workers cannot write to Kafka.",
        description="{{ $value }} writes of workers failed in the last 10 minutes; what they held is read again.",
        means="Nothing is lost and nothing counts twice, but each failure starts a shard or the merge anew.",
        checks=(
            "The reason in the worker's log: `a flush was not written`, `a publish was not written`.",
            "The brokers: under-replicated partitions, full disks, requests that take long.",
            "`max.message.bytes` of the topics and `transaction.max.timeout.ms` of the brokers.",
        ),
        remedy="Mend the broker; the workers go on by themselves. One failure when a broker restarts is normal.",
        trial=Trial(
            fires={series(flushes): growing(1), series(publishes): steady(0)},
            silent={"at low volume": {series(flushes): "0x19 2x200"}},
            labels={},
            value="8",
            holds_at_s=180,
        ),
    )


def _input_lost() -> Alert:
    name = "stream_kpi_lost_input_records_total"
    lost = series(name, topic="support.tickets.v1")
    return Alert(
        name="StreamKpiInputLost",
        team="platform",
        severity="critical",
        scope="pipeline",
        for_s=60,
        # The series of a topic begins with its first loss: increase() would not see that.
        expr=f"sum by (topic) ({name} - ({name} offset 1h or {name} * 0)) > 0",
        summary="Kafka has deleted events before they were read.",
        description="{{ $value }} events of {{ $labels.topic }} were deleted by retention before a worker read them.",
        means="The KPIs of that time lack these events for good, unless they are sent again.",
        checks=(_LOG, "`retention.ms` and `retention.bytes` of the topic.", "For how long no worker ran."),
        remedy="Raise the topic's retention above the longest stop you want to survive. Then send the period again "
        "from its origin: what had been read counts once.",
        trial=Trial(
            fires={lost: "_x9 7x200"},
            silent={"nothing lost": {lost: steady(0)}},
            labels={"topic": "support.tickets.v1"},
            value="7",
            holds_at_s=540,
        ),
    )


def _label_overflow() -> Alert:
    name = "stream_kpi_label_overflow_total"
    values = series(name, dimension="category")
    return Alert(
        name="StreamKpiLabelOverflow",
        team="platform",
        severity="info",
        scope="pipeline",
        for_s=300,
        expr=f"round(sum by (dimension) (increase({name}[1h]))) > 0",
        summary="A dimension has more values than are shown.",
        description="{{ $value }} more values of {{ $labels.dimension }} are shown together as `other`, since the last "
        "hour.",
        means="/metrics shows so many values of a dimension and adds the rest up; totals are not affected.",
        checks=(
            "The newest values of the dimension in `support.kpi.values.v1`: are they free text, or ids?",
            "`metrics.max_label_values` in the settings.",
        ),
        remedy="Let the producer send a fixed list of values. If they all are meant, raise the cap.",
        trial=Trial(
            fires={values: "0x9 4x240"},
            silent={"no more within the hour": {values: steady(4)}},
            labels={"dimension": "category"},
            value="4",
            holds_at_s=600,
        ),
    )


PIPELINE_ALERTS: Final = (
    _absent(),
    _worker_down(),
    _stale(),
    _lag(),
    _dead_letters("StreamKpiDlqRate", 0.01, 20, limit=False),
    _dead_letters("StreamKpiDlqLimitReached", 0.1, 100, limit=True),
    _recovery_stuck(),
    _flush_failing(),
    _input_lost(),
    _label_overflow(),
)
"""What those who run it are told."""

PRODUCER_ALERTS: Final = (_no_events(),)
"""The same, of those who write the events. It looks a week back, which its tests take their time for."""
