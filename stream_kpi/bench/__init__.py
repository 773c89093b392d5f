"""Events per second, CPU and memory of the pipeline next to other ways of reading the same topics.

:mod:`log` makes a fixed log, :mod:`kafka` writes it to topics, :mod:`contenders` are the programs that read them, each
run in a process of its own, :mod:`core` is the pipeline with no Kafka at all, :mod:`report` puts the figures together.
"""
