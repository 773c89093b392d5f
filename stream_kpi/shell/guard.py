"""Is an input still the one that the state was made from? Pure."""

from __future__ import annotations

from typing import NamedTuple

from stream_kpi.errors import WRONG_TOPICS, UserError


class Known(NamedTuple):
    """What the state remembers of the last applied record of an input."""

    offset: int
    timestamp_ms: int
    checksum: int


class Found(NamedTuple):
    """What the broker holds now: the log's start and end, and the record at the applied offset if it is there."""

    begin: int
    end: int
    at_applied: tuple[int, int] | None
    """(timestamp_ms, checksum)"""


START_ANEW = (
    "If that is meant, start with another app id (its state begins empty) or with fresh {app_id}-* topics; "
    "if not, put the topic back."
)


def check_input(app_id: str, topic: str, partition: int, known: Known | None, found: Found) -> int:
    """How many records were lost before they could be read (deleted by retention). 0: none.

    Raises UserError when the input is another one than the state's: cut short or made anew.
    """
    if known is None:
        return 0
    where = f"{topic}, partition {partition}"
    anew = START_ANEW.format(app_id=app_id)
    if found.end < known.offset + 1:
        raise UserError(
            f"{where}: ends at offset {found.end}, but the state of {app_id} has applied offset {known.offset}: "
            f"the topic was made anew or cut short. {anew}",
            WRONG_TOPICS,
        )
    if found.at_applied is not None and found.at_applied != (known.timestamp_ms, known.checksum):
        raise UserError(
            f"{where}: another record stands at offset {known.offset} than the one that the state of {app_id} has "
            f"applied: the topic was made anew. {anew}",
            WRONG_TOPICS,
        )
    return max(0, found.begin - (known.offset + 1))


def check_partition_counts(app_id: str, counts: dict[str, int | None], known: int | None = None) -> int:
    """The one partition count of all inputs and changelogs. Raises UserError for a topic that is missing, counts that
    differ, and a count that the state was not made with."""
    missing = sorted(topic for topic, count in counts.items() if count is None)
    if missing:
        raise UserError(f"topics are missing: {', '.join(missing)}. Make them: stream-kpi topics create", WRONG_TOPICS)
    distinct = set(counts.values())
    if len(distinct) > 1:
        listed = ", ".join(f"{topic} {count}" for topic, count in sorted(counts.items()))
        raise UserError(
            f"partition counts differ: {listed}. All inputs of {app_id} and its changelogs need the same count, "
            "because partition p of all of them is one shard's.",
            WRONG_TOPICS,
        )
    (count,) = distinct
    if known is not None and count != known:
        raise UserError(
            f"the inputs have {count} partitions, but the state of {app_id} was made with {known}: a key's owner has "
            f"changed. {START_ANEW.format(app_id=app_id)}",
            WRONG_TOPICS,
        )
    return int(count or 0)
