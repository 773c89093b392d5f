"""Live support KPIs from Kafka events."""
