"""Prints every service level that is at risk or missed, as it happens: ``breaches.py HOST:PORT [TOPIC]``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from kafka import KafkaConsumer


def breaches(broker: str, topic: str) -> Iterator[dict[str, Any]]:
    """At-risk and breached events, those that the topic holds first. What turned out not to have been is retracted by
    a later event, which names its id."""
    consumer = KafkaConsumer(
        topic, bootstrap_servers=broker, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    for record in consumer:
        event = json.loads(record.value)
        if event["type"] in ("sla.at_risk", "sla.breached", "sla.retracted"):
            yield event


def main(broker: str, topic: str = "support.sla.events.v1") -> None:
    """Print them until Ctrl-C."""
    for event in breaches(broker, topic):
        data = event["data"]
        # Ids and names are what others have written: json.dumps lets none of them move the cursor.
        named = json.dumps([event["subject"], data["policy"], data["metric"]])
        print(event["time"], event["type"], named, data["deadline"], flush=True)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(0)
