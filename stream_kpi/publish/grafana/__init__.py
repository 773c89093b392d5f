"""Grafana's dashboards, made from the catalogue and the table of self-metrics.

``python -m stream_kpi.publish.grafana`` writes them. Nothing else imports this package: grafana-foundation-sdk is there
for development only.
"""
