"""The help-desk log as CloudEvents: ``python -m tests.helpdesk helpdesk.csv.gz events.jsonl``.

How its rows become events is laid down in ../shared/data/README.md. In short: the first row of a case also creates
the ticket, ``Take in charge ticket`` is an agent's public message, waits are ``pending``, ``Resolve ticket`` solves,
``Closed`` closes, everything else assigns; whatever else follows a ``Resolve ticket`` or its ``Closed`` reopens first.
A row that repeats another (same case, activity, time) is the same event again, with the same id. Ids count the rows
of a case, so that events of one instant keep the order of the log.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Event = dict[str, Any]
SOURCE = "/helpdesk"


def events(rows: Iterable[dict[str, str]]) -> Iterator[Event]:
    """CloudEvents of the log's rows, in their order."""
    seen: dict[tuple[str, str, str], str] = {}
    rows_of_case: dict[str, int] = {}
    solved: set[str] = set()
    for row in rows:
        case, activity = row["Case ID"], row["Activity"]
        identity = (case, activity, row["Complete Timestamp"])
        if identity in seen:
            yield _own_event(row, seen[identity])
            continue
        number = rows_of_case[case] = rows_of_case.get(case, 0) + 1
        seen[identity] = event_id = f"{case}/{number:03d}"
        if number == 1:
            data = {
                "channel": "web",
                "customer_id": row["customer"],
                "category": row["product"],
                "priority": row["seriousness"],
            }
            yield _event(row, f"{event_id}/created", "ticket.created", data)
        if case in solved and activity not in {"Resolve ticket", "Closed"}:
            solved.discard(case)
            # Sorts before the row's own id: at one instant the reopen comes first.
            yield _event(row, f"{event_id}/0-reopened", "ticket.status", {"status": "open"})
        if activity == "Resolve ticket":
            solved.add(case)
        seen[identity] = event_id = f"{event_id}/1"
        yield _own_event(row, event_id)


def _own_event(row: dict[str, str], event_id: str) -> Event:
    activity, agent = row["Activity"], row["Resource"]
    if activity == "Take in charge ticket":
        return _event(row, event_id, "ticket.message", {"author": "agent", "author_id": agent, "public": True})
    if activity.startswith("Wait"):
        return _event(row, event_id, "ticket.status", {"status": "pending"})
    if activity == "Resolve ticket":
        return _event(row, event_id, "ticket.status", {"status": "solved", "actor": "agent", "actor_id": agent})
    if activity == "Closed":
        return _event(row, event_id, "ticket.status", {"status": "closed"})
    return _event(row, event_id, "ticket.assigned", {"agent_id": agent})


def _event(row: dict[str, str], event_id: str, event_type: str, data: Event) -> Event:
    time = row["Complete Timestamp"].replace("/", "-").replace(" ", "T") + "Z"
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": SOURCE,
        "type": event_type,
        "subject": row["Case ID"],
        "time": time,
        "data": data,
    }


def read(path: Path) -> Iterator[Event]:
    """CloudEvents of the log at ``path``."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as log:
        yield from events(csv.DictReader(log))


def main(source: str, target: str) -> None:
    """Convert a file into another, one event a line."""
    with Path(target).open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(event) + "\n" for event in read(Path(source)))


if __name__ == "__main__":
    main(*sys.argv[1:3])
