"""App Messaging's websocket: /apispaces/{apiSpaceId}/socket?token=…, where a customer's app hears what happens in its conversations.

It takes up where the conversations are when it opens; what came before the app reads by GET /conversations/{id}/events. Each event has its
conversation's next number (conversationEventId), so an app sees whether it has missed one. Nothing is asked of the client: what it sends
(an echo each minute) is read and left alone.

seat.py says who may sit here, looking.py what is new for it, frames.py how that looks, socket.py sends it, watch.py looks for all at once.
"""
