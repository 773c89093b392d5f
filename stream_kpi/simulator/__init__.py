"""A support team's day as CloudEvents: seeded, in order of time, no I/O, the time is a parameter.

:class:`~stream_kpi.simulator.simulation.Simulation` gives the events, :func:`~stream_kpi.simulator.disorder.disorder`
makes them arrive late, twice and out of order, :mod:`~stream_kpi.simulator.command` prints them.

Nothing that the KPIs measure is drawn: customers arrive, agents on shift work with limited capacity, and waits,
abandonments, backlogs and opinions follow from that.
"""
