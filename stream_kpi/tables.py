"""Tables of the settings' TOML file that are read key by key, so that every wrong one is complained of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

_Read = TypeVar("_Read")


class Table:
    """One table and what is wrong with it."""

    def __init__(self, content: Mapping[str, object], label: str) -> None:
        """``label`` is what its keys are named by, ``schedule.support``."""
        self.content = content
        self.complaints: list[str] = []
        """A line for each wrong key."""
        self._label = label

    def refuse(self, key: str, value: object, allowed: str) -> None:
        """Note that a key's value is not what is allowed."""
        self.complaints.append(f"{self._label}.{key} = {value}: {allowed}")

    def read(self, key: str, value: object, parse: Callable[[str], _Read]) -> _Read | None:
        """What a text says; None if it is refused: no text, or ``parse`` raises ValueError."""
        if not isinstance(value, str):
            self.refuse(key, value, "must be a text, in quotes")
            return None
        try:
            return parse(value)
        except ValueError as error:
            self.refuse(key, value, str(error))
            return None

    def required(self, key: str, parse: Callable[[str], _Read]) -> _Read | None:
        """What the text of a key says that must be there."""
        return self.read(key, self.content.get(key, ""), parse)

    def optional(self, key: str, parse: Callable[[str], _Read]) -> _Read | None:
        """What the text of a key says that may be left out."""
        return self.read(key, self.content[key], parse) if key in self.content else None

    def items(self, key: str, parse: Callable[[str], _Read]) -> list[_Read]:
        """What the texts of a list say, those left out that are refused."""
        texts = self.content.get(key, [])
        if not isinstance(texts, list):
            self.refuse(key, texts, "must be a list of texts, in brackets")
            return []
        read = [self.read(f"{key}[{position}]", text, parse) for position, text in enumerate(texts)]
        return [item for item in read if item is not None]
