"""A simulation: the same seed, start and team always give the same events."""

from __future__ import annotations

from collections.abc import Iterator

from stream_kpi.simulator.billing import Billing
from stream_kpi.simulator.desk import Desk
from stream_kpi.simulator.floor import Floor
from stream_kpi.simulator.signals import Signals
from stream_kpi.simulator.team import Team
from stream_kpi.simulator.world import SimulatedEvent, World


class Simulation:
    """A support team at work from ``start_ms`` on.

    It begins with empty queues, and with the existing subscriptions stated in the first seconds, effective when they
    began.
    """

    def __init__(self, seed: int, start_ms: int, team: Team | None = None) -> None:
        self._world = World(seed, start_ms, team or Team())
        desk = Desk(self._world)
        Billing(self._world).start()
        desk.start()
        Floor(self._world, desk.leave_ticket).start()
        Signals(self._world).start()

    def events_until(self, time_ms: int) -> Iterator[SimulatedEvent]:
        """The events before ``time_ms`` that have not been given yet, in order of time.

        Asking again with a later time goes on where this stopped, also when the iterator was not used up.
        """
        outbox = self._world.outbox
        while True:
            while outbox and outbox[0].time_ms < time_ms:
                yield outbox.popleft()
            if not self._world.step(time_ms):
                return

    def slow_down(self, factor: float) -> None:
        """From now on, agents' work takes ``factor`` times as long as usual (1 = as usual).

        Raises ValueError unless it is positive.
        """
        if factor <= 0:
            raise ValueError(f"factor must be > 0, not {factor}")
        self._world.work_factor = factor
