"""Entities: ``(state, event) -> (state, facts)``, pure.

:mod:`facts` says what leaves an entity, :mod:`fold` what a lifecycle implements, :mod:`entity` how events that come
late, twice or out of order end in the same facts. One package a lifecycle: ticket, chat, customer.
"""
