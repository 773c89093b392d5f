"""A visitor of the site: :mod:`events` the compact history, :mod:`distinct` who counts once in a window, :mod:`fold`
visits, conversions and bounces."""
