"""Facebook Messenger: a page's inbox. The Messenger Platform, https://developers.facebook.com/docs/messenger-platform.

provider.py   the carrier: its settings, how a message is sent
graph.py      what the Graph API answers, and what follows from its errors
events.py     an event of a web hook → a message or a report (pure)
hearing.py    all events of a body: stored, each once
views.py      the web hook's door: the handshake, signatures
"""
