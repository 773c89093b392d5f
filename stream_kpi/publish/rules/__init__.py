"""Prometheus rules made from the catalogue: recording rules, alerts, their unit tests and their runbooks.

The alerts are tables (:mod:`kpi_alerts`, :mod:`slo`, :mod:`pipeline_alerts`); ``python -m stream_kpi.publish.rules``
writes everything that follows from them.
"""
