"""Genesys Web Services chat, below /api/v2 (docs/protocols/genesys.md): customers (dialect A), agents (B) and eServices (C, below /eservices/api/v2).

callers.py   whose contact center is meant, which agent calls
door.py      the base of every view: reading bodies, statusCode, errors, browsers
lines.py     our event → its lines, in a numbering that counts typing too
shapes.py    chat, participants, messages as their clients read them
customer.py  what customers' pages ask · agents.py  what agents' programs ask · eservices.py  the same for the other transport
agent_reach.py, agent_shapes.py, agent_operations.py  which chats an agent has, how they read, what is done in them

Their words → ours: endpoint, queue = team; userData = custom data; Complete = close; nickname = name.
"""
