"""Push notices to customers' apps, by Firebase Cloud Messaging (HTTP v1) and by Apple's push service.

They carry no chat: the app reads what was said from us. A device that has shown a message by then is told nothing.

carrier.py    what the carrier wants to know, and whether the services know us
filing.py     within the transaction of an event: a row for each device
loading.py    what telling a device needs, or why it is not told
words.py      what is said: title, text, and what the message's own `alert` asks for
fcm.py        Google: access tokens, calls, what errors mean
apns.py       Apple: provider tokens, calls by HTTP/2, what reasons mean
notices.py    the outbox's book of them
"""
