"""Laws of service levels: what is told and stated does not depend on arrival, and deadlines are those of a walk through
all minutes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import get_args
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from stream_kpi.calendars.schedule import ALWAYS, Schedule
from stream_kpi.calendars.selection import Selection
from stream_kpi.lifecycles.chat.events import ChatEvent
from stream_kpi.lifecycles.chat.fold import ChatFold
from stream_kpi.lifecycles.entity import Entity, facts_of
from stream_kpi.lifecycles.facts import CutSets, Fact, net, spelled_out
from stream_kpi.lifecycles.fold import Fold
from stream_kpi.lifecycles.history import HistoryEvent
from stream_kpi.lifecycles.options import AgentCreatedRule, FirstResponseStart, Options
from stream_kpi.lifecycles.sla.policy import TICKET_METRICS, Policies, Policy, Targets
from stream_kpi.lifecycles.sla.transition import Transition
from stream_kpi.lifecycles.ticket.events import Created, Merged, Status, TicketEvent, Updated
from stream_kpi.lifecycles.ticket.promised import PromisedTicketFold, new_ticket_fold
from stream_kpi.measures.registry import BY_NUMBER, FIRST_RESPONSE, SLA_BREACHED, SLA_MET, SLOTS_PER_MEASURE, Kind
from tests.sla_kit import net_told
from tests.strategies.chats import chat_stories
from tests.strategies.chats import times_ms as chat_times_ms
from tests.strategies.schedules import BY_DIMENSION
from tests.strategies.tickets import DAY_MS, START_MS, ticket_stories, times_ms

HOUR_MS, MINUTE_MS = 3_600_000, 60_000
END_MS = START_MS + 100 * DAY_MS
OFTEN_MISSED = Targets({"high": HOUR_MS, "x": 3 * DAY_MS}, 4 * HOUR_MS)
OPTIONS = Options(
    schedules=BY_DIMENSION,
    sla=Policies(
        (
            Policy(
                "first",
                dict.fromkeys(TICKET_METRICS, OFTEN_MISSED) | {"answer": Targets({}, 10_000)},
                groups=frozenset({"x", "sales"}),
                horizon_minutes=(240, 60, 1),
            ),
            Policy(
                "second",
                dict.fromkeys(TICKET_METRICS, Targets({"y": DAY_MS, "high": 8 * DAY_MS})),
                brands=frozenset({"x", "y"}),
                schedule=None,
                horizon_minutes=(60,),
            ),
            Policy("x", {"resolution": Targets({}, DAY_MS), "answer": Targets({}, 30_000)}, schedule=None),
        )
    ),
)


def told_by(
    new_fold: Callable[[], Fold], story: list[HistoryEvent], clock_ms: int
) -> tuple[Counter[Transition], list[Fact]]:
    """What a fold of the sorted story tells, and its facts."""
    fold, facts = facts_of(new_fold, sorted(story, key=lambda event: event.order), clock_ms)
    assert len(set(fold.transitions)) == len(fold.transitions)
    return Counter(fold.transitions), facts


def check_any_arrival(
    new_fold: Callable[[], Fold], story: list[HistoryEvent], times: st.SearchStrategy[int], data: st.DataObject
) -> None:
    arrivals = (
        data.draw(st.permutations(story + data.draw(st.lists(st.sampled_from(story), max_size=2)))) if story else []
    )
    entity = Entity(new_fold)
    told: list[Transition] = []
    stated: list[Fact] = []
    seen: list[HistoryEvent] = []
    clock_ms = START_MS - 1_000
    for event in arrivals:
        clock_ms = max(clock_ms, event.time_ms, data.draw(times))
        stated += entity.apply(event, clock_ms) or []
        told += entity.take_transitions()
        stated += entity.advance(clock_ms)
        told += entity.take_transitions()
        seen += [] if event in seen else [event]
        if data.draw(st.booleans()):
            entity = Entity(new_fold, entity.history, entity.clock_ms)  # unpacked again: it tells nothing twice
            assert entity.take_transitions() == ()
        expected, facts = told_by(new_fold, seen, clock_ms)
        assert net_told(told) == expected
        assert net(stated) == net(facts)
    stated += entity.advance(END_MS)
    told += entity.take_transitions()
    expected, facts = told_by(new_fold, story, END_MS)
    assert net_told(told) == expected
    assert net(stated) == net(facts)


@given(ticket_stories(), st.data())
@settings(max_examples=150, deadline=None)
def test_what_is_told_of_a_ticket_does_not_depend_on_arrival_duplicates_packing_or_how_the_clock_ran(
    story: list[TicketEvent], data: st.DataObject
) -> None:
    check_any_arrival(partial(new_ticket_fold, CutSets(), OPTIONS), list(story), times_ms, data)


@given(chat_stories(), st.data())
@settings(max_examples=150, deadline=None)
def test_what_is_told_of_a_chat_does_not_depend_on_arrival_duplicates_packing_or_how_the_clock_ran(
    story: list[ChatEvent], data: st.DataObject
) -> None:
    check_any_arrival(partial(ChatFold, CutSets(), OPTIONS), list(story), chat_times_ms, data)


@given(ticket_stories())
@settings(max_examples=150, deadline=None)
def test_an_instance_starts_before_all_else_is_decided_once_and_is_over_when_its_ticket_is(
    story: list[TicketEvent],
) -> None:
    cut_sets = CutSets()
    last_ms = max((event.time_ms for event in story), default=START_MS)
    new_fold = partial(new_ticket_fold, cut_sets, OPTIONS)
    told, facts = told_by(new_fold, [*story, Status(last_ms + 1, "z", "closed", "agent", None)], END_MS)
    steps: dict[tuple[str, int, int], list[Transition]] = {}
    for transition in told:  # in the order of telling
        steps.setdefault((transition.metric, transition.started_ms, transition.nth), []).append(transition)
    for (metric, *_), instance in steps.items():
        names = [transition.name for transition in instance]
        assert names[0] == "started"
        assert names.count("breached") + names.count("fulfilled") <= 2
        assert names.count("breached") <= 1
        assert metric == "next_reply" or names[-1] in ("fulfilled", "cancelled")
        assert [t.time_ms for t in instance] == sorted(t.time_ms for t in instance)
    if not any(event for event in story if isinstance(event, Merged)):
        count: Counter[int] = Counter()
        for slot, _, cuts, value, sign in facts:
            if () in cut_sets.cuts_of(cuts):
                count[slot] += value * sign
        removed = [t for t in told if t.name == "cancelled"]
        breached = sum(t.name == "breached" for t in told)
        met = sum(t.name == "fulfilled" and t.late_by_ms is None for t in told)
        assert removed or (count[SLA_BREACHED.slot], count[SLA_MET.slot]) == (breached, met)


@given(ticket_stories(), st.sampled_from(["second_comment", "include"]), st.sampled_from(get_args(FirstResponseStart)))
@settings(max_examples=150, deadline=None)
def test_what_fulfils_the_first_response_of_a_ticket_that_an_agent_created_is_one_by_the_options(
    story: list[TicketEvent], agent_created: AgentCreatedRule, start: FirstResponseStart
) -> None:
    policies = Policies((Policy("p", {"first_response": Targets({}, HOUR_MS)}),))
    options = Options(sla=policies, first_response_agent_created=agent_created, first_response_start=start)
    # What is removed leaves every count; that its instances were fulfilled stays told.
    kept = [e for e in story if not (isinstance(e, Merged) or getattr(e, "status", "") in {"deleted", "spam"})]
    kept = [replace(e, created_by="agent") if isinstance(e, Created) else e for e in kept]
    told, facts = told_by(partial(new_ticket_fold, CutSets(), options), [*kept], END_MS)
    created_ms = min((event.time_ms for event in story if isinstance(event, Created)), default=END_MS)
    responses = {max(time_ms, created_ms) for slot, time_ms, *_ in facts if slot == FIRST_RESPONSE.slot}
    assert {t.time_ms for t in told if t.name == "fulfilled"} <= responses


@given(ticket_stories(), times_ms)
@settings(max_examples=150, deadline=None)
def test_a_ticket_owes_something_from_a_miss_to_the_end_of_the_last_instance_that_was_missed(
    story: list[TicketEvent], clock_ms: int
) -> None:
    history = sorted(story, key=lambda event: event.order)
    fold, _ = facts_of(partial(new_ticket_fold, CutSets(), OPTIONS), history, clock_ms)
    assert isinstance(fold, PromisedTicketFold)
    missed: dict[tuple[str, int, int], tuple[int, int]] = {}
    for told in fold.transitions:
        instance = told.metric, told.started_ms, told.nth
        if told.name == "breached":
            missed[instance] = told.time_ms, END_MS
        elif told.name in {"fulfilled", "cancelled"} and instance in missed:
            missed[instance] = missed[instance][0], told.time_ms
    breaches = fold._service_levels.breaches
    assert list(breaches) == sorted(breaches)
    for at_ms in sorted({ms + off_ms for span in missed.values() for ms in span for off_ms in (-1, 0)}):
        if at_ms > clock_ms:
            break
        owes = any(start_ms <= at_ms < end_ms for start_ms, end_ms in missed.values())
        assert sum(moment_ms <= at_ms for moment_ms in breaches) % 2 == owes


@given(ticket_stories(), times_ms)
@settings(max_examples=150, deadline=None)
def test_the_set_of_deadlines_holds_a_ticket_as_its_facts_say(story: list[TicketEvent], clock_ms: int) -> None:
    fold, facts = facts_of(
        partial(new_ticket_fold, CutSets(), OPTIONS), sorted(story, key=lambda event: event.order), clock_ms
    )
    members: Counter[tuple[int, int, int]] = Counter()
    for slot, _, cuts, start_ms, sign in spelled_out(facts):
        if BY_NUMBER[slot // SLOTS_PER_MEASURE].kind is Kind.AGE:
            members[slot, cuts, start_ms] += sign
    stated = Counter((slot, cuts, start_ms) for slot, _, cuts, start_ms, _ in fold.memberships())
    assert stated == Counter({member: n for member, n in members.items() if n})


# The walk: no arithmetic on time, one minute after the other.

BERLIN = ZoneInfo("Europe/Berlin")
NIGHTS = Schedule("nights", "Europe/Berlin", (((0, 300), (1_320, 1_440)),) * 7, number=1)
SHORT = Schedule("short", "Europe/Berlin", (((90, 150), (600, 660)),) * 7, number=2)
SCHEDULES = {None: NIGHTS, "short": SHORT, "always": ALWAYS}
TARGET_MINUTES = {None: 300, "high": 60, "low": 700}
WALKED_MINUTES = 3 * 1_440
# The evenings before the clocks of Berlin change in 2026, and one on which they do not.
EVENINGS_MS = [
    int(datetime(2026, month, day, 20, tzinfo=BERLIN).astimezone(UTC).timestamp()) * 1_000
    for month, day in ((3, 28), (10, 24), (6, 10))
]
CHANGES = st.one_of(
    st.tuples(st.just("status"), st.sampled_from(["pending", "open", "on_hold"])),
    st.tuples(st.just("priority"), st.sampled_from(list(TARGET_MINUTES))),
    st.tuples(st.just("group"), st.sampled_from(list(SCHEDULES))),
)


def is_open(schedule: Schedule, time_ms: int) -> bool:
    """What a clock on the wall says."""
    local = datetime.fromtimestamp(time_ms / 1_000, UTC).astimezone(ZoneInfo(schedule.zone))
    minute = local.hour * 60 + local.minute
    return any(start <= minute < end for start, end in schedule.hours_on(local.date()))


def walked(start_ms: int, changes: dict[int, tuple[str, str | None]]) -> int | None:
    """The minute of the miss, if it comes."""
    now: dict[str, str | None] = {"status": "new", "priority": None, "group": None}
    spent = 0
    for minute in range(WALKED_MINUTES):
        if minute in changes:
            what, value = changes[minute]
            now[what] = value
        paused = now["status"] == "pending"
        target = TARGET_MINUTES[now["priority"]]
        if spent > target or (spent == target and not paused):
            return minute
        if not paused and is_open(SCHEDULES[now["group"]], start_ms + minute * MINUTE_MS):
            spent += 1
    return None


@given(st.sampled_from(EVENINGS_MS), st.dictionaries(st.integers(1, 1_600), CHANGES, max_size=8))
@settings(max_examples=120, deadline=None)
def test_a_target_is_missed_in_the_minute_to_which_a_walk_through_all_minutes_comes(
    start_ms: int, changes: dict[int, tuple[str, str | None]]
) -> None:
    by_group = {group: schedule for group, schedule in SCHEDULES.items() if group is not None}
    targets = Targets(
        {priority: minutes * MINUTE_MS for priority, minutes in TARGET_MINUTES.items() if priority is not None},
        TARGET_MINUTES[None] * MINUTE_MS,
    )
    options = Options(
        schedules=Selection(NIGHTS, by_group=by_group, by_channel={}, by_brand={}),  # type: ignore[arg-type]  # no group is the default
        sla=Policies((Policy("p", {"resolution": targets}, schedule=None, horizon_minutes=(60, 5)),)),
    )
    story: list[TicketEvent] = [Created(start_ms, "c", "email", None, None, None, None, "customer")]
    for minute, (what, value) in sorted(changes.items()):
        time_ms, uid = start_ms + minute * MINUTE_MS, f"e{minute}"
        if what == "status":
            story.append(Status(time_ms, uid, value or "", "agent", None))
        else:
            story.append(Updated(time_ms, uid, ((what, value),)))
    end_ms = start_ms + (WALKED_MINUTES - 1) * MINUTE_MS
    fold, facts = facts_of(partial(new_ticket_fold, CutSets(), options), story, end_ms)
    missed = [(t.time_ms - start_ms) // MINUTE_MS for t in fold.transitions if t.name == "breached"]
    expected = walked(start_ms, changes)
    assert missed == ([] if expected is None else [expected])
    assert [fact[1] for fact in facts if fact[0] == SLA_BREACHED.slot] == [
        start_ms + minute * MINUTE_MS for minute in missed
    ]
