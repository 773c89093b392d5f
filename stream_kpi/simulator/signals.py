"""Business signals: visits and what they lead to, activity, mentions, surveys of customers, costs."""

from __future__ import annotations

from functools import partial

from stream_kpi.events.topics import TopicKind
from stream_kpi.simulator.billing import ACQUISITION, PLAN_WEIGHTS
from stream_kpi.simulator.opinion import SCALES
from stream_kpi.simulator.world import World, rfc3339

MINUTE_MS = 60_000
DAY_MS = 86_400_000
GOALS = {"signup": 55.0, "demo_request": 25.0, "purchase": 20.0}
ACTIONS = {"login": 60.0, "create_project": 16.0, "invite": 9.0, "export": 15.0}
NETWORKS = {"x": 48.0, "reddit": 22.0, "facebook": 18.0, "linkedin": 12.0}
SENTIMENTS = {"positive": 27.0, "neutral": 49.0, "negative": 24.0}
SURVEYS_PER_DAY = 40
SURVEY_KINDS = {"nps": 60.0, "csat": 25.0, "ces": 15.0}
HOURLY_PAY_MINOR = 2_900
ADVERTISING_PER_DAY_MINOR = 64_000


class Signals:
    """Everything around the support team."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._plans: dict[str, str] = {}
        """Of each user."""

    def start(self) -> None:
        """From now on, things happen."""
        world, team = self._world, self._world.team
        world.arrivals(team.visits_per_day, self._visit)
        world.arrivals(team.visits_per_day / 2, self._act)
        world.arrivals(team.mentions_per_day, self._mention)
        world.arrivals(SURVEYS_PER_DAY, self._survey)
        self._record_costs()

    def _visit(self) -> None:
        world = self._world
        visitor_id, channel = world.entity_id("V"), world.choose(ACQUISITION)
        self._come(visitor_id, channel)
        if world.chance(0.06):
            world.after(world.span_ms(5 * MINUTE_MS), partial(self._convert, visitor_id, channel))
        if world.chance(0.35):
            world.after(world.span_ms(2 * MINUTE_MS), partial(self._perform, self._user(), visitor_id))
        if world.chance(0.15):
            world.after(world.span_ms(6 * MINUTE_MS), partial(self._come, visitor_id, channel))
        if world.chance(0.1):
            world.after(world.span_ms(DAY_MS), partial(self._come, visitor_id, world.choose(ACQUISITION)))

    def _come(self, visitor_id: str, channel: str) -> None:
        self._emit("visit.started", visitor_id, visitor_id=visitor_id, channel=channel)

    def _convert(self, visitor_id: str, channel: str) -> None:
        world = self._world
        goal = world.choose(GOALS)
        self._emit("conversion.completed", visitor_id, visitor_id=visitor_id, goal=goal, channel=channel)
        if goal != "signup":
            return
        user_id = world.entity_id("U")
        self._emit("signup.completed", user_id, user_id=user_id, channel=channel, plan=self._plan(user_id))
        for _ in range(world.random.randrange(4)):
            world.after(world.span_ms(40 * MINUTE_MS, 1.0), partial(self._perform, user_id, visitor_id))

    def _act(self) -> None:
        self._perform(self._user())

    def _user(self) -> str:
        return f"U-{int(2_000 * self._world.random.random() ** 2)}"

    def _plan(self, user_id: str) -> str:
        if user_id not in self._plans:
            self._plans[user_id] = self._world.choose(PLAN_WEIGHTS)
        return self._plans[user_id]

    def _perform(self, user_id: str, visitor_id: str | None = None) -> None:
        done: dict[str, object] = {"action": self._world.choose(ACTIONS), "plan": self._plan(user_id)}
        if visitor_id is not None:
            done["visitor_id"] = visitor_id
        self._emit("activity.performed", user_id, user_id=user_id, **done)

    def _mention(self) -> None:
        world = self._world
        mention, network = world.entity_id("M"), world.choose(NETWORKS)
        sentiment = world.choose(SENTIMENTS)
        self._emit("social.mention", mention, network=network, sentiment=sentiment, author_id=world.entity_id("P"))
        if world.chance(0.8 if sentiment == "negative" else 0.4):
            world.after(world.work_ms(35 * MINUTE_MS, 0.9), partial(self._reply, mention, network))

    def _reply(self, mention: str, network: str) -> None:
        agent_id = f"a{100 + self._world.random.randrange(8)}"
        self._emit("social.replied", mention, mention=mention, agent_id=agent_id, network=network)

    def _survey(self) -> None:
        world = self._world
        customer_id, kind = world.customer(), world.choose(SURVEY_KINDS)
        survey_id = f"{customer_id}-{kind}-{world.now_ms // 1000}"
        asked = {"survey_id": survey_id, "kind": kind, "customer_id": customer_id, "channel": "email"}
        if kind != "nps":
            asked["category"] = world.choose(world.team.groups["general"])
        self._emit("survey.sent", customer_id, **asked)
        if not world.chance(0.35):
            return
        delay_ms = world.span_ms(90 * MINUTE_MS, 1.0)
        world.after(delay_ms, partial(self._answer, asked))
        if world.chance(0.04):
            world.after(delay_ms + world.span_ms(2 * 60 * MINUTE_MS), partial(self._answer, asked))

    def _answer(self, asked: dict[str, str]) -> None:
        scale_min, scale_max = SCALES[asked["kind"]]
        satisfaction = min(max(self._world.random.gauss(0.78, 0.22), 0.0), 1.0)
        score = round(scale_min + satisfaction * (scale_max - scale_min))
        answer = {"score": score, "scale_min": scale_min, "scale_max": scale_max}
        self._emit("survey.answered", asked["customer_id"], **asked, **answer)

    def _record_costs(self) -> None:
        """Once a day, for the day that follows."""
        world, team = self._world, self._world.team
        hours = 8 * (team.desk_agents + team.chat_agents + team.phone_agents)
        period = {"period_start": rfc3339(world.now_ms), "period_end": rfc3339(world.now_ms + DAY_MS)}
        costs = {"support": HOURLY_PAY_MINOR * hours, "acquisition": ADVERTISING_PER_DAY_MINOR}
        for kind, amount in costs.items():
            self._emit("cost.recorded", world.entity_id("K"), kind=kind, amount=amount, currency="EUR", **period)
        world.after(DAY_MS, self._record_costs)

    def _emit(self, event_type: str, subject: str, **data: object) -> None:
        self._world.emit(TopicKind.SIGNAL, event_type, subject, data)
