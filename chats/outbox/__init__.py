"""Web hooks: what applications asked to be told, filed with what caused it and sent until it arrives.

    filing     within the transaction that causes an event: one row for each call to make
    ours       an event in our own words; a protocol brings a speaker of its own (filing.speakers)
    lanes      which calls may be made now: of one chat and one address only the oldest
    batches    several calls in one, for those who want them so
    courier    one thread that asks the database, some that call: claims, sends, notes
    sending    one call: guard (where to), stream (how long, how much), signing (who says so)
    settle     what became of a call, and when it is tried again (schedule)
    retry      "try again"
    listing    what was filed, for programs that read instead of listening
    handshake, ask   calls that somebody waits for
    retention  what is thrown away

Each delivery is made at least once. Of one chat and one address there is never a second one under way before the first has arrived or
was given up. A worker that dies between a call and the note of it leads to the same call with the same id.
"""
