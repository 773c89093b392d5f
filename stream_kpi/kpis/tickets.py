"""Rows about tickets: volume, backlog, response, resolution (pure)."""

from __future__ import annotations

from typing import Final

from stream_kpi.kpis import rows
from stream_kpi.kpis.formulas import CohortRatio, Count, MeanDuration, Ratio, Share
from stream_kpi.kpis.levels import Level, OldestAge
from stream_kpi.kpis.rows import Area, Kpi, KpiKind
from stream_kpi.measures import registry

VOLUME: Final = (
    Kpi(
        id="ticket_volume",
        title="Tickets created",
        area=Area.TICKETS,
        unit="tickets",
        kind=KpiKind.COUNT,
        direction="none",
        target=None,
        cuts=rows.ALL_CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=Count(registry.TICKETS_CREATED),
        definition="Tickets created in the window, those that agents created included; spam, deleted tickets and "
        "sources of a merge are taken back.",
        advice="Look at the category and channel that grew. A jump within minutes is an incident or a campaign: tell "
        "its owner, publish a status note and a macro, and move agents to that channel before first responses slip.",
    ),
    Kpi(
        id="ticket_category_share",
        title="Share of tickets by category",
        area=Area.TICKETS,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="none",
        target=None,
        cuts=(rows.TOTAL_CUT, "category"),
        windows=rows.FLOW_WINDOWS,
        formula=Share((registry.TICKETS_CREATED,)),
        definition="Tickets created in the category / all tickets created in the window.",
        advice="Take the largest category that rises and remove its cause: fix the defect, or write the article its "
        "customers look for. A large share of `unknown` means that agents or the intake form do not set categories.",
    ),
    Kpi(
        id="preferred_channel_share",
        title="Share of contacts by channel",
        area=Area.CONTACTS,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="none",
        target=None,
        cuts=(rows.TOTAL_CUT, "channel"),
        windows=rows.FLOW_WINDOWS,
        formula=Share((registry.TICKETS_CREATED, registry.CHATS_QUEUED)),
        definition="Contacts (tickets created and chats queued) of the channel / all contacts of the window.",
        advice="Staff channels in proportion to it. If customers move to a channel that costs more, find out what the "
        "cheaper one stopped doing for them: longer waits, a broken form, a missing answer.",
    ),
)

BACKLOG: Final = (
    Kpi(
        id="ticket_backlog",
        title="Open tickets",
        area=Area.TICKETS,
        unit="tickets",
        kind=KpiKind.LEVEL,
        direction="down",
        target=None,
        cuts=(*rows.ALL_CUTS, "status", "age_band"),
        windows=(*rows.INSTANT, *rows.TUMBLING),
        formula=Level(registry.BACKLOG),
        definition="Tickets created and not solved, closed, deleted, spam or merged, now and at each window's end; by "
        "age band at the total.",
        advice="Compare tickets created with tickets solved: if more come than go, add hands or cut intake. If the "
        "growth sits in `pending` or `on_hold`, chase customers and third parties; if it sits in the oldest age "
        "bands, give one agent nothing but those.",
    ),
    Kpi(
        id="backlog_oldest_age",
        title="Age of the oldest open ticket",
        area=Area.TICKETS,
        unit="seconds",
        kind=KpiKind.AGE,
        direction="down",
        target=604_800,
        cuts=rows.ALL_CUTS,
        windows=rows.INSTANT,
        formula=OldestAge(registry.OPEN_TICKETS),
        definition="Now less the creation of the oldest ticket that is open; the stats describe the ages of all.",
        advice="Open the oldest tickets one by one and decide each today: solve, escalate with a date, or close with "
        "an explanation. If p90 is high as well, the queue is worked newest first: turn the sort order round.",
    ),
    Kpi(
        id="backlog_unassigned",
        title="Open tickets without an agent",
        area=Area.TICKETS,
        unit="tickets",
        kind=KpiKind.LEVEL,
        direction="down",
        target=None,
        cuts=rows.ALL_CUTS,
        windows=rows.INSTANT,
        formula=Level(registry.BACKLOG_UNASSIGNED),
        definition="Open tickets that are assigned to no agent.",
        advice="See which group they wait in. If its agents are free, routing rules miss these tickets; if they are "
        "full, assign by hand to the next group or name a dispatcher for the shift.",
    ),
    Kpi(
        id="backlog_unattended",
        title="Open tickets with an unanswered customer",
        area=Area.TICKETS,
        unit="tickets",
        kind=KpiKind.LEVEL,
        direction="down",
        target=None,
        cuts=rows.ALL_CUTS,
        windows=rows.INSTANT,
        formula=Level(registry.BACKLOG_UNATTENDED),
        definition="Open tickets whose last customer message has no public human answer; the text a customer creates "
        "a ticket with counts as one.",
        advice="These customers wait for you now. Work them before anything else, longest wait first, and check that "
        "a customer's reply sets the ticket back to `open` instead of leaving it in `pending`.",
    ),
)

RESPONSE: Final = (
    Kpi(
        id="first_response_time",
        title="First response time",
        area=Area.TICKETS,
        unit="seconds",
        kind=KpiKind.DURATION,
        direction="down",
        target=14_400,
        cuts=rows.AGENT_CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=MeanDuration(registry.FIRST_RESPONSE),
        clock="calendar",
        business_formula=MeanDuration(registry.FIRST_RESPONSE_BUSINESS),
        definition="First public message of a human agent less the start: the creation by a customer, else the first "
        "customer message before that reply, else the creation. Bots, automations, campaigns and private notes do not "
        "count, nor do tickets that an agent created; credited to the sender, in the window of the reply. The settings "
        "definitions.first_response_* choose another start, and what else counts.",
        advice="Compare mean and p90: if only p90 is bad, a few tickets fall through routing (look at unassigned); "
        "if both are, too few agents face the arrivals of that hour or channel. Triage first, solve second: a first "
        "human answer need not be the solution.",
    ),
    Kpi(
        id="open_first_response_age",
        title="Longest wait for a first response",
        area=Area.TICKETS,
        unit="seconds",
        kind=KpiKind.AGE,
        direction="down",
        target=14_400,
        cuts=rows.ALL_CUTS,
        windows=rows.INSTANT,
        formula=OldestAge(registry.UNANSWERED_TICKETS),
        definition="Now less the start of the wait of tickets that have no first response yet: the greatest is the "
        "value, the stats describe all. It shows what the first response time will become.",
        advice="Answer the ticket behind it now, then those above the target. If the number of samples grows too, "
        "arrivals outrun the shift: call in help before the first response time shows it.",
    ),
    Kpi(
        id="next_reply_time",
        title="Next reply time",
        area=Area.TICKETS,
        unit="seconds",
        kind=KpiKind.DURATION,
        direction="down",
        target=28_800,
        cuts=rows.AGENT_CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=MeanDuration(registry.NEXT_REPLY),
        clock="calendar",
        business_formula=MeanDuration(registry.NEXT_REPLY_BUSINESS),
        definition="For each turn of the customer after the first response: the public human reply less the oldest "
        "unanswered customer message. Several messages in a row are one turn; solving ends a turn without a sample; a "
        "bot's answer does not end it.",
        advice="Conversations stall after a good start: sort queues by the oldest unanswered message, not by creation, "
        "and hand over open conversations at the end of a shift.",
    ),
    Kpi(
        id="response_time_compliance",
        title="First responses within the target",
        area=Area.TICKETS,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="up",
        target=0.9,
        cuts=rows.AGENT_CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=Ratio(registry.FIRST_RESPONSE_IN_TARGET, registry.FIRST_RESPONSE),
        definition="First responses within the target of their channel (chat 60 s, voice 20 s, social 1 h, all others "
        "24 h unless set otherwise) / first responses.",
        advice="Find the channel that misses and the hours in which it does; move agents there at those hours. If one "
        "channel misses all day, its target and its staffing do not belong together: change one of them.",
    ),
)

RESOLUTION: Final = (
    Kpi(
        id="resolution_time_first",
        title="Time to first resolution",
        area=Area.TICKETS,
        unit="seconds",
        kind=KpiKind.DURATION,
        direction="down",
        target=86_400,
        cuts=rows.AGENT_CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=MeanDuration(registry.RESOLUTION_FIRST),
        clock="calendar",
        business_formula=MeanDuration(registry.RESOLUTION_FIRST_BUSINESS),
        definition="First solve less the creation, in the window of the solve; credited to the solver.",
        advice="Look at the categories with the greatest p90 and ask what they wait for: knowledge (write it down), a "
        "second level (agree on a time), or the customer (ask for everything in the first reply).",
    ),
    Kpi(
        id="resolution_time_full",
        title="Time to full resolution (MTTR)",
        area=Area.TICKETS,
        unit="seconds",
        kind=KpiKind.DURATION,
        direction="down",
        target=172_800,
        cuts=rows.AGENT_CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=MeanDuration(registry.RESOLUTION_FULL),
        clock="calendar",
        business_formula=MeanDuration(registry.RESOLUTION_FULL_BUSINESS),
        definition="Last solve less the creation; a reopen takes the sample back until the ticket is solved again.",
        advice="Read it next to the time to first resolution. If only the full time grows, solutions do not hold: "
        "review the reopened tickets. If both grow, the work itself takes longer.",
    ),
    Kpi(
        id="reopen_rate",
        title="Reopen rate",
        area=Area.TICKETS,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="down",
        target=0.05,
        cuts=rows.AGENT_CUTS,
        windows=(*rows.TOTAL_WINDOW, *rows.TUMBLING, *rows.MONTH),
        formula=CohortRatio(registry.COHORT_REOPENS, registry.COHORT_SOLVES),
        definition="First solves that were reopened within 7 days / first solves, only of solves at least 7 days old. "
        "A rolling window shows the window of the same length that ended 7 days ago.",
        advice="Read ten reopened tickets of the worst category. Solved too soon: ask for the customer's confirmation "
        "before solving. Same question again: the answer is incomplete, so correct its macro or article.",
    ),
    Kpi(
        id="fcr_provisional",
        title="First-contact resolution (provisional)",
        area=Area.TICKETS,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="up",
        target=0.7,
        cuts=rows.AGENT_CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=Ratio(registry.FCR_FIRST_CONTACT, registry.FCR_SOLVES),
        definition="First solves by a human without a customer message after the first public agent reply, by at most "
        "one handling agent and without a transfer / first solves by a human. Provisional: what happens after the "
        "solve is not yet known. The setting definitions.fcr_rule chooses another rule.",
        advice="See which of the three fails: follow-up questions (answer more completely), a second agent or a "
        "transfer (route by skill at the start, give the first level the rights it lacks).",
    ),
    Kpi(
        id="resolution_rate_flow",
        title="Solved per created",
        area=Area.TICKETS,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="up",
        target=1.0,
        cuts=rows.AGENT_CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=Ratio(registry.FIRST_SOLVES, registry.TICKETS_CREATED, proportion=False),
        definition="First solves in the window / tickets created in the window. Not a share of the same tickets: above "
        "1 while the backlog shrinks, and without an interval. By agent it has no value, as tickets are created for no "
        "agent.",
        advice="Below 1 the backlog grows. If that lasts more than a day, plan hours to bring it back above 1, "
        "starting with the group where the gap is greatest.",
    ),
)
