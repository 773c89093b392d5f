"""What can be added up: commutative monoids over facts (pure).

Every measure of a pane is a sparse vector of integers, ``{slot: amount}``; merging is vector addition and taking
back is subtraction, so the laws hold for all of them at once. :mod:`registry` names the slots, :mod:`histogram`
maps durations to bins, :mod:`vector` adds.
"""
