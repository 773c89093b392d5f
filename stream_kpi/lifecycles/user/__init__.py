"""A user of the product: :mod:`events` the compact history, :mod:`fold` activity and activation."""
