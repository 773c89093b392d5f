"""A survey of a customer, of no ticket or chat: :mod:`events` the compact history, :mod:`fold` its answer."""
