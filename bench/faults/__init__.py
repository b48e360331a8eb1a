"""Proof that nothing is lost: customers and agents talk while processes die and wires break; then all that was said is compared with all that is stored.

__main__     one run, and its report
plan         which fault when, by a seed (pure)
systems      what is run: services.py (PostgreSQL, Redis, several processes) and embedded.py (one process on SQLite)
nemesis      brings about the plan's faults, and heals them
wire         the lines between them, which can be cut, torn, stalled, delayed and made to swallow
clocks       their clocks, which can be wrong; clock/ is what their processes load for it
cast         the centers, seats and keys
history      what everybody did and saw
customers, agents, foreign, readings   who talks, and what is read on the side
receiver, mailbox                      who is called, and where mails arrive
probe, recount   look into the database while it goes on, and at the end
facts        what is known in the end
checker      history and facts → violations (pure): messages, readers, assignments, calls, outages
"""
