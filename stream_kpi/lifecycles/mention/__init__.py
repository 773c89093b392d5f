"""A mention on a social network: :mod:`events` the compact history, :mod:`fold` sentiment and reply."""
