"""How late workers tell that service levels are at risk or missed, while events come in at a steady rate.

:mod:`stretch` says when what is due, :mod:`lateness` compares with that what was told and when it came, :mod:`run` does
both on a broker, :mod:`command` starts all that it takes.
"""
