"""The service levels of one ticket or chat: facts, due moments and transitions of its instances, one a metric.

What starts, fulfils, pauses and cancels them is the lifecycle's to say.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from stream_kpi.lifecycles.facts import Fact
from stream_kpi.lifecycles.fold import Fold
from stream_kpi.lifecycles.sla.instance import Instance
from stream_kpi.lifecycles.sla.policy import METRICS, MINUTE_MS, Clock, Policies, Policy
from stream_kpi.lifecycles.sla.promise import Promise
from stream_kpi.lifecycles.sla.transition import Name, Transition
from stream_kpi.measures import registry

SLA_DUE: Final = 200
"""Due moments from this kind on are those of the metrics, in their order: when an instance comes within a horizon, or
reaches its deadline."""
_KINDS: Final = {metric: SLA_DUE + place for place, metric in enumerate(METRICS)}

MET_SLOT: Final = registry.SLA_MET.slot
BREACHED_SLOT: Final = registry.SLA_BREACHED.slot
BREACH_SIZE_SLOT: Final = registry.SLA_BREACH_SIZE.slot
AT_RISK_SLOT: Final = registry.SLA_AT_RISK.slot
"""At risk at all; within a horizon: this plus its minutes."""
DEADLINES_SLOT: Final = registry.SLA_DEADLINES.slot
RUNNING_SLOT: Final = registry.SLA_RUNNING.slot

Places = tuple[tuple[int, int, int], ...]
"""Levels and sets: slot, cuts, value."""


class Terms(NamedTuple):
    """What the ticket or chat is now: whatever decides its targets, and the cuts in which they count."""

    policy: Policy | None
    priority: str | None
    cuts: int
    """The standard cuts."""
    agent: str | None
    """Who is credited with what is missed or at risk."""
    hours: Clock
    """The schedules that have applied to it."""

    def clock_of(self, policy: Policy) -> Clock:
        """What counts the time of a policy's targets."""
        return self.hours if policy.schedule is None else policy.schedule


class Agreements:
    """Instances by metric. Times are epoch milliseconds and never go back; each call says what is from then on."""

    __slots__ = ("_last_started", "breaches", "instances", "policies", "terms")

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        self.terms: Terms
        """To be set before anything else; :meth:`settle` after each change."""
        self.instances: dict[str, Instance] = {}
        self.breaches: tuple[int, ...] = ()
        """When there began and ceased to be a missed instance that has not ended, in turn."""
        self._last_started: dict[str, tuple[int, int]] = {}

    def memberships(self) -> list[Fact]:
        """The facts by which the instances stand in the set of deadlines."""
        return [
            (slot, value, cuts, value, 1)
            for instance in self.instances.values()
            for slot, cuts, value in instance.shown
            if slot == DEADLINES_SLOT
        ]

    def promises(self) -> list[Promise]:
        """The instances whose clocks run towards a deadline, or past it."""
        return [
            Promise(
                metric,
                instance.policy.name,
                self.terms.priority,
                instance.target_ms,
                instance.deadline_ms,
                self.terms.cuts,
            )
            for metric, instance in self.instances.items()
            if instance.policy is not None and instance.since_ms is not None and instance.deadline_ms is not None
        ]

    def start(self, fold: Fold, metric: str, time_ms: int) -> None:
        """The metric runs, unless it does already."""
        if metric not in self.policies.metrics or metric in self.instances:
            return
        last_ms, nth = self._last_started.get(metric, (None, -1))
        nth = nth + 1 if last_ms == time_ms else 0
        self._last_started[metric] = (time_ms, nth)
        self.instances[metric] = Instance(time_ms, nth)
        self._settle(fold, metric, time_ms)

    def hold(self, fold: Fold, metric: str, time_ms: int, *, paused: bool) -> None:
        """The metric's clock stands, or runs, if the metric does."""
        instance = self.instances.get(metric)
        if instance is None or paused is (instance.since_ms is None):
            return
        terms = self.terms
        clock = terms.hours if instance.policy is None else terms.clock_of(instance.policy)
        if paused:
            instance.stop(time_ms, clock)
        else:
            instance.go_on(time_ms, clock)
        self._tell(fold, metric, instance, "paused" if paused else "resumed", time_ms)
        self._plan(fold, metric, time_ms)

    def settle(self, fold: Fold, time_ms: int) -> None:
        """The terms have changed: new targets count from the original starts; what was missed stays so."""
        for metric in self.instances:
            self._settle(fold, metric, time_ms)

    def fulfil(self, fold: Fold, metric: str, time_ms: int, agent: str | None) -> None:
        """What was promised is done, in time if the target has not been missed; that credits an agent."""
        instance = self._end(fold, metric, time_ms)
        policy = None if instance is None else instance.policy
        if instance is None or policy is None:
            return
        late_by_ms = None
        if instance.breach is None:
            fold.emit(MET_SLOT, time_ms, self._cuts(fold, instance, agent))
        else:
            late_by_ms = instance.exceeded_by_ms(time_ms, self.terms.clock_of(policy))
            fold.emit(BREACH_SIZE_SLOT, *instance.breach, late_by_ms)
        self._tell(fold, metric, instance, "fulfilled", time_ms, late_by_ms=late_by_ms)

    def cancel(self, fold: Fold, metric: str, time_ms: int) -> None:
        """The metric does not run any more, and nothing was done. A breach stays one."""
        instance = self._end(fold, metric, time_ms)
        if instance is not None:
            self._tell(fold, metric, instance, "cancelled", time_ms)

    def cancel_all(self, fold: Fold, time_ms: int) -> None:
        """Nothing is promised to what is nobody's business."""
        for metric in tuple(self.instances):
            self.cancel(fold, metric, time_ms)

    def on_due(self, fold: Fold, kind: int, due_ms: int) -> None:
        """An instance comes within a horizon, or reaches its deadline."""
        metric = METRICS[kind - SLA_DUE]
        instance = self.instances[metric]
        policy, deadline_ms = instance.policy, instance.deadline_ms
        if policy is None or deadline_ms is None:
            return
        if deadline_ms <= due_ms:
            instance.breach = (due_ms, self._cuts(fold, instance, self.terms.agent))
            fold.emit(BREACHED_SLOT, *instance.breach)
            if len(self.breaches) % 2 == 0:
                self.breaches += (due_ms,)
            self._tell(fold, metric, instance, "breached", due_ms)
        else:
            for minutes in policy.horizon_minutes:
                if deadline_ms - minutes * MINUTE_MS <= due_ms and minutes not in instance.entered:
                    instance.entered += (minutes,)
                    self._tell(fold, metric, instance, "at_risk", due_ms, horizon_minutes=minutes)
        self._plan(fold, metric, due_ms)

    def _settle(self, fold: Fold, metric: str, time_ms: int) -> None:
        instance, terms = self.instances[metric], self.terms
        policy = terms.policy
        target_ms = None if policy is None else policy.target_ms(metric, terms.priority)
        if instance.breach is None:
            before = instance.policy, instance.target_ms, instance.deadline_ms
            if policy is not None and target_ms is not None:
                if before[:2] != (policy, target_ms) or policy.schedule is None:
                    self._promise(fold, metric, instance, policy, target_ms)
                if before[0] is None:
                    self._tell(fold, metric, instance, "started", time_ms)
                elif before != (instance.policy, instance.target_ms, instance.deadline_ms):
                    self._tell(fold, metric, instance, "retargeted", time_ms)
            elif instance.policy is not None:
                self._tell(fold, metric, instance, "cancelled", time_ms)
                instance.release()
        self._plan(fold, metric, time_ms)

    def _end(self, fold: Fold, metric: str, time_ms: int) -> Instance | None:
        instance = self.instances.pop(metric, None)
        if instance is not None:
            fold.cancel(_KINDS[metric])
            _show(fold, instance, time_ms, ())
            if instance.breach is not None and all(other.breach is None for other in self.instances.values()):
                self.breaches += (time_ms,)
        return instance

    def _plan(self, fold: Fold, metric: str, time_ms: int) -> None:
        """Ask for the next moment of an instance, and state where it stands."""
        instance = self.instances[metric]
        policy, deadline_ms = instance.policy, instance.deadline_ms
        if policy is None or instance.breach is not None or deadline_ms is None:
            fold.cancel(_KINDS[metric])
            _show(fold, instance, time_ms, ())
            return
        horizons, entered = policy.horizon_minutes, instance.entered
        if entered:
            instance.entered = entered = tuple(
                [h for h in entered if deadline_ms - (h * MINUTE_MS if h in horizons else 0) <= time_ms]
            )
        next_ms = deadline_ms
        for minutes in horizons:  # the longest comes first
            if minutes not in entered:
                next_ms = deadline_ms - minutes * MINUTE_MS
                break
        # What is due already comes after whatever else happens at this instant.
        fold.schedule(max(next_ms, time_ms), _KINDS[metric])
        cuts = self._cuts(fold, instance, self.terms.agent)
        standing: Places = ((RUNNING_SLOT, cuts, 1), (DEADLINES_SLOT, cuts, deadline_ms))
        if entered:
            standing += ((AT_RISK_SLOT, cuts, 1), *[(AT_RISK_SLOT + h, cuts, 1) for h in entered])
        _show(fold, instance, time_ms, standing)

    def _promise(self, fold: Fold, metric: str, instance: Instance, policy: Policy, target_ms: int) -> None:
        if instance.policy is not policy:
            cut_sets = fold.cut_sets
            instance.promise_cuts = cut_sets.joined(
                cut_sets.only("policy", policy.name), cut_sets.only("metric", metric)
            )
        instance.promise(policy, target_ms, self.terms.clock_of(policy))

    def _cuts(self, fold: Fold, instance: Instance, agent: str | None) -> int:
        cut_sets = fold.cut_sets
        return cut_sets.credited(cut_sets.joined(self.terms.cuts, instance.promise_cuts), agent)

    def _tell(
        self,
        fold: Fold,
        metric: str,
        instance: Instance,
        name: Name,
        time_ms: int,
        *,
        horizon_minutes: int | None = None,
        late_by_ms: int | None = None,
    ) -> None:
        policy = instance.policy
        if policy is None:
            return
        ordinal = instance.ordinals.get((name, horizon_minutes), 0) + 1
        instance.ordinals[name, horizon_minutes] = ordinal
        fold.transitions += (
            Transition(
                time_ms,
                name,
                metric,
                policy.name,
                self.terms.priority,
                instance.started_ms,
                instance.nth,
                ordinal,
                instance.deadline_ms,
                horizon_minutes,
                late_by_ms,
            ),
        )


def _show(fold: Fold, instance: Instance, time_ms: int, standing: Places) -> None:
    """State that the instance stands in these levels and sets from now on, and in no others."""
    shown = instance.shown
    if standing == shown:
        return
    facts = fold.facts
    for place in shown:
        if place not in standing:
            facts.append((place[0], time_ms, place[1], place[2], -1))
    for place in standing:
        if place not in shown:
            facts.append((place[0], time_ms, place[1], place[2], 1))
    instance.shown = standing
