"""What may cross the wire: Engine.IO packets of text that carry Socket.IO packets of JSON. Everything else is refused before the libraries look at it.

Engine.IO protocol 4 and Socket.IO protocol 5: https://socket.io/docs/v4/engine-io-protocol/, https://socket.io/docs/v4/socket-io-protocol/.
"""

import json
import re
from typing import Any

import socketio.packet

MOST_PACKETS = 16  # in one poll's body
SEPARATOR = "\x1e"
RESERVED = frozenset({"connect", "disconnect", "*"})  # the library's own names for handlers

# Close, ping, pong, upgrade, noop with at most the word "probe"; or a message that is a connect, disconnect, event or ack without binary parts.
PACKET = re.compile(r"[12356][a-z]{0,5}|4[0-3].*", re.DOTALL)


def is_packet(text: str) -> bool:
    return PACKET.fullmatch(text) is not None


def packets_of(body: bytes) -> list[str]:
    """What a poll's body brings; nothing when it is none that we take."""
    try:
        packets = body.decode().split(SEPARATOR)
    except UnicodeDecodeError:
        return []
    return packets if are_packets(packets) else []


def body_of(packets: list[str]) -> bytes:
    return SEPARATOR.join(packets).encode()


def are_packets(packets: list[str]) -> bool:
    return 0 < len(packets) <= MOST_PACKETS and all(map(is_packet, packets))


class Words:
    """The JSON of Socket.IO packets, as its library wants a module."""

    @staticmethod
    def dumps(value: Any, **_: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    @staticmethod
    def loads(text: str, **_: Any) -> Any:
        """Raises ValueError, also for what is nested beyond measure."""
        try:
            return json.loads(text)
        except RecursionError:
            raise ValueError("nested too deeply") from None


class Packet(socketio.packet.Packet):
    """A Socket.IO packet that is what its type says. Raises ValueError otherwise: among others for events that a client has no right to name."""

    uses_binary_events = False
    json = Words

    def decode(self, encoded_packet: Any) -> int:
        attachments = super().decode(encoded_packet)
        if attachments or not self._is_sound():
            raise ValueError("not a packet")
        return 0

    def _is_sound(self) -> bool:
        match self.packet_type:
            case socketio.packet.CONNECT:
                return self.data is None or isinstance(self.data, dict)
            case socketio.packet.EVENT:
                named = isinstance(self.data, list) and self.data and isinstance(self.data[0], str)
                return bool(named) and self.data[0] not in RESERVED
            case socketio.packet.ACK:
                return isinstance(self.data, list)
        return self.packet_type == socketio.packet.DISCONNECT
