"""Inbenta HyperChat API v1, below /v1 (docs/protocols/hyperchat.md).

callers.py   who calls: application id, secret, domain key, user token
door.py      the base of every view: what proof a route wants, reading bodies, the error envelope
reach.py     what a caller may reach: rooms, users, agents, chats
shapes.py    user, agent, chat, message as their clients read them

Their words → ours: app = registration, room = team, user = customer or agent, inbox = queue.
"""
