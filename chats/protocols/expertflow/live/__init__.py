"""Expertflow's live events: Socket.IO at /socket.io/ (docs/protocols/expertflow.md, "Live"), upon chats.doors.socketio.

service.py     connections come, ask and go
calls.py       what they ask, in threads: who they are, the conversations that they join and end
talk.py        what they say: messages and activities in their words → ours; attachments.py what messages bring along
connection.py  one client: who it is, the conversations that it has joined
following.py   one conversation of it, in the log's order; presence.py who else has joined, who types; receipts.py what has arrived
registering.py connectors say which channel they carry; feed.py what one is given, batches.py which messages those are
watch.py       what the pulse looks at for all of them
threads.py     where they ask the database
"""
