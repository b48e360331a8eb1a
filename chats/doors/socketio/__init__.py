"""Socket.IO for foreign doors: the wire and its limits. What is said over it belongs to the protocol that uses it.

gate.py      ASGI in front of the engine: hosts, origins, sizes, how many, how fast; place.py says where a client comes from
wire.py      one websocket within its limits, pace.py how fast it may send
eio3.py      what clients of Socket.IO 2 speak, put into the engine's words
engine.py    python-socketio, which speaks the protocol; frames.py says which packets it ever sees
service.py   clients come, ask and go; a protocol's own service is one of these
client.py    one client: what waits to be said to it; receipts.py proves that it came
threads.py   where a door asks the database

Each client is fed like our own sockets: by chats.live, healed by the log. There is no second bus.
"""
