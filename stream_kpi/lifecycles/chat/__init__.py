"""A chat or call: :mod:`events` the compact history, :mod:`fold` waiting, answering, leaving, service level;
:mod:`silence` whether the customer was answered."""
