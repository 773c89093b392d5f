"""What the days of the last weeks said in the end: ``history.py HOST:PORT KPI [TOPIC]``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import duckdb
from kafka import KafkaConsumer, TopicPartition

STANDS = """
    SELECT start, cut, value, samples, revision
    FROM (SELECT *, row_number() OVER (PARTITION BY key ORDER BY revision DESC) AS place FROM history)
    WHERE place = 1 AND NOT withdrawn AND kpi = ? AND kind = ?
    ORDER BY start, cut
"""
"""Of each key the last revision: a final record, or what corrects it."""

Row = tuple[str, str, str, str, str, float | None, int | None, int, bool]


def records(broker: str, topic: str) -> Iterator[Row]:
    """All committed records of the topic, up to its end as it is now."""
    consumer = KafkaConsumer(bootstrap_servers=broker, isolation_level="read_committed", auto_offset_reset="earliest")
    places = [TopicPartition(topic, partition) for partition in consumer.partitions_for_topic(topic) or ()]
    consumer.assign(places)
    ends = consumer.end_offsets(places)
    while any(consumer.position(place) < ends[place] for place in places):
        for batch in consumer.poll(timeout_ms=500).values():
            for record in batch:
                told = json.loads(record.value)
                window, cut = told["window"], json.dumps(told["cut"])
                yield (
                    record.key.decode(), told["kpi"], window["kind"], window["start"], cut,
                    told["value"], told["samples"], told["revision"], told["withdrawn"],
                )  # fmt: skip
    consumer.close()


def load(rows: Iterator[Row]) -> duckdb.DuckDBPyConnection:
    """A database in memory with the table ``history``."""
    database = duckdb.connect()
    database.execute(
        "CREATE TABLE history (key TEXT, kpi TEXT, kind TEXT, start TIMESTAMP, cut TEXT, value DOUBLE, "
        "samples BIGINT, revision INTEGER, withdrawn BOOLEAN)"
    )
    found = list(rows)
    if found:
        database.executemany("INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", found)
    return database


def main(broker: str, kpi: str, topic: str = "support.kpi.history.v1") -> None:
    """Print the days."""
    database = load(records(broker, topic))
    for row in database.execute(STANDS, [kpi, "tumbling:1d"]).fetchall():
        print(*row, sep="\t")


if __name__ == "__main__":
    main(*sys.argv[1:])
