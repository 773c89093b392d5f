"""What a worker's log tells of a client that complains ten times a second."""

from __future__ import annotations

import logging

from stream_kpi.shell.logs import MOST_TEMPLATES, REPEATED_AFTER_S, Seldom


def told(log: Seldom, at_s: float, text: str = "node %s", of: str = "aiokafka.conn") -> str | None:
    record = logging.LogRecord(of, logging.ERROR, "f", 1, text, (1,) if "%s" in text else (), None)
    record.created = at_s
    return record.getMessage() if log.filter(record) else None


def test_a_message_of_aiokafka_is_told_once_in_a_while_with_how_many_were_left_out() -> None:
    log = Seldom()
    assert told(log, 0) == "node 1"
    assert [told(log, REPEATED_AFTER_S - 2), told(log, REPEATED_AFTER_S - 1)] == [None, None]
    assert told(log, REPEATED_AFTER_S) == "node 1 (and 2 like it)"
    assert told(log, 2 * REPEATED_AFTER_S) == "node 1"


def test_other_messages_and_other_loggers_are_told_as_they_come() -> None:
    log = Seldom()
    assert told(log, 0) == "node 1"
    assert told(log, 0, "group %s") == "group 1"
    assert [told(log, 0, of="stream_kpi.shell"), told(log, 0, of="stream_kpi.shell")] == ["node 1", "node 1"]


def test_a_clock_that_is_set_back_silences_nothing() -> None:
    log = Seldom()
    told(log, 1_000)
    assert told(log, 0) == "node 1"


def test_messages_without_end_are_not_remembered_without_end() -> None:
    log = Seldom()
    for number in range(MOST_TEMPLATES * 2 + 1):
        told(log, 0, f"message {number}")
    assert len(log._told_s) <= MOST_TEMPLATES
