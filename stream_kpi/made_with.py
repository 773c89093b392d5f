"""What a shard's state was made with. State of another layout would be misread, and what other definitions have counted
would be taken back as these count it: both are refused."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from stream_kpi.errors import WRONG_USAGE, UserError

LAYOUT = 1
"""Of all records of the state and panes topics, and of what a measure's slots mean. One more with each change after
which records that are written already would be read as something else."""

MADE_WITH_KEY = b"made-with"
"""Of the first record that a shard ever writes to the state topic, so that it is read before those it is about."""

_ANEW = "start with another app_id (docs/operations.md, Backup and reset: everything is counted anew from the sources)"


class MadeWith(msgspec.Struct, frozen=True):
    """What the facts of a state depend on beside the events."""

    layout: int = LAYOUT
    definitions: dict[str, str] = {}
    """By a setting's key, of those that have not their default, the value."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(MadeWith).decode


def made_with_record(definitions: Mapping[str, str]) -> tuple[bytes, bytes]:
    """Key and value of the record that a shard writes first."""
    return MADE_WITH_KEY, _encode(MadeWith(definitions=dict(definitions)))


def check_first_record(key: bytes, value: bytes | None, definitions: Mapping[str, str]) -> None:
    """Look at the first record of a state topic. Raises UserError when the state was made with another layout, or with
    other definitions than these: a line for each setting, with both values."""
    if key != MADE_WITH_KEY or value is None:
        raise UserError(f"The state is that of an older stream-kpi, which this one cannot read: {_ANEW}.", WRONG_USAGE)
    try:
        made_with = _decode(value)
    except msgspec.MsgspecError as error:
        raise UserError(f"The state is not one that this stream-kpi can read ({error}): {_ANEW}.") from error
    if made_with.layout != LAYOUT:
        age = "a newer" if made_with.layout > LAYOUT else "an older"
        raise UserError(
            f"The state is that of {age} stream-kpi (layout {made_with.layout}; this one reads {LAYOUT}): "
            f"run that one, or {_ANEW}."
        )
    before = made_with.definitions
    changed = [key for key in sorted({*before, *definitions}) if before.get(key) != definitions.get(key)]
    if changed:
        default = "its default"
        lines = [
            f"{key} = {definitions.get(key, default)}: the state was counted with {before.get(key, default)}"
            for key in changed
        ]
        raise UserError("\n".join([*lines, f"Put it back, or {_ANEW}."]))
