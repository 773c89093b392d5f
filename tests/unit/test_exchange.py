"""What tickets and chats say of themselves reaches their customers in whichever shard these are, and counts once."""

from __future__ import annotations

import pytest

from stream_kpi import entities as entities_module
from stream_kpi.entities import Retention
from stream_kpi.events.partitioner import Partitioner
from stream_kpi.events.records import InputRecord, Outgoing
from stream_kpi.measures.registry import COHORT_FCR_CONFIRMED, COHORT_FCR_SOLVES, Measure
from stream_kpi.shard import Shard
from tests.shard_kit import (
    CUSTOMERS,
    DAY_MS,
    HOUR_MS,
    T0_MS,
    TICKETS,
    Record,
    Topics,
    created,
    event,
    new_shard,
    owned_by,
    records,
    restored_shard,
    status,
)

HERE, THERE = owned_by(0, 2), owned_by(1, 2)
"""Keys of shard 0 and of shard 1."""
NOW_MS = T0_MS + 1_000 * DAY_MS
"""Of the wall clock: later than all that happens here."""


def said(shard: Shard, topics: Topics) -> list[Outgoing]:
    """What leaves for customers with a flush."""
    flush = topics.write(shard.flush(caught_up=True))
    return [] if flush is None else [sent for sent in flush.outgoing if sent.topic == CUSTOMERS]


def arrived(*sent: Outgoing, first: int = 0) -> list[InputRecord]:
    return [Record(first + place, 0, one.key, one.value) for place, one in enumerate(sent)]


def counted(topics: Topics, measure: Measure) -> int:
    vectors = topics.vectors().items()
    return sum(vector.get(measure.slot, 0) for key, vector in vectors if key.tier == 4 and key.cut == ())


def counts(topics: Topics) -> tuple[int, int]:
    return counted(topics, COHORT_FCR_CONFIRMED), counted(topics, COHORT_FCR_SOLVES)


def solved_ticket(customer: str) -> list[InputRecord]:
    return records(created(HERE, T0_MS, customer_id=customer), status(HERE, T0_MS + HOUR_MS, "solved"))


def test_a_customer_of_the_same_shard_is_told_at_once_and_nothing_leaves() -> None:
    shard, topics = new_shard(0, 2), Topics()
    shard.apply(TICKETS, 0, solved_ticket(HERE), NOW_MS)
    assert said(shard, topics) == []
    shard.advance(T0_MS + HOUR_MS + 7 * DAY_MS)
    said(shard, topics)
    assert counts(topics) == (1, 1)
    assert b"r:" + HERE.encode() in topics.entities()


def test_a_customer_of_another_shard_is_told_in_one_record_what_stands_at_the_flush() -> None:
    sender, receiver, of_sender, of_receiver = new_shard(0, 2), new_shard(1, 2), Topics(), Topics()
    sender.apply(TICKETS, 0, solved_ticket(THERE), NOW_MS)
    (sent,) = said(sender, of_sender)
    assert (sent.topic, sent.partition, sent.key) == (CUSTOMERS, 1, None)
    assert said(sender, of_sender) == [], "nothing has changed since"
    receiver.apply(CUSTOMERS, 1, arrived(sent), NOW_MS)
    receiver.advance(T0_MS + HOUR_MS + 7 * DAY_MS)
    said(receiver, of_receiver)
    assert (counts(of_sender), counts(of_receiver)) == ((0, 0), (1, 1))


def test_the_words_for_one_shard_travel_together() -> None:
    shard, customers, owner_of = new_shard(0, 3), [owned_by(1, 3), owned_by(2, 3)], Partitioner("murmur2", 3).owner
    tickets = [ticket for ticket in map(str, range(300)) if owner_of(ticket.encode()) == 0]
    lines = [created(ticket, T0_MS, customer_id=customers[n % 2]) for n, ticket in enumerate(tickets)]
    shard.apply(TICKETS, 0, records(*lines), NOW_MS)
    assert len(tickets) > 50
    assert sorted(str(sent.partition) for sent in said(shard, Topics())) == ["1", "2"]


def test_a_record_that_is_read_again_changes_nothing() -> None:
    sender, receiver, topics = new_shard(0, 2), new_shard(1, 2), Topics()
    sender.apply(TICKETS, 0, solved_ticket(THERE), NOW_MS)
    (sent,) = said(sender, Topics())
    receiver.apply(CUSTOMERS, 1, arrived(sent), NOW_MS)
    receiver.advance(T0_MS + HOUR_MS + 7 * DAY_MS)
    receiver.apply(CUSTOMERS, 1, arrived(sent, sent), NOW_MS)
    said(receiver, topics)
    assert counts(topics) == (1, 1)


def test_what_was_said_before_a_restart_is_not_said_again_and_what_was_not_flushed_is() -> None:
    shard, topics = new_shard(0, 2), Topics()
    first, second = solved_ticket(THERE)
    shard.apply(TICKETS, 0, [first], NOW_MS)
    assert len(said(shard, topics)) == 1
    shard.apply(TICKETS, 0, [second], NOW_MS)
    again = restored_shard(topics, 0, 2)
    again.apply(TICKETS, 0, records(event("ticket.message", HERE, T0_MS + 1, "m", author="bot"), first=1), NOW_MS)
    assert said(again, topics) == []
    again = restored_shard(topics, 0, 2)
    again.apply(TICKETS, 0, records(second.value, first=2), NOW_MS)
    assert len(said(again, topics)) == 1


def test_a_ticket_that_changes_its_customer_is_withdrawn_from_the_former_one() -> None:
    sender, receiver, of_sender, of_receiver = new_shard(0, 2), new_shard(1, 2), Topics(), Topics()
    sender.apply(TICKETS, 0, solved_ticket(THERE), NOW_MS)
    (first,) = said(sender, of_sender)
    moved = event("ticket.updated", HERE, T0_MS + 2 * HOUR_MS, "u", customer_id=HERE)
    sender.apply(TICKETS, 0, records(moved, first=2), NOW_MS)
    (second,) = said(sender, of_sender)
    decided_ms = T0_MS + HOUR_MS + 7 * DAY_MS
    receiver.apply(CUSTOMERS, 1, arrived(first), NOW_MS)
    receiver.advance(decided_ms)
    receiver.apply(CUSTOMERS, 1, arrived(second, first=1), NOW_MS)
    sender.advance(decided_ms)
    said(sender, of_sender)
    said(receiver, of_receiver)
    assert (counts(of_sender), counts(of_receiver)) == ((1, 1), (0, 0))


def test_a_ticket_that_leaves_with_its_last_event_unflushed_has_said_it() -> None:
    shard, topics = new_shard(0, 2, retention=Retention(8 * DAY_MS, 400 * DAY_MS)), Topics()
    shard.apply(TICKETS, 0, solved_ticket(HERE), NOW_MS)
    shard.advance(T0_MS + 20 * DAY_MS)
    said(shard, topics)
    assert b"t:" + HERE.encode() not in topics.entities()
    assert counts(topics) == (1, 1)


def test_customers_are_forgotten_with_the_last_of_their_tickets() -> None:
    shard, topics = new_shard(0, 2), Topics()
    shard.apply(TICKETS, 0, solved_ticket(HERE), NOW_MS)
    said(shard, topics)
    shard.advance(T0_MS + 9 * DAY_MS)
    said(shard, topics)
    assert (shard.live_entities()["ticket"], shard.live_entities()["relationship"]) == (0, 1)
    shard.advance(T0_MS + 10 * DAY_MS)
    assert shard.live_entities()["relationship"] == 0
    assert counts(topics) == (1, 1)


def test_a_word_about_a_contact_older_than_its_customer_is_remembered_is_counted_and_left_out() -> None:
    sender, receiver, topics = new_shard(0, 2), new_shard(1, 2), Topics()
    sender.apply(TICKETS, 0, solved_ticket(THERE), NOW_MS)
    (sent,) = said(sender, Topics())
    receiver.advance(T0_MS + 400 * DAY_MS)
    receiver.apply(CUSTOMERS, 1, arrived(sent), NOW_MS)
    said(receiver, topics)
    assert topics.entities() == set()
    assert receiver.counts["data_problems", "customer_gone"] == 1


def test_a_customer_with_its_fill_of_contacts_takes_no_more_and_that_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(entities_module, "MAX_EVENTS", 2)
    monkeypatch.setattr(entities_module, "SMALL_BYTES", 0)  # in one at rest there is room for dozens only
    shard, topics = new_shard(), Topics()
    shard.apply(TICKETS, 0, records(*[created(f"T{n}", T0_MS) for n in range(3)]), NOW_MS)
    shard.apply(TICKETS, 0, records(status("T0", T0_MS + 1, "solved"), first=3), NOW_MS)
    said(shard, topics)
    shard.advance(T0_MS + 1 + 7 * DAY_MS)
    said(shard, topics)
    assert shard.counts["data_problems", "customer_too_large"] == 1
    assert counts(topics) == (1, 1), "what it has is still brought up to date"


def test_words_are_no_events_of_the_shards_time_but_hold_its_clock_back_while_unread() -> None:
    sender, receiver = new_shard(0, 2), new_shard(1, 2)
    sender.apply(TICKETS, 0, solved_ticket(THERE), NOW_MS)
    (sent,) = said(sender, Topics())
    receiver.advance(NOW_MS, [CUSTOMERS])
    assert receiver.clock_ms < 0, "nothing is known of the sender"
    receiver.apply(CUSTOMERS, 1, arrived(sent), NOW_MS)
    receiver.advance(NOW_MS, [CUSTOMERS])
    assert receiver.clock_ms == T0_MS + HOUR_MS, "as far as the sender had come"
    assert receiver.greatest_ms is None
    assert receiver.first_ms is None
