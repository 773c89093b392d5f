"""A cost's share of each local day of its period."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from stream_kpi.windows.zones import next_day


def daily_shares(amount: int, start_ms: int, end_ms: int, zone: ZoneInfo) -> list[tuple[int, int]]:
    """``(start, share)`` of each local day that the period [start, end) touches, ascending; the first one starts with
    the period. A day's share is in proportion to how much of the period lies in it, in whole units; the units that are
    left over go to the greatest remainders, the earlier day first, so that the shares add up to the amount exactly."""
    starts_ms = [start_ms]
    while (next_ms := next_day(starts_ms[-1], zone)) < end_ms:
        starts_ms.append(next_ms)
    length_ms = end_ms - start_ms
    ends_ms = (*starts_ms[1:], end_ms)
    parts = [divmod(amount * (day_end - day), length_ms) for day, day_end in zip(starts_ms, ends_ms, strict=True)]
    left = amount - sum(share for share, _ in parts)
    greatest = sorted(range(len(parts)), key=lambda place: -parts[place][1])[:left]
    shares = [share for share, _ in parts]
    for place in greatest:
        shares[place] += 1
    return list(zip(starts_ms, shares, strict=True))
