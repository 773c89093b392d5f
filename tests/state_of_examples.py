"""State as a shard has written it of the contract's example events, in a file for each layout.

``python -m tests.state_of_examples`` writes that of the present layout; a layout's file is written once.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from pathlib import Path

from stream_kpi.made_with import LAYOUT
from stream_kpi.topics import kind_of
from tests.shard_kit import T0_MS, Topics, new_shard, records

EXAMPLES = Path(__file__).parent.parent / "stream_kpi" / "contracts" / "examples"
GOLDEN = Path(__file__).parent / "unit" / "golden" / f"state_layout_{LAYOUT}.json"


def examples() -> list[tuple[str, bytes]]:
    """Topic and bytes of an event of each type."""
    events = []
    for path in sorted(EXAMPLES.glob("*.json")):
        event = path.read_bytes()
        kind = kind_of(json.loads(event)["type"])
        if kind is not None:
            events.append((kind.default_topic, event))
    return events


def state_of(events: list[tuple[str, bytes]]) -> Topics:
    """What a shard writes that takes these in, a record each."""
    shard, topics = new_shard(), Topics()
    for place, (topic, event) in enumerate(events):
        shard.apply(topic, 0, records(event, first=place), T0_MS)
    topics.write(shard.flush(caught_up=True))
    return topics


def written() -> Topics:
    """The state that the file holds."""
    topics = Topics()
    for name, key, value in json.loads(GOLDEN.read_text(encoding="utf-8")):
        getattr(topics, name)[b64decode(key)] = b64decode(value)
    return topics


def _write() -> None:
    topics = state_of(examples())
    rows = [
        [name, b64encode(key).decode(), b64encode(value or b"").decode()]
        for name, kept in (("state", topics.state), ("panes", topics.panes))
        for key, value in kept.items()
    ]
    GOLDEN.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    _write()
