"""The call centre's calls as CloudEvents: ``python -m tests.call_centre call_centre.csv events.jsonl``.

How a row becomes events is laid down in ../shared/data/README.md: queued at t, accepted ``speed`` seconds later if it
was answered, ended ``talk`` after that, rated at its end. A call that was not answered leaves after 30 s, as the file
does not say when.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Event = dict[str, Any]
SOURCE = "/call-centre"
ABANDONED_AFTER = timedelta(seconds=30)


def call_events(row: dict[str, str]) -> Iterator[Event]:
    """CloudEvents of one call."""
    call = row["id"]
    queued = datetime.fromisoformat(row["t"]).replace(tzinfo=UTC)
    yield _event(call, queued, "chat.queued", {"channel": "voice", "queue": row["topic"]})
    if row["answered"] != "Y":
        yield _event(call, queued + ABANDONED_AFTER, "chat.left", {"reason": "abandoned"})
        return
    accepted = queued + timedelta(seconds=float(row["speed"]))
    yield _event(call, accepted, "chat.accepted", {"agent_id": row["agent"]})
    hours, minutes, seconds = (int(part) for part in row["talk"].split(":"))
    ended = accepted + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    yield _event(call, ended, "chat.ended", {"by": "customer", "resolved": row["resolved"] == "Y"})
    if row["rating"]:
        rating = {"survey_id": call, "kind": "csat", "score": float(row["rating"]), "scale_min": 1, "scale_max": 5}
        yield _event(call, ended, "chat.survey_answered", rating)


def _event(call: str, time: datetime, event_type: str, data: Event) -> Event:
    return {
        "specversion": "1.0",
        "id": f"{call}/{event_type}",
        "source": SOURCE,
        "type": event_type,
        "subject": call,
        "time": time.isoformat(timespec="milliseconds"),
        "data": data,
    }


def read(path: Path) -> Iterator[Event]:
    """CloudEvents of the calls at ``path``, call by call."""
    with path.open(encoding="utf-8", newline="") as calls:
        for row in csv.DictReader(calls):
            yield from call_events(row)


def main(source: str, target: str) -> None:
    """Convert a file into another, one event a line."""
    with Path(target).open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(event) + "\n" for event in read(Path(source)))


if __name__ == "__main__":
    main(*sys.argv[1:3])
