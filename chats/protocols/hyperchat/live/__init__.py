"""HyperChat's live events: Socket.IO at /v1/socket.io/ (docs/protocols/hyperchat.md, "Live events"), upon chats.doors.socketio.

service.py    connections come, ask and go
admission.py  who it is, and what it asks, in threads; calls.py is the table: their event → the same work as a route's
connection.py one client; following.py one chat of it; words.py is the table: our event → theirs
offers.py     what is offered to an agent's client
watch.py      what the pulse looks at for all of them
"""
