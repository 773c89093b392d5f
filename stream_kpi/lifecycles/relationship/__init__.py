"""A customer's whole view: :mod:`events` what its tickets, chats and answers say of themselves, :mod:`first_contact`
whether what was solved stayed solved, :mod:`last_answers` how the customer last answered, :mod:`fold` the two,
:mod:`at_rest` what needs no fold."""
