"""What the options of first_response_time and fcr_provisional change, from the wire to the rows (kpis.md, options)."""

from __future__ import annotations

import pytest

from stream_kpi.lifecycles.options import AgentCreatedRule, FcrRule, FirstResponseStart, Options
from tests.row_kit import assigned, at, only, solved, wrote
from tests.shard_kit import HOUR_MS, MINUTE_MS, created, event

DAY = 24 * 60
MONDAY_9 = -60
"""T0 is a Monday, 10:00."""
FRIDAY_14 = 4 * DAY + 4 * 60
LATER = 10 * DAY


def status(minute: float, status: str, actor: str = "agent") -> bytes:
    return event("ticket.status", "A", at(minute), f"A/{status}/{minute}", status=status, actor=actor)


def handed_off(minute: float, agent: str | None = None) -> bytes:
    return assigned("A", minute, agent, reason="bot_handoff")


def first_response(lines: list[bytes], options: Options | None = None, minute: float = LATER) -> float | None:
    """Minutes of the one first response; None without one."""
    value = only("first_response_time", lines, minute=minute, options=options).value
    return None if value is None else value * 1_000 / MINUTE_MS


def waits(lines: list[bytes], minute: float, options: Options) -> float | None:
    """Minutes for which the one ticket has waited; None when none waits."""
    value = only("open_first_response_age", lines, minute=minute, options=options).value
    return None if value is None else value * 1_000 / MINUTE_MS


def starting(start: FirstResponseStart) -> Options:
    return Options(first_response_start=start)


REOPENED_ON_FRIDAY = [
    created("A", at(MONDAY_9)),
    wrote("A", MONDAY_9 + 1, "bot", author_id="b0t"),
    status(MONDAY_9 + 5, "solved", "bot"),
    wrote("A", FRIDAY_14),
    status(FRIDAY_14, "open", "customer"),
    wrote("A", FRIDAY_14 + 10, "agent", author_id="ann"),
]


# Where the first response starts


def test_a_reopen_days_after_a_bots_solve_is_answered_in_10_minutes_by_the_start_at_the_reopen() -> None:
    assert first_response(REOPENED_ON_FRIDAY) == 4 * DAY + 5 * 60 + 10
    assert first_response(REOPENED_ON_FRIDAY, starting("creation")) == 4 * DAY + 5 * 60 + 10
    assert first_response(REOPENED_ON_FRIDAY, starting("bot_handoff_or_reopen")) == 10


def test_where_bots_count_the_same_answer_is_a_next_reply_after_10_minutes() -> None:
    bots = Options(first_response_count_bot=True)
    assert first_response(REOPENED_ON_FRIDAY, bots) == 1
    assert only("first_response_time", REOPENED_ON_FRIDAY, minute=LATER, options=bots, agent="b0t").value == 60
    assert only("next_reply_time", REOPENED_ON_FRIDAY, minute=LATER, options=bots).value == 600
    assert only("next_reply_time", REOPENED_ON_FRIDAY, minute=LATER).value is None


@pytest.mark.parametrize(
    ("between", "minutes"),
    [
        ([], 60),
        ([handed_off(20)], 40),
        ([handed_off(20), handed_off(30, "ann")], 30),
        ([assigned("A", 20, "ann")], 60),
        ([status(20, "solved", "bot")], 40),
        ([handed_off(10), status(20, "solved", "bot")], 50),
        ([status(20, "solved", "automation")], 60),
        ([status(20, "solved"), status(35, "open"), handed_off(30)], 25),
        ([status(20, "solved", "bot"), status(35, "open"), status(40, "solved", "bot")], 25),
    ],
)
def test_the_last_hand_off_or_reopen_else_a_bots_solve_else_the_creation_is_the_start(
    between: list[bytes], minutes: float
) -> None:
    lines = [created("A", at(0)), *between, wrote("A", 60, "agent", author_id="ann")]
    assert first_response(lines, starting("bot_handoff_or_reopen")) == minutes
    assert first_response(lines) == first_response(lines, starting("creation")) == 60


def test_a_hand_off_that_arrives_late_corrects_the_first_response() -> None:
    lines = [created("A", at(0)), wrote("A", 60, "agent"), handed_off(20)]
    assert first_response(lines, starting("bot_handoff_or_reopen")) == 40


def test_from_the_start_on_the_ticket_waits() -> None:
    lines = [created("A", at(0)), handed_off(20), wrote("A", 60, "agent")]
    by_handoff = starting("bot_handoff_or_reopen")
    assert [waits(lines, minute, by_handoff) for minute in (10, 20, 30, 60)] == [10, 0, 10, None]
    solve = [created("A", at(0)), status(20, "solved", "bot"), status(40, "open"), wrote("A", 60, "agent")]
    assert [waits(solve, minute, by_handoff) for minute in (10, 30, 50, 60)] == [10, None, 10, None]


def test_of_a_ticket_that_no_customer_created_the_start_is_the_customers_message_or_the_creation_as_set() -> None:
    lines = [created("A", at(0), created_by="system"), wrote("A", 30), wrote("A", 50, "agent")]
    assert first_response(lines) == 20
    assert first_response(lines, starting("creation")) == 50
    assert waits(lines, 10, Options()) is None
    assert waits(lines, 10, starting("creation")) == 10


def test_compliance_follows_the_start() -> None:
    options = Options(first_response_start="bot_handoff_or_reopen", response_target_other_ms=HOUR_MS)
    assert only("response_time_compliance", REOPENED_ON_FRIDAY, minute=LATER, options=options).value == 1
    plain = Options(response_target_other_ms=HOUR_MS)
    assert only("response_time_compliance", REOPENED_ON_FRIDAY, minute=LATER, options=plain).value == 0


# Which message is the first response


def test_a_private_note_is_a_first_response_only_where_notes_count_and_a_bots_note_only_where_both_do() -> None:
    lines = [
        created("A", at(0)),
        wrote("A", 3, "bot", public=False),
        wrote("A", 5, "bot"),
        wrote("A", 10, "agent", public=False),
        wrote("A", 20, "agent"),
    ]
    assert first_response(lines) == 20
    assert first_response(lines, Options(first_response_count_notes=True)) == 10
    assert first_response(lines, Options(first_response_count_bot=True)) == 5
    assert first_response(lines, Options(first_response_count_notes=True, first_response_count_bot=True)) == 3


@pytest.mark.parametrize("author", ["automation", "campaign", "system"])
def test_automations_and_campaigns_never_respond(author: str) -> None:
    lines = [created("A", at(0)), wrote("A", 5, author), wrote("A", 20, "agent")]
    assert first_response(lines, Options(first_response_count_bot=True, first_response_count_notes=True)) == 20


def test_a_counted_bots_answer_leaves_the_ticket_unattended_and_its_turn_open() -> None:
    lines = [created("A", at(0)), wrote("A", 5, "bot"), wrote("A", 10), wrote("A", 12, "bot"), wrote("A", 20, "agent")]
    bots = Options(first_response_count_bot=True)
    assert waits(lines, 7, bots) is None
    assert only("backlog_unattended", lines, minute=15, options=bots).value == 1
    assert only("next_reply_time", lines, options=bots).value == 600


BY_AGENT = created("A", at(0), created_by="agent")


@pytest.mark.parametrize(
    ("messages", "exclude", "second_comment", "include"),
    [
        ([], None, None, None),
        ([wrote("A", 5, "agent")], None, None, 5),
        ([wrote("A", 5, "agent"), wrote("A", 30, "agent")], None, 30, 5),
        ([wrote("A", 5, "agent"), wrote("A", 20), wrote("A", 30, "agent")], None, 10, 5),
        ([wrote("A", 20), wrote("A", 30, "agent"), wrote("A", 50, "agent")], None, 10, 10),
        (
            [wrote("A", m, "agent", session_id="s") for m in (5, 6)] + [wrote("A", 30, "agent", session_id="t")],
            None,
            30,
            5,
        ),
    ],
)
def test_a_ticket_that_an_agent_created_is_answered_as_the_option_says(
    messages: list[bytes], exclude: float | None, second_comment: float | None, include: float | None
) -> None:
    rules: dict[AgentCreatedRule, float | None] = {
        "exclude": exclude,
        "second_comment": second_comment,
        "include": include,
    }
    for rule, minutes in rules.items():
        assert first_response([BY_AGENT, *messages], Options(first_response_agent_created=rule)) == minutes, rule


def test_a_ticket_that_an_agent_created_waits_from_where_its_start_is() -> None:
    lines = [BY_AGENT, wrote("A", 5, "agent"), wrote("A", 20)]
    second = Options(first_response_agent_created="second_comment")
    assert (waits(lines, 10, second), waits(lines, 25, second)) == (None, 5)
    both = Options(first_response_agent_created="second_comment", first_response_start="creation")
    assert (waits(lines, 10, both), waits(lines, 25, both)) == (10, 25)
    assert waits(lines, 25, starting("creation")) is None


# First contact resolution


def contact(lines: list[bytes], rule: FcrRule, **options: bool) -> float | None:
    return only("fcr_provisional", lines, options=Options(fcr_rule=rule, **options)).value  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("story", "one_contact", "one_agent", "one_reply", "zero_customer_followups"),
    [
        ([wrote("A", 5, "agent", author_id="ann")], 1, 1, 1, 1),
        ([], 1, 1, 0, 1),
        ([wrote("A", 3), wrote("A", 5, "agent", author_id="ann")], 1, 1, 1, 0),
        ([wrote("A", 5, "agent", author_id="ann"), wrote("A", 6)], 0, 1, 1, 0),
        ([wrote("A", m, "agent", author_id="ann") for m in (5, 6)], 1, 1, 0, 1),
        ([wrote("A", m, "agent", author_id="ann", session_id="s") for m in (5, 6)], 1, 1, 1, 1),
        ([wrote("A", 5, "agent", author_id="bob")], 0, 0, 1, 1),
        ([assigned("A", 1, "bob"), assigned("A", 2, "ann"), wrote("A", 5, "agent", author_id="ann")], 0, 0, 1, 1),
    ],
)
def test_a_first_contact_is_what_the_rule_says(
    story: list[bytes], one_contact: float, one_agent: float, one_reply: float, zero_customer_followups: float
) -> None:
    lines = [created("A", at(0)), *story, solved("A", 30, "ann")]
    assert contact(lines, "one_contact") == one_contact
    assert contact(lines, "one_agent") == one_agent
    assert contact(lines, "one_reply") == one_reply
    assert contact(lines, "zero_customer_followups") == zero_customer_followups


@pytest.mark.parametrize("rule", ["one_contact", "one_agent", "one_reply", "zero_customer_followups"])
def test_whatever_the_rule_only_humans_solves_count_and_none_is_no_value(rule: FcrRule) -> None:
    assert contact([created("A", at(0)), status(20, "solved", "bot")], rule) is None


def test_a_customer_message_that_arrives_late_takes_a_first_contact_back() -> None:
    lines = [created("A", at(0)), wrote("A", 5, "agent", author_id="ann"), solved("A", 30, "ann"), wrote("A", 3)]
    assert contact(lines, "zero_customer_followups") == 0
    assert contact(lines, "one_contact") == 1


def test_what_counts_as_a_first_response_is_no_matter_of_first_contact() -> None:
    lines = [created("A", at(0)), wrote("A", 2, "bot"), wrote("A", 3), wrote("A", 5, "agent", author_id="ann")]
    lines.append(solved("A", 30, "ann"))
    assert contact(lines, "one_contact", first_response_count_bot=True) == 1
