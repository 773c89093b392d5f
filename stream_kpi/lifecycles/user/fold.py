"""The user lifecycle: who was active in the trailing day, week and month, and which sign-ups came to use the product
(kpis.md, Engagement)."""

from __future__ import annotations

from typing import Final

import msgspec

from stream_kpi.lifecycles.facts import CutSets
from stream_kpi.lifecycles.fold import Fold
from stream_kpi.lifecycles.history import NEVER_MS, HistoryEvent
from stream_kpi.lifecycles.options import Options
from stream_kpi.lifecycles.thinning import Thinning
from stream_kpi.lifecycles.user.events import Performed, SignedUp, UserEvent
from stream_kpi.measures import registry

DAY_MS: Final = 86_400_000
NOT_ACTIVE_DUE: Final = 0
"""Due moment: the latest activity is a day, a week, a month old."""
ACTIVATION_DUE: Final = 1
"""Due moment: the time in which a sign-up is to be activated has passed."""

ACTIVE: Final = (
    (registry.DAILY_ACTIVE_USERS.slot, DAY_MS),
    (registry.WEEKLY_ACTIVE_USERS.slot, 7 * DAY_MS),
    (registry.MONTHLY_ACTIVE_USERS.slot, 30 * DAY_MS),
)
"""How long after an activity a user is active, ascending: until then, that moment excluded."""
SIGNUPS_SLOT: Final = registry.COHORT_SIGNUPS.slot
ACTIVATED_SLOT: Final = registry.COHORT_ACTIVATED.slot


class _Active:
    """Where a user stands in the levels of one cut."""

    __slots__ = ("cuts", "latest_ms", "left")

    def __init__(self, cuts: int) -> None:
        self.cuts = cuts
        self.latest_ms = -NEVER_MS
        self.left = len(ACTIVE)
        """How many of the levels it has left, or not joined: the shorter ones first."""

    def due_ms(self) -> int:
        """When it leaves the next level."""
        return self.latest_ms + ACTIVE[self.left][1] if self.left < len(ACTIVE) else NEVER_MS


class UserFold(Fold):
    """One user. By plan, a user counts under each plan that an activity of the trailing time names."""

    __slots__ = ("_actions", "_activated", "_active", "_options", "_signed_up")

    history_decoder = msgspec.msgpack.Decoder(list[UserEvent])

    def __init__(self, cut_sets: CutSets, options: Options) -> None:
        super().__init__(cut_sets)
        self.voided = False
        self._options = options
        self._active: dict[int, _Active] = {}
        """By cuts: the total's, and each plan's."""
        self._actions: dict[tuple[str | None, bool], Thinning] = {}
        """By plan and whether the action activates."""
        self._signed_up: SignedUp | None = None
        self._activated = False

    @property
    def closed(self) -> bool:
        """Always: it stays for its due moments, and who has left all levels comes back as anybody comes."""
        return True

    def on_event(self, event: HistoryEvent) -> None:
        """Apply the next event."""
        if isinstance(event, Performed):
            self._on_activity(event)
        elif isinstance(event, SignedUp):
            self._on_signup(event)

    def on_due(self, kind: int, due_ms: int) -> None:
        """Leave the levels whose time has passed, or decide whether the sign-up was activated."""
        if kind == ACTIVATION_DUE:
            self._decide_activation()
            return
        for active in self._active.values():
            if active.due_ms() <= due_ms:
                self.leave(ACTIVE[active.left][0], due_ms, active.cuts)
                active.left += 1
        next_ms = min(active.due_ms() for active in self._active.values())
        if next_ms < NEVER_MS:
            self.schedule(next_ms, NOT_ACTIVE_DUE)

    def _on_activity(self, event: Performed) -> None:
        time_ms, plan = event.time_ms, event.plan
        activates = event.action == self._options.activation_action
        if activates and self._signed_up is not None:
            self._activated = True
        for cuts in (self.cut_sets.total, self.cut_sets.only("plan", plan)):
            active = self._active.get(cuts)
            if active is None:
                active = self._active[cuts] = _Active(cuts)
            for slot, _ in ACTIVE[: active.left]:
                self.join(slot, time_ms, cuts)
            active.latest_ms, active.left = time_ms, 0
        actives = self._active.values()
        next_ms = time_ms + ACTIVE[0][1] if len(actives) == 2 else min(active.due_ms() for active in actives)
        self.schedule(next_ms, NOT_ACTIVE_DUE)
        thinning = self._actions.get((plan, activates))
        if thinning is None:
            # The shortest of all that an activity is looked for in.
            thinning = self._actions[plan, activates] = Thinning(min(DAY_MS, self._options.activation_window_ms))
        self.spent += thinning.replaced_by(event)

    def _on_signup(self, event: SignedUp) -> None:
        if self._signed_up is not None:
            self.note_problem("second_signup")
            return
        self._signed_up = event
        if self._options.activation_action:
            self.schedule(event.time_ms + self._options.activation_window_ms, ACTIVATION_DUE)

    def _decide_activation(self) -> None:
        signed_up = self._signed_up
        if signed_up is None:
            return
        cut_sets = self.cut_sets
        total_and_channel = cut_sets.joined(cut_sets.total, cut_sets.only("channel", signed_up.channel))
        cuts = cut_sets.pair(total_and_channel, cut_sets.only("plan", signed_up.plan))
        self.emit(SIGNUPS_SLOT, signed_up.time_ms, cuts)
        if self._activated:
            self.emit(ACTIVATED_SLOT, signed_up.time_ms, cuts)
