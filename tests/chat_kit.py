"""What the tests of the chat lifecycle share: one chat, and the facts that stand after what befell it."""

from __future__ import annotations

from collections import Counter
from functools import partial

from stream_kpi.lifecycles.chat.events import Accepted, AgentWrote, ChatEvent, CustomerWrote, Ended, Left, Queued
from stream_kpi.lifecycles.chat.fold import ChatFold
from stream_kpi.lifecycles.entity import Entity
from stream_kpi.lifecycles.facts import CutSets, Fact, spelled_out
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures.registry import BY_NUMBER, SLOTS_PER_MEASURE

T = 1_700_000_000_000
S = 1_000
X = 60 * S


class Chat:
    """A chat under test, queued at T."""

    def __init__(self, options: Options | None = None, channel: str = "chat") -> None:
        self.cut_sets = CutSets()
        self.entity = Entity(partial(ChatFold, self.cut_sets, options or Options()))
        self.facts: list[Fact] = []
        self.problems: list[str] = []
        self.add(Queued(T, "q", "sales", channel, "high", None, None))

    def add(self, event: ChatEvent, clock_ms: int = 0) -> None:
        self.facts += self.entity.apply(event, max(event.time_ms, clock_ms, self.entity.clock_ms)) or []
        self.problems += self.entity.take_problems()

    def advance(self, clock_ms: int) -> None:
        self.facts += self.entity.advance(clock_ms)

    def accept(self, after_ms: int, agent_id: str = "ann", queue: str | None = None) -> None:
        self.add(Accepted(T + after_ms, f"a{after_ms}", agent_id, queue))

    def leave(self, after_ms: int, reason: str) -> None:
        self.add(Left(T + after_ms, f"l{after_ms}", reason))

    def end(self, after_ms: int, by: str = "agent", after_work_ms: int = 0) -> None:
        self.add(Ended(T + after_ms, f"e{after_ms}", by, after_work_ms))

    def customer_wrote(self, after_ms: int) -> None:
        self.add(CustomerWrote(T + after_ms, f"c{after_ms}"))

    def agent_wrote(self, after_ms: int) -> None:
        self.add(AgentWrote(T + after_ms, f"m{after_ms}"))

    def rows(self, cut: tuple[str, ...] = ()) -> dict[str, list[tuple[int, int]]]:
        """Of each measure the facts of a cut that stand: (milliseconds after T, value); levels as + and -."""
        standing: Counter[tuple[str, int, int]] = Counter()
        for slot, time_ms, cuts, value, sign in spelled_out(self.facts):
            if cut in self.cut_sets.cuts_of(cuts):
                standing[BY_NUMBER[slot // SLOTS_PER_MEASURE].name, time_ms - T, value] += sign
        rows: dict[str, list[tuple[int, int]]] = {}
        for (name, time_ms, value), n in sorted(standing.items()):
            if n:
                rows.setdefault(name, []).append((time_ms, value * n))
        return rows

    def measure(self, name: str, cut: tuple[str, ...] = ()) -> list[tuple[int, int]]:
        return self.rows(cut).get(name, [])
