"""A cost: :mod:`events` the compact history, :mod:`spread` its share of each day, :mod:`fold` the shares as their days
begin."""
