"""The wire contract: bytes become a typed event with its time, or a rejection with a reason (pure).

:mod:`topics` names the four inputs, :mod:`tickets`, :mod:`chats`, :mod:`subscriptions` and :mod:`signals` their event
types, :mod:`decode` reads records, :mod:`rejection` says why one was refused and what its dead letter looks like,
:mod:`partitioner` says which partition owns a key.
"""
