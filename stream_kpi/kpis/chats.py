"""Rows about chats and calls: queue, abandonment, answer, handling (pure)."""

from __future__ import annotations

from typing import Final

from stream_kpi.kpis import rows
from stream_kpi.kpis.formulas import Count, CountOfAll, MeanDuration, Ratio
from stream_kpi.kpis.levels import Level, OldestAge
from stream_kpi.kpis.rows import Area, Kpi, KpiKind
from stream_kpi.kpis.service_levels import SERVICE_LEVELS
from stream_kpi.kpis.staffing import AgentsRequired
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures import registry

QUEUE: Final = (
    Kpi(
        id="chat_volume",
        title="Chats and calls queued",
        area=Area.CHATS,
        unit="count",
        kind=KpiKind.COUNT,
        direction="none",
        target=None,
        cuts=rows.ALL_CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=Count(registry.CHATS_QUEUED),
        definition="Chats and calls that were queued in the window.",
        advice="Compare with the same hour of last week. If it is above the plan, extend shifts or offer callbacks "
        "before the queue grows; if it falls to nothing, check that the chat widget and the trunk still work.",
    ),
    Kpi(
        id="queue_length",
        title="Chats and calls waiting",
        area=Area.CHATS,
        unit="count",
        kind=KpiKind.LEVEL,
        direction="down",
        target=None,
        cuts=rows.ALL_CUTS,
        windows=rows.INSTANT,
        formula=Level(registry.QUEUE_LENGTH),
        definition="Chats and calls that are queued and neither accepted nor left, now.",
        advice="Ask agents in after-call work and breaks back in, raise the number of simultaneous chats by one, and "
        "offer a callback. If agents are free while customers wait, a queue lacks the agents' skill: fix the routing.",
    ),
    Kpi(
        id="longest_wait",
        title="Longest wait in the queue",
        area=Area.CHATS,
        unit="seconds",
        kind=KpiKind.AGE,
        direction="down",
        target=120,
        cuts=rows.ALL_CUTS,
        windows=rows.INSTANT,
        formula=OldestAge(registry.WAITING_CHATS),
        definition="Now less the queueing of the chat or call that has waited longest; the stats describe all waits.",
        advice="Take the contact behind it first. One old contact in a short queue is stuck (a queue nobody is logged "
        "in to); many are a lack of agents.",
    ),
    Kpi(
        id="chat_abandonment_rate",
        title="Abandonment rate",
        area=Area.CHATS,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="down",
        target=0.05,
        cuts=rows.ALL_CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=Ratio(registry.CHAT_ABANDONS, registry.CHAT_OUTCOMES),
        definition="Left as abandoned or timed out without an agent, after 5 s or more / (accepted + left, without "
        "short abandons and blocked). Callbacks, flow-outs and voicemails are no abandons but count below the line.",
        advice="Look at when they leave (abandon time): soon after the greeting means that the announcement or the "
        "expected wait puts them off; late means too few agents in that half hour.",
    ),
    Kpi(
        id="chat_missed",
        title="Missed chats and calls",
        area=Area.CHATS,
        unit="count",
        kind=KpiKind.COUNT,
        direction="down",
        target=None,
        cuts=rows.AGENT_CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=CountOfAll(
            (
                registry.CHATS_ABANDONED_IN_TARGET,
                registry.CHATS_ABANDONED_LATE,
                registry.CHATS_FLOWED_OUT_IN_TARGET,
                registry.CHATS_FLOWED_OUT_LATE,
            )
        ),
        definition="Left the queue without an agent, whatever the reason and however soon, unless blocked. An end "
        "before an accept is a leave.",
        advice="Call back whoever left a number, today. If most leave out of hours, show the hours or switch the "
        "widget off then; if most are callbacks and voicemails, see that somebody works through them.",
    ),
    Kpi(
        id="chat_dropped",
        title="Dropped chats",
        area=Area.CHATS,
        unit="count",
        kind=KpiKind.COUNT,
        direction="down",
        target=None,
        cuts=rows.AGENT_CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=Count(registry.CHATS_DROPPED),
        definition="Accepted, but ended on a customer's message that no agent had answered; credited to the last "
        "agent. While a chat has not ended, 120 s without a message after an unanswered one count as its end, until "
        "someone writes.",
        advice="Open the transcripts: these customers were talking to you and were left. If they pile up on some "
        "agents, those have more simultaneous chats than they can follow, so lower their capacity by one.",
    ),
)

SERVICE: Final = (
    Kpi(
        id="answer_time",
        title="Average speed of answer (ASA)",
        area=Area.CHATS,
        unit="seconds",
        kind=KpiKind.DURATION,
        direction="down",
        target=30,
        cuts=rows.AGENT_CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=MeanDuration(registry.ANSWER_TIME),
        definition="Accepted less queued, of the contacts accepted in the window.",
        advice="Put agents where the arrivals are: compare chats queued with agents present by half hour. If p99 is "
        "far above the mean, some contacts skip or are passed over; look at transfers and priorities of the queue.",
    ),
    Kpi(
        id="abandon_time",
        title="Time to abandon",
        area=Area.CHATS,
        unit="seconds",
        kind=KpiKind.DURATION,
        direction="none",
        target=None,
        cuts=rows.AGENT_CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=MeanDuration(registry.ABANDON_TIME),
        definition="Left less queued, of the contacts that were abandoned in the window: that left without an agent as "
        "abandoned or timeout, and no sooner than a short abandon.",
        advice="It is your customers' patience. Set the service level's target below its median, and offer a callback "
        "before it is reached.",
    ),
    Kpi(
        id="service_level",
        title="Service level",
        area=Area.CHATS,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="up",
        target=0.8,
        cuts=rows.ALL_CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=SERVICE_LEVELS[Options().service_level],
        definition="Answered within X / (answered + abandoned, short abandons left out, + still waiting past X), X by "
        "channel: voice 20 s, all others 60 s. Passing X decides a miss at once; leaving as callback, flow-out, "
        "voicemail or blocked takes it back. The setting definitions.service_level chooses another's definition; "
        "`stream-kpi compute --preset` shows several side by side.",
        advice="Act inside the half hour: release agents from back-office work and breaks. If the same half hours miss "
        "every day, the plan is short there; move shifts rather than hire.",
    ),
    Kpi(
        id="handle_time",
        title="Average handle time (AHT)",
        area=Area.CHATS,
        unit="seconds",
        kind=KpiKind.DURATION,
        direction="down",
        target=480,
        cuts=rows.AGENT_CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=MeanDuration(registry.HANDLE_TIME),
        definition="First accept to end plus after-call work, hold included; credited to the last agent.",
        advice="Never press agents on the mean. See whether one category or one tool makes contacts long (hold, "
        "look-ups, after-call forms) and shorten that; a falling handle time with rising reopens is no gain.",
    ),
    Kpi(
        id="chat_duration",
        title="Chat and call duration",
        area=Area.CHATS,
        unit="seconds",
        kind=KpiKind.DURATION,
        direction="down",
        target=900,
        cuts=rows.AGENT_CUTS,
        windows=rows.FLOW_WINDOWS,
        formula=MeanDuration(registry.CHAT_DURATION),
        definition="Ended less queued, of the contacts that ended in the window, wait included; credited to the last "
        "agent, if there was one.",
        advice="It is what the customer spends. Compare it with handle time: where the difference is large they wait, "
        "so add agents; where both are, give agents ready answers for the category's commonest questions.",
    ),
)

STAFFING: Final = (
    Kpi(
        id="agents_required",
        title="Agents required and present",
        area=Area.CHATS,
        unit="agents",
        kind=KpiKind.LEVEL,
        direction="none",
        target=None,
        cuts=(rows.TOTAL_CUT, "group"),
        windows=rows.INSTANT,
        formula=AgentsRequired(Options().staffing_target, Options().staffing_patience_ms),
        definition="Class required: the fewest agents, one contact at a time, with whom 80 % of arrivals (the setting "
        "definitions.staffing_target) are answered within X, the mean of their channels', at the arrival rate and the "
        "handle time of the trailing 30 min: Erlang C, or Erlang A where the setting definitions.staffing_patience_s "
        "says how long customers wait. Class present: agents available or busy now. The total is one pool for all "
        "queues.",
        advice="Where fewer are present than required, bring that many to the queue before the next half hour; where "
        "an agent takes several chats at once, divide what is required by how many. If that cannot be had, lower the "
        "load: offer callbacks and ready answers.",
    ),
)
