"""The service level as others define it: formulas over the same counts, so that one log answers for all (pure).

Each contact that leaves the queue, unless blocked, is in exactly one of six counts: answered, abandoned or flowed out,
in time or late. The definitions differ in which of them they put on either side of the line, and in whether short
abandons count. All but the default count a contact when it is answered or leaves; the default counts a miss as soon as
the wait passes X. Each follows
what the system's vendor documents (asterisk2: its issue ASTERISK-26559; of twilio the denominator is read into it).
"""

from __future__ import annotations

from typing import Final

from stream_kpi.kpis.formulas import Formula, Ratio, RatioOfSums
from stream_kpi.measures import registry

_IN_TIME: Final = registry.SERVICE_LEVEL_MET
_ANSWERED: Final = (_IN_TIME, registry.CHATS_ANSWERED_LATE)
_ABANDONED: Final = (registry.CHATS_ABANDONED_IN_TARGET, registry.CHATS_ABANDONED_LATE)
_FLOWED_OUT: Final = (registry.CHATS_FLOWED_OUT_IN_TARGET, registry.CHATS_FLOWED_OUT_LATE)
_SHORT: Final = (registry.CHATS_ABANDONED_SHORT,)
_ANSWERED_OF_ALL_BUT_SHORT: Final = RatioOfSums((_IN_TIME,), (*_ANSWERED, *_ABANDONED, *_FLOWED_OUT), without=_SHORT)

SERVICE_LEVELS: Final[dict[str, Formula]] = {
    "default": Ratio(registry.SERVICE_LEVEL_MET, registry.SERVICE_LEVEL_OFFERED),
    "amazon": RatioOfSums(
        (_IN_TIME, registry.CHATS_ABANDONED_IN_TARGET, registry.CHATS_FLOWED_OUT_IN_TARGET),
        (*_ANSWERED, *_ABANDONED, *_FLOWED_OUT),
    ),
    "genesys": RatioOfSums((_IN_TIME,), (*_ANSWERED, *_ABANDONED), without=_SHORT),
    "asterisk2": RatioOfSums((_IN_TIME, registry.CHATS_ABANDONED_IN_TARGET), (*_ANSWERED, *_ABANDONED)),
    "talkdesk": _ANSWERED_OF_ALL_BUT_SHORT,
    "vonage": _ANSWERED_OF_ALL_BUT_SHORT,
    "twilio": _ANSWERED_OF_ALL_BUT_SHORT,
    "intermedia": RatioOfSums((_IN_TIME,), (*_ANSWERED, registry.CHATS_ABANDONED_LATE)),
}
