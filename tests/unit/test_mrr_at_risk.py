"""MRR at risk, by hand: whose, from when, until when; what late events and forgotten tickets do to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from stream_kpi.entities import Retention
from stream_kpi.events.records import InputRecord, Outgoing
from stream_kpi.measures.registry import MRR, MRR_AT_RISK
from stream_kpi.shard import Shard
from tests.row_kit import at, merged, rows, solved, wrote
from tests.shard_kit import (
    CUSTOMERS,
    DAY_MS,
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
)
from tests.sla_kit import options_of

AtRisk = tuple[float | None, int | None]
"""The amount and the customers."""
EUR = 978
SUBSCRIPTIONS = "billing.subscriptions.v1"
HOUR = options_of("""
[[sla]]
name = "hour"
first_response = { other = "30m" }
resolution = { urgent = "10m", other = "60m" }
""")


def pays(customer: str, minute: float, plan: str = "basic", amount: int = 50, currency: str = "EUR") -> bytes:
    """A subscription to one plan; amount 0 ends it."""
    item = {"plan": plan, "unit_amount": 100 * amount, "interval": "month"}
    data: dict[str, Any] = {"subscription_id": plan, "currency": currency, "items": [item]}
    status = "active" if amount else "canceled"
    return event("subscription.changed", customer, at(minute), f"{customer}/{plan}/{minute}", status=status, **data)


def ticket(subject: str, minute: float, customer: str = "mia", **data: Any) -> bytes:
    return created(subject, at(minute), customer_id=customer, **data)


def answered(subject: str, minute: float) -> bytes:
    return wrote(subject, minute, "agent", author_id="ann", public=True)


def status(subject: str, minute: float, name: str) -> bytes:
    return event("ticket.status", subject, at(minute), f"{subject}/{name}/{minute}", status=name)


def at_risk(lines: Iterable[bytes], minute: float, **cut: str) -> AtRisk:
    (record,) = [one for one in rows("mrr_at_risk", lines, "total", minute, HOUR) if one.cut == cut]
    return record.value, record.samples


MIA_WAITS = (pays("mia", -100), ticket("T", 0))
NOTHING: AtRisk = (0, 0)
HERS: AtRisk = (50, 1)


def test_from_the_deadline_on_the_customers_mrr_is_at_risk_until_the_ticket_is_solved() -> None:
    lines = (*MIA_WAITS, answered("T", 10), solved("T", 90))
    values = [at_risk([*lines], minute) for minute in (59, 60, 89, 90)]
    assert values == [NOTHING, HERS, HERS, NOTHING]


def test_a_late_reply_ends_what_was_owed_until_the_next_deadline_is_missed() -> None:
    lines = (*MIA_WAITS, answered("T", 40))
    assert [at_risk(lines, minute) for minute in (29, 30, 39, 40, 59, 60)] == [
        *(NOTHING, HERS, HERS),
        *(NOTHING, NOTHING, HERS),
    ]


def test_an_owed_ticket_that_waits_for_the_customer_stays_one() -> None:
    assert at_risk([*MIA_WAITS, status("T", 70, "pending")], 80) == HERS


def test_a_reopened_ticket_has_the_whole_target_again() -> None:
    lines = (*MIA_WAITS, answered("T", 10), solved("T", 90), status("T", 100, "open"))
    assert [at_risk(lines, minute) for minute in (100, 159, 160)] == [NOTHING, NOTHING, HERS]


def test_several_tickets_put_a_customers_mrr_at_risk_once_until_the_last_is_solved() -> None:
    lines = (*MIA_WAITS, ticket("U", 20), solved("T", 70), solved("U", 90))
    assert [at_risk(lines, minute) for minute in (35, 55, 75, 90)] == [HERS, HERS, HERS, NOTHING]


def test_what_the_customer_pays_while_a_ticket_is_owed_is_at_risk_from_then_on() -> None:
    lines = [*MIA_WAITS, pays("mia", 70, "extra", 20), pays("mia", 80, "basic", 0)]
    assert [at_risk(lines, minute) for minute in (60, 70, 80)] == [HERS, (70, 1), (20, 1)]
    assert [at_risk(lines, 75, plan=plan) for plan in ("basic", "extra")] == [(50, 1), (20, 1)]
    assert at_risk([ticket("T", 0), pays("mia", 70)], 80) == HERS, "who starts to pay while waiting"
    assert at_risk([*MIA_WAITS, pays("mia", 70, "basic", 0)], 80) == NOTHING


def test_money_of_two_currencies_is_not_added_up() -> None:
    lines = [*MIA_WAITS, pays("mia", -50, "extra", 20, "USD")]
    found = {one.currency: one.value for one in rows("mrr_at_risk", lines, "total", 60, HOUR) if not one.cut}
    assert found == {"EUR": 50, "USD": 20}


def test_only_tickets_of_paying_customers_put_anything_at_risk() -> None:
    assert at_risk([pays("mia", -100), ticket("T", 0, "tom")], 80) == NOTHING
    nobodys = event("ticket.updated", "T", at(5), "nobody's", customer_id=None)
    assert at_risk([*MIA_WAITS, nobodys], 80) == NOTHING


@pytest.mark.parametrize(
    "late",
    [solved("T", 20), merged("T", 20), status("T", 70, "spam")],
    ids=["solved in time", "merged", "spam"],
)
def test_a_late_event_that_shows_that_nothing_was_missed_takes_it_back(late: bytes) -> None:
    hourly = rows("mrr_at_risk", [*MIA_WAITS, late], "tumbling:1h", 170, HOUR)
    assert [one.value for one in hourly if not one.cut] == [0, 0, 0, 0, 0]


def test_a_late_subscription_counts_in_what_was_at_risk_then() -> None:
    lines = [*MIA_WAITS, solved("T", 90), pays("mia", 100, "extra", 20), pays("mia", -10, "gold", 7)]
    five_minutes = rows("mrr_at_risk", lines, "tumbling:5m", 102, HOUR)
    values = [one.value for one in five_minutes if not one.cut]
    assert values == [0] * (len(values) - 15) + [57] * 12 + [0] * 3, "from 30 to 90"


def test_a_ticket_that_goes_to_another_customer_takes_the_risk_along() -> None:
    moved = event("ticket.updated", "T", at(70), "moved", customer_id="tom")
    lines = [*MIA_WAITS, pays("tom", -100, amount=30), moved]
    assert at_risk(lines, 80) == (30, 1)


# Across shards, restarts and what is forgotten

HERE, THERE = owned_by(0, 2), owned_by(1, 2)
NOW_MS = T0_MS + 1_000 * DAY_MS
RETENTION = Retention(8 * DAY_MS, 400 * DAY_MS)


def flushed(shard: Shard, topics: Topics) -> list[InputRecord]:
    """What leaves for customers with a flush."""
    flush = topics.write(shard.flush(caught_up=True))
    out: list[Outgoing] = [] if flush is None else [sent for sent in flush.outgoing if sent.topic == CUSTOMERS]
    return [Record(place, 0, one.key, one.value) for place, one in enumerate(out)]


def level(topics: Topics, slot: int = MRR_AT_RISK.currency_slot(EUR)) -> int:
    """What stands now at the total."""
    return sum(vector.get(slot, 0) for key, vector in topics.vectors().items() if key.tier == 4 and not key.cut)


def test_a_customer_of_another_shard_is_told_by_the_shard_of_the_ticket_once() -> None:
    sender, receiver = new_shard(0, 2, options=HOUR), new_shard(1, 2, options=HOUR)
    of_sender, of_receiver = Topics(), Topics()
    receiver.apply(SUBSCRIPTIONS, 1, records(pays(THERE, -100)), NOW_MS)
    sender.apply(TICKETS, 0, records(ticket(HERE, 0, THERE)), NOW_MS)
    first = flushed(sender, of_sender)
    receiver.apply(CUSTOMERS, 1, first, NOW_MS)
    flushed(receiver, of_receiver)
    assert level(of_receiver) == 0
    sender.advance(at(30))
    receiver.apply(CUSTOMERS, 1, [Record(len(first), 0, None, flushed(sender, of_sender)[0].value)], NOW_MS)
    flushed(receiver, of_receiver)
    assert (level(of_receiver), level(of_sender)) == (5_000, 0)
    assert flushed(sender, of_sender) == []
    sender.advance(at(31))
    assert flushed(restored_shard(of_sender, 0, 2, options=HOUR), of_sender) == [], "nor after a restart"


def test_a_restart_in_between_changes_nothing() -> None:
    topics = Topics()
    shard = new_shard(options=HOUR)
    shard.apply(SUBSCRIPTIONS, 0, records(pays("mia", -100)), NOW_MS)
    shard.apply(TICKETS, 0, records(ticket("T", 0)), NOW_MS)
    shard.advance(at(30))
    flushed(shard, topics)
    shard = restored_shard(topics, options=HOUR)
    shard.apply(SUBSCRIPTIONS, 0, records(pays("mia", 40, "extra", 20), first=1), NOW_MS)
    flushed(shard, topics)
    assert level(topics) == 7_000
    shard = restored_shard(topics, options=HOUR)
    shard.apply(TICKETS, 0, records(solved("T", 50), first=1), NOW_MS)
    flushed(shard, topics)
    assert (level(topics), level(topics, MRR.currency_slot(EUR))) == (0, 7_000)


def test_a_forgotten_ticket_is_owed_no_longer_and_its_customer_remembers_only_the_last_one() -> None:
    shard, topics = new_shard(options=HOUR, retention=RETENTION), Topics()
    shard.apply(SUBSCRIPTIONS, 0, records(pays("mia", -100)), NOW_MS)
    shard.apply(TICKETS, 0, records(ticket("T", 0), ticket("U", 1), solved("U", 90), ticket("V", 2)), NOW_MS)
    shard.advance(at(100))
    flushed(shard, topics)
    assert level(topics) == 5_000
    shard.apply(SUBSCRIPTIONS, 0, records(pays("mia", 1_440 * 300, "basic", 60), first=1), NOW_MS)
    shard.advance(T0_MS + 399 * DAY_MS)
    flushed(shard, topics)
    assert level(topics) == 6_000
    shard.advance(T0_MS + 401 * DAY_MS)
    flushed(shard, topics)
    assert (level(topics), level(topics, MRR.currency_slot(EUR))) == (0, 6_000)
    words = [one for one in shard.entities["customer"].find("mia").uids if one.startswith("t:")]
    assert words == ["t:T", "t:V"], "both were still owed: their last words said that they are not"


def test_a_customer_that_never_paid_is_forgotten_with_its_tickets() -> None:
    shard, topics = new_shard(options=HOUR, retention=RETENTION), Topics()
    shard.apply(TICKETS, 0, records(ticket("T", 0), solved("T", 90)), NOW_MS)
    shard.advance(at(100))
    flushed(shard, topics)
    assert shard.live_entities()["customer"] == 1
    for day in (9, 10):
        shard.advance(T0_MS + day * DAY_MS)
        flushed(shard, topics)
    assert shard.live_entities()["customer"] == 0


def test_a_customer_that_is_forgotten_takes_what_is_at_risk_along() -> None:
    shard, topics = new_shard(options=HOUR, retention=RETENTION), Topics()
    shard.apply(SUBSCRIPTIONS, 0, records(pays("mia", -100)), NOW_MS)
    shard.apply(TICKETS, 0, records(ticket("T", 0), wrote("T", 1_440 * 300)), NOW_MS)
    shard.advance(at(1_440 * 300))
    flushed(shard, topics)
    assert level(topics) == 5_000
    shard.advance(T0_MS + 401 * DAY_MS)
    flushed(shard, topics)
    assert (level(topics), level(topics, MRR.currency_slot(EUR))) == (0, 0)
