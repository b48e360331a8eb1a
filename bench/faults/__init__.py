"""Proof that nothing is lost: customers and agents talk while processes die and wires break; then all that was said is compared with all that is stored.

__main__     one run, and its report
plan         which fault when, by a seed (pure)
systems      what is run: services.py (PostgreSQL, Redis, several processes) and embedded.py (one process on SQLite)
nemesis      brings about the plan's faults, and heals them
wire         the lines between them, which can be cut, stalled, delayed and made to swallow
cast         the centers, seats and keys
history      what everybody did and saw
customers, agents, foreign, receiver   who talks, and who is called
probe        looks into the database while it goes on, and at the end
checker      history and rows → violations (pure)
"""
