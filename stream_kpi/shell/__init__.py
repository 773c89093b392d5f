"""The shell: a Faust app that moves bytes between Kafka and the pure core, exactly once. It holds no KPI logic."""
