"""Email by a provider: its web hooks bring us mail and what became of ours, its API takes our answers. django-anymail speaks their words.

    provider    what the admin enters, and whether the provider knows us
    vendors     who they are: a class each
    calls       requests' way out, through the outbox's guard
    outgoing    handing a letter over
    hooks       where they call us: mail, and reports of ours
    reports     what they tell of our mails → fates

What a mail is, and what becomes of it, is the room's: it is the same as in a mailbox.
"""
