"""Expertflow's customer channel (docs/protocols/expertflow.md): REST below /api/customer, live at /socket.io.

callers.py   whose contact center is meant, and whether it is its own program that asks
people.py    who takes part, under which id
shapes.py    conversations, messages, activities, attachments as their clients read them
words.py     our event → what their clients hear: a table
door.py      the base of every view · customer.py  init · papers.py  transcripts · past.py  the history of an account · media.py  files
live/        Socket.IO: join, send, end; connectors

Their words → ours: conversation = chat, subject = team, connector = the carrier of a channel, refId = the customer's account on it, whisper = private note.
"""
