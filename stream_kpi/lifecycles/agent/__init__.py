"""An agent: :mod:`events` the compact history of its presence, :mod:`fold` how long it is present, and busy."""
