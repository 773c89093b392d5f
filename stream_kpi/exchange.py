"""The hop to a customer's whole view: what tickets and chats say of themselves, brought to their customers' shards. All
but one thing is for the customer's relationship; whether it is still owed a service level, for its account.

Whatever an entity says replaces what it said before, so that repeats change nothing. What goes to a customer of this
shard is taken in at once, the rest leaves with the flush that holds the state it follows from. An entity has one shard,
and a partition of a topic keeps the order of its writes: which word is the later one needs no number.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

from stream_kpi.customer_words import Word, Words, pack, unpack
from stream_kpi.entities import Entities, Retention, TooLargeError
from stream_kpi.events.partitioner import Partitioner
from stream_kpi.events.records import InputRecord
from stream_kpi.lifecycles.contribution import Contribution
from stream_kpi.lifecycles.customer.events import BreachedTicket
from stream_kpi.lifecycles.facts import Fact
from stream_kpi.lifecycles.relationship import events as relationship_events
from stream_kpi.lifecycles.relationship.events import Withdrawn, chat_word, ticket_word
from stream_kpi.outbox import Outbox

WORDS_PER_RECORD = 100
"""About 100 bytes each, 8 kB with the longest texts: a record stays under what every broker takes."""
STEP_WORDS = 100
"""So many are brought on their way before others may have a turn: 2 ms at most."""

_WORD_OF: dict[str, Callable[[str, Contribution, bool], relationship_events.Word]] = {
    "ticket": ticket_word,
    "chat": chat_word,
}
"""How the kinds of entities that contribute say it."""


class Exchange:
    """Collects what the entities of one shard say to customers, and takes in what is said to its own."""

    def __init__(
        self,
        number: int,
        partitioner: Partitioner,
        entities: Mapping[str, Entities],
        outbox: Outbox,
        retention: Retention | None,
    ) -> None:
        self.facts: list[Fact] = []
        """What customers have passed on; the holder takes them out."""
        self._number = number
        self._partitioner = partitioner
        self._contributing = [(entities[kind], word_of) for kind, word_of in _WORD_OF.items()]
        self._relationships = entities["relationship"]
        self._accounts = entities["customer"]
        self._outbox = outbox
        self._counts: Counter[tuple[str, ...]] = outbox.counts
        self._kept_ms = None if retention is None else retention.open_ms

    def collect(self, reached_ms: int, clock_ms: int) -> Generator[None, None, bool]:
        """Bring everything that has been said since the last call on its way, a step at a time; whether there was
        anything. ``reached_ms`` is the greatest event time of the shard."""
        words: list[tuple[str, Word]] = []
        for entities, word_of in self._contributing:
            yield from entities.pack()
            for said in _words(entities, word_of):
                words.append(said)
                if len(words) % STEP_WORDS == 0:
                    yield
        owner_of = self._partitioner.owner
        elsewhere: dict[int, list[tuple[str, Word]]] = defaultdict(list)
        for place, (customer, word) in enumerate(words):
            owner = owner_of(customer.encode())
            if owner == self._number:
                self._tell(customer, word, clock_ms)
            else:
                elsewhere[owner].append((customer, word))
            if place % STEP_WORDS == 0:
                yield
        for owner, waiting in elsewhere.items():
            for first in range(0, len(waiting), WORDS_PER_RECORD):
                words_of_record = waiting[first : first + WORDS_PER_RECORD]
                self._outbox.contribute(pack(Words(reached_ms, words_of_record)), owner)
                yield
        return bool(words)

    def take(self, records: Sequence[InputRecord], clock_ms: int) -> Generator[None, None, int]:
        """Take in what other shards' entities say, a word at a time: one that is older than many that its customer has
        heard may take a millisecond. The greatest event time that a sender had come to."""
        greatest_ms = 0
        for record in records:
            reached_ms, words = unpack(record.value or b"")
            greatest_ms = max(greatest_ms, reached_ms)
            for customer, word in words:
                self._tell(customer, word, clock_ms)
                yield
        return greatest_ms

    def _tell(self, customer: str, word: Word, clock_ms: int) -> None:
        customers = self._accounts if isinstance(word, BreachedTicket) else self._relationships
        gone = self._kept_ms is not None and word.time_ms + self._kept_ms <= clock_ms
        if gone and customer not in customers:
            self._counts["data_problems", "customer_gone"] += 1
            return
        clock_ms = max(word.time_ms, clock_ms)
        if customers.take_at_rest(customer, word, clock_ms):
            return
        try:
            customers.apply(customers.find(customer), word, clock_ms, self.facts)
        except TooLargeError:
            self._counts["data_problems", "customer_too_large"] += 1


def _words(
    entities: Entities, word_of: Callable[[str, Contribution, bool], relationship_events.Word]
) -> Iterator[tuple[str, Word]]:
    prefix = entities.lifecycle.prefix.decode()
    for key, before, now, gone_ms in entities.take_said():
        origin = prefix + key
        to = None if now is None else _customer_of(origin, now)
        if before is not None:
            former = _customer_of(origin, before)
            if former != to:
                yield former, Withdrawn(before.opened_ms, origin)
        if now is not None and to is not None:
            yield to, word_of(origin, now, gone_ms is not None)
        if (before is not None and before.breaches) or (now is not None and now.breaches):
            yield from _breach_words(origin, before, now, gone_ms)


def _breach_words(
    origin: str, before: Contribution | None, now: Contribution | None, gone_ms: int | None
) -> Iterator[tuple[str, BreachedTicket]]:
    """What the customer's account is told. Nobody known has none."""
    to = None if now is None else now.customer
    if before is not None and before.customer and before.customer != to:
        yield before.customer, BreachedTicket(before.opened_ms, origin, ())
    if now is not None and now.customer:
        breaches = now.breaches
        if gone_ms is not None and len(breaches) % 2:
            breaches += (gone_ms,)  # what is forgotten is not owed
        yield now.customer, BreachedTicket(now.opened_ms, origin, breaches, gone_ms is not None)


def _customer_of(origin: str, contribution: Contribution) -> str:
    """Nobody known is a customer of its own, under a name that no other has."""
    return contribution.customer or f"\0{origin}"
