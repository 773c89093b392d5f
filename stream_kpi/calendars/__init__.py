"""Business time: how much of an interval a schedule is open, and when a target is reached (pure).

:mod:`config` reads schedules from the settings' file, :mod:`schedule` is one schedule, :mod:`timeline` says which one
applied when. Below them: :mod:`opening_hours` as the wall clock shows them, :mod:`public_holidays` by country,
:mod:`open_time` from wall clock to epoch milliseconds, added up, :mod:`offsets` of a zone from UTC.
"""
