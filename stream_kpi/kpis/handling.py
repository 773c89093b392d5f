"""Rows about how tickets are handled: what comes and goes, the time they take, hand-overs, messages (pure)."""

from __future__ import annotations

from typing import Final

from stream_kpi.kpis import rows
from stream_kpi.kpis.clocks import BusinessClockTime, ClockTime
from stream_kpi.kpis.formulas import Count, Flow, Ratio, RatioOfSums
from stream_kpi.kpis.levels import LevelQuotient
from stream_kpi.kpis.rows import Area, Kpi, KpiKind
from stream_kpi.measures import registry

FLOW: Final = (
    Kpi(
        id="backlog_net_flow",
        title="Net flow into the backlog",
        area=Area.TICKETS,
        unit="tickets",
        kind=KpiKind.COUNT,
        direction="down",
        target=None,
        cuts=rows.ALL_CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=Flow(
            (registry.TICKETS_CREATED, registry.TICKETS_LEFT_OUT, registry.REOPENS),
            (registry.FIRST_SOLVES, registry.LATER_SOLVES),
        ),
        definition="Tickets created less solved in the window: every solve is subtracted, every reopen added. Tickets "
        "that agents created always count, whatever ticket_volume does.",
        advice="Above 0 for several hours in a row, the shift takes in more than it gets done: postpone meetings and "
        "projects now, and find out which group brings the surplus. Do not celebrate a value below 0 that reopens pay "
        "back the next day.",
    ),
    Kpi(
        id="backlog_days_to_clear",
        title="Days to clear the backlog",
        area=Area.TICKETS,
        unit="days",
        kind=KpiKind.QUOTIENT,
        direction="down",
        target=3,
        cuts=rows.ALL_CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=LevelQuotient(registry.BACKLOG, registry.SOLVED_IN_24H),
        metric_id="backlog_clearance",
        definition="Open tickets / first solves of the trailing 24 hours, both at the window's end: how long the "
        "backlog would take at yesterday's pace if nothing came in. In all windows that end now it is the same, "
        "however long they are. No value while nothing was solved.",
        advice="Promise customers no answer sooner than this. Above the target, take the group with the longest time "
        "and lend it agents until it is back; a weekend's quiet makes the value jump, so judge it on working days.",
    ),
)

CLOCKS: Final = (
    Kpi(
        id="requester_wait_time",
        title="Requester wait time",
        area=Area.TICKETS,
        unit="seconds",
        kind=KpiKind.TIME,
        direction="down",
        target=None,
        cuts=rows.AGENT_CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=ClockTime(registry.REQUESTER_WAIT, "requester wait"),
        clock="calendar",
        business_formula=BusinessClockTime(registry.REQUESTER_WAIT, "requester wait"),
        definition="Seconds inside the window in which tickets were new, open or on hold, added up, what still runs "
        "included; samples are the tickets in which it ran. Credited to the agent assigned while it runs.",
        advice="Divide it by its samples: if tickets wait longer each, not just more of them, compare it with the "
        "agents' work time. A large rest is spent on hold, where a third party or another team owes you an answer.",
    ),
    Kpi(
        id="agent_work_time",
        title="Agent work time",
        area=Area.TICKETS,
        unit="seconds",
        kind=KpiKind.TIME,
        direction="down",
        target=None,
        cuts=rows.AGENT_CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=ClockTime(registry.AGENT_WORK, "agent work"),
        clock="calendar",
        business_formula=BusinessClockTime(registry.AGENT_WORK, "agent work"),
        definition="Seconds inside the window in which tickets were new or open, so that it was for agents to act, "
        "added up, what still runs included; samples are the tickets in which it ran.",
        advice="This is time in the agents' hands, not at their keyboards. If it grows while replies do not, tickets "
        "lie about: limit how many an agent holds at once, and take back what nobody has touched since yesterday.",
    ),
    Kpi(
        id="on_hold_time",
        title="On-hold time",
        area=Area.TICKETS,
        unit="seconds",
        kind=KpiKind.TIME,
        direction="down",
        target=None,
        cuts=rows.AGENT_CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=ClockTime(registry.ON_HOLD, "on-hold"),
        clock="calendar",
        business_formula=BusinessClockTime(registry.ON_HOLD, "on-hold"),
        definition="Seconds inside the window in which tickets were on hold, waiting for somebody other than the "
        "customer, added up, what still runs included; samples are the tickets in which it ran.",
        advice="Ask of each category on hold whom it waits for, and agree on a time of answer with that team or "
        "supplier. Give every ticket on hold a date on which its agent looks at it again.",
    ),
    Kpi(
        id="illegitimate_pause_time",
        title="Pending time after a customer's message",
        area=Area.TICKETS,
        unit="seconds",
        kind=KpiKind.TIME,
        direction="down",
        target=None,
        cuts=rows.AGENT_CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=ClockTime(registry.ILLEGITIMATE_PAUSE, "illegitimate pause"),
        clock="calendar",
        definition="Seconds inside the window in which tickets were still pending although the customer had written "
        "since: from the message to an agent's public answer or another status. It should be 0.",
        advice="Let the help desk reopen a pending ticket whenever its customer writes. If it does so already, look at "
        "the agents and groups that set such tickets back to `pending`: clocks and targets are being stopped by hand.",
    ),
)

OUTCOME: Final = (
    Kpi(
        id="resolution_rate_cohort",
        title="Created tickets that are solved",
        area=Area.TICKETS,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="up",
        target=0.9,
        cuts=rows.AGENT_CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=RatioOfSums((registry.CREATED_NOW_SOLVED,), (registry.TICKETS_CREATED, registry.TICKETS_OF_AGENT)),
        definition="Of the tickets created in the window, the share that is solved now; a reopened one is not. By "
        "agent: of those that the agent has solved or, while they are open, is assigned to.",
        advice="Young windows are always low, so compare each with the same window a week earlier. If last week's is "
        "still below the target, list its open tickets by category: those are the questions without an owner.",
    ),
    Kpi(
        id="transfers",
        title="Transfers",
        area=Area.TICKETS,
        unit="count",
        kind=KpiKind.COUNT,
        direction="down",
        target=None,
        cuts=rows.AGENT_CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=Count(registry.TRANSFERS),
        definition="Assignments of tickets to another agent than the one before, the first assignment left out; "
        "counted for the agent who takes over.",
        advice="Look at the groups that receive most and at the category that the tickets came with: routing by that "
        "category at the start saves the hand-over. Between two agents back and forth, nobody feels responsible.",
    ),
    Kpi(
        id="touches",
        title="Agent messages per solved ticket",
        area=Area.TICKETS,
        unit="count",
        kind=KpiKind.QUOTIENT,
        direction="down",
        target=2,
        cuts=rows.AGENT_CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=Ratio(registry.TOUCHES, registry.FIRST_SOLVES, proportion=False),
        definition="Public messages of human agents up to the first solve / first solves in the window. Messages of "
        "one chat session are one; credited to the solver.",
        advice="Read the conversations that took most messages: what is asked for bit by bit belongs on the form or in "
        "the first reply. Fewer messages with more reopens means that tickets are closed, not solved.",
    ),
)
