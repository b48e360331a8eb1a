"""Email, by two transports: a mailbox (IMAP, SMTP), and a provider with web hooks and an API (`service`). What a mail is, they share.

    addresses   in their one spelling
    provider    what the admin enters, addresses, and whether the servers know us
    wire        connections to mail servers: where to, how long, how safe
    compose     a message on its way: a Letter, then a mail; threads, attachments
    smtp        handing it over
    imap        the commands that reading a mailbox takes
    reading     polling: whose turn it is (a lease), how far we are (a bookmark)
    taking      one mail: whose it is and what becomes of it
    parsing     bytes → Mail; bodies, page and quotes are its parts
    service/    the other transport: its own settings, hooks and API
    automatic   mail that no person wrote, and reports of what was not delivered

Mail comes at least once and from anybody: a mail is passed over for good only after the commit of what it caused, a repeat is known by its
Message-ID, and one that cannot be read never holds up those behind it.
"""
