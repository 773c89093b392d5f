"""What users see: the live store of KPI records, Prometheus exposition, health. No KPI logic."""
