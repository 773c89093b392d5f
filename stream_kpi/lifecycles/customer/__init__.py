"""A customer's subscriptions: :mod:`revenue` makes an item's MRR, :mod:`events` the compact history, :mod:`account` the
movements of one instant, :mod:`sole` the same for a customer of one plan, :mod:`paying` who starts or stops paying,
:mod:`course` what is kept of an MRR, :mod:`fold` brings each state in at the instant from which it holds."""
