"""The only door from sync code to sockets and long polls.

`hub.announce(topic, payload)` may be called from any thread and never waits. Announcements are hints: whoever hears one that does not fit
reads the log, so losing, doubling or reordering them loses nothing.

Topics    customer:{chat} · staff:{chat}    the chat's events and whispers
          agent:{agent} · team:{team} · center:{center} · app:{customer}    something there has changed; read it yourself
Payloads  {"kind": "event", "number", "what", "frame"}     a ready frame for sockets, its number on this topic, the event's type
          {"kind": "whisper", "what", "data", "frame"}     said and gone
          {"kind": "hint", "what"}
"""

from .hub import Hub, Payload

hub = Hub()

__all__ = ["Hub", "Payload", "connected", "hub"]


def connected() -> dict[str, int]:
    """Websockets of this process by kind, for the metrics."""
    return {"customer": 0, "agent": 0} | dict(hub.sockets)
