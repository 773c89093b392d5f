"""Service level agreements: :mod:`policy` what is promised, :mod:`config` how settings say it, :mod:`instance` one
promise and its clock, :mod:`agreements` those of one ticket or chat, :mod:`transition` what is told of them."""
