"""Stories of one customer's subscriptions, for properties: few instants around the edges of windows, states that are
known ahead or reach back, cancellations at a date, plans and currencies that change, invoices, some told twice."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from stream_kpi.lifecycles.customer.events import CustomerEvent, Paid, SubscriptionState

EUR, USD = 978, 840
START_MS = 1_772_319_600_000
"""1 March 2026, 00:00 in Berlin; 19.5 h later it is midnight in Kolkata."""
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
_OFFSETS_MS = (
    -40 * DAY_MS,
    -HOUR_MS,
    -1,
    0,
    1,
    MINUTE_MS,
    5 * MINUTE_MS - 1,
    5 * MINUTE_MS,
    HOUR_MS,
    HOUR_MS + 1,
    19 * HOUR_MS + 29 * MINUTE_MS,
    19 * HOUR_MS + 30 * MINUTE_MS,
    DAY_MS,
    31 * DAY_MS - HOUR_MS,
    31 * DAY_MS,
)
INSTANTS_MS = [START_MS + offset_ms for offset_ms in _OFFSETS_MS]
END_MS = START_MS + 400 * DAY_MS

instants_ms = st.sampled_from(INSTANTS_MS)
_plans = st.dictionaries(st.sampled_from(["gold", "silver"]), st.sampled_from([1_000, 2_000, 5_001, -700]), max_size=2)
"""A plan may be a credit: MRR below 0."""
_channels = st.sampled_from([None, "ads", "mail"])
_ends = st.tuples(st.booleans(), _channels)


@st.composite
def _states(draw: st.DrawFn, uid: str) -> SubscriptionState:
    time_ms = draw(instants_ms)
    paying = draw(st.sampled_from([True, True, False]))
    return SubscriptionState(
        time_ms,
        uid,
        draw(st.sampled_from(["one", "two"])),
        draw(st.one_of(st.just(time_ms), instants_ms)),
        paying,
        draw(st.sampled_from([EUR, EUR, EUR, USD])),
        tuple(sorted(draw(_plans).items())) if paying else (),
        draw(st.one_of(st.none(), instants_ms)),
        draw(st.booleans()),
        draw(_channels),
    )


@st.composite
def _paid(draw: st.DrawFn, uid: str) -> Paid:
    return Paid(
        draw(instants_ms),
        uid,
        draw(st.sampled_from(["i1", "i2", "i3"])),
        draw(st.sampled_from([1_000, 2_001, -300])),
        draw(st.sampled_from([EUR, USD])),
        draw(st.sampled_from(["gold", None])),
    )


@st.composite
def customer_stories(draw: st.DrawFn, *, max_events: int = 8) -> list[CustomerEvent]:
    """The states of one customer's subscriptions and its invoices, each event once, in the order of their making."""
    of_a_kind: list[Callable[[str], st.SearchStrategy[CustomerEvent]]] = [_states, _states, _states, _paid]
    return [draw(draw(st.sampled_from(of_a_kind))(f"e{i}")) for i in range(draw(st.integers(0, max_events)))]


@st.composite
def sole_stories(draw: st.DrawFn, *, max_events: int = 8) -> list[CustomerEvent]:
    """The states of one subscription to one plan, each later than the one before; now and then one that is not so."""
    story: list[CustomerEvent] = []
    for time_ms in draw(st.lists(instants_ms, unique=True, max_size=max_events)):
        uid = f"e{len(story)}"
        amount = draw(st.sampled_from([0, 1_000, 2_000, 5_001]))
        plans = (("gold", amount),) if amount else ()
        plain = SubscriptionState(time_ms, uid, "one", time_ms, amount > 0, EUR, plans, None, *draw(_ends))
        story.append(plain if draw(st.integers(0, 9)) else draw(st.one_of(_states(uid), _paid(uid))))
    return sorted(story, key=lambda state: state.order)
