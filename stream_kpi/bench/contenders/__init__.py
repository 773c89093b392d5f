"""The programs that are compared. Each module is run with a :class:`~stream_kpi.bench.figures.Task` as JSON, reads the
task's topics and prints its :class:`~stream_kpi.bench.figures.Figures`."""
