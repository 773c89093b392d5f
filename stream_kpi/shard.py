"""One partition number's whole way from records to panes: everything a flush writes, and nothing else, is its state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from zlib import crc32

import msgspec

from stream_kpi.entities import Entities, Lifecycle, Retention, TooLarge
from stream_kpi.events.decode import decode
from stream_kpi.events.partitioner import Partitioner
from stream_kpi.events.rejection import Rejected, UnknownType, dead_letter
from stream_kpi.events.topics import TopicKind
from stream_kpi.lifecycles.facts import CutSets
from stream_kpi.lifecycles.fold import NEVER_MS
from stream_kpi.pipeline import Flush, InputRecord, Outgoing
from stream_kpi.windows.ages import AgeSets, pack_ages
from stream_kpi.windows.clock import ShardClock, clock_record
from stream_kpi.windows.panes import Panes, unpack_key, unpack_vector
