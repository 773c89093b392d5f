"""The ticket lifecycle: :mod:`events` is what a ticket keeps of its events, :mod:`fold` the order of things,
:mod:`creation`, :mod:`backlog`, :mod:`first_response`, :mod:`replies`, :mod:`handling`, :mod:`clocks`,
:mod:`resolution` and :mod:`first_contact` the measures, over the one :mod:`state`; :mod:`promised` and
:mod:`service_levels` what it is promised."""
