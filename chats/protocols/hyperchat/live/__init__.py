"""HyperChat's live events: Socket.IO at /v1/socket.io/ (docs/protocols/hyperchat.md, "Live events").

gate.py       ASGI in front of the engine: hosts, origins, sizes, how many, how fast; wire.py for one websocket
engine.py     python-socketio, which speaks the protocol; frames.py says which packets it ever sees
service.py    connections come, ask and go
admission.py  who it is, and what it asks, in threads; calls.py is the table: their event → the same work as a route's
connection.py one client; following.py one chat of it; words.py is the table: our event → theirs
offers.py     what is offered to an agent's client
watch.py      what the pulse looks at for all of them

Each connection is fed like our own sockets: by chats.live, healed by the log. There is no second bus.
"""
