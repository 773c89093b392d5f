# ruff: noqa: ARG002, FBT001, FBT002, PLE0303 - the signatures are Faust's, and nothing is held under keys
"""``kpi-state://``: what Faust takes for the tables' store. The state itself lives in the shards.

Faust's own recovery fails open (docs/decisions/0003), so the store says that everything is persisted already, and
refuses reads and writes by key: the only way into the state is a shard, the only way out a flush.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

from faust.stores.base import Store as FaustStore
from faust.types import TP, EventT

EVERYTHING = 2**62
"""An offset past every log's end."""


class Store(FaustStore[bytes, bytes]):
    """A store that has nothing to recover and holds nothing under keys. Every access by key raises TypeError."""

    def persisted_offset(self, tp: TP) -> int:
        """Past the end: Faust has nothing to replay."""
        return EVERYTHING

    def apply_changelog_batch(
        self, batch: Iterable[EventT[Any]], to_key: Callable[[Any], bytes], to_value: Callable[[Any], bytes]
    ) -> None:
        """Faust flushes its (empty) buffers through this."""
        if any(True for _ in batch):
            self._refuse()

    def reset_state(self) -> None:
        """There is nothing on disk."""

    async def backup_partition(
        self,
        tp: TP | int,
        flush: bool = True,
        purge: bool = False,
        keep: int = 1,
    ) -> None:
        """There is nothing on disk."""

    def restore_backup(self, tp: TP | int, latest: bool = True, backup_id: int = 0) -> None:
        """There is nothing on disk."""

    def _refuse(self) -> NoReturn:
        raise TypeError(f"table {self.table_name} is read and written by its shards only, not by key")

    def __getitem__(self, key: bytes) -> bytes:
        self._refuse()

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._refuse()

    def __delitem__(self, key: bytes) -> None:
        self._refuse()

    def __iter__(self) -> Iterator[bytes]:
        self._refuse()

    def __len__(self) -> int:
        self._refuse()
