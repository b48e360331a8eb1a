"""Proof that a client has what it was told: something that goes behind it on the same way, and what answers that."""

import asyncio

from engineio import packet


class Receipt(packet.Packet):  # type: ignore[misc]  # the library has no types
    """Waits in a session's queue behind what was told. A poll carries it as a packet that says nothing; a websocket is asked with it."""

    def __init__(self, proven: "asyncio.Future[bool]") -> None:
        super().__init__(packet.NOOP)
        self.proven = proven
        self.is_carried = False

    def encode(self, b64: bool = False) -> str:
        """The engine names `b64` when it answers a poll, and only then."""
        self.is_carried = b64
        return str(packet.NOOP) if b64 else Question(self)

    def prove(self) -> None:
        settle(self.proven, True)


class Question(str):
    """An Engine.IO ping that knows what its answer proves."""

    receipt: Receipt

    def __new__(cls, receipt: Receipt) -> "Question":
        question = super().__new__(cls, packet.PING)
        question.receipt = receipt
        return question


def settle(proven: "asyncio.Future[bool]", answer: bool) -> None:
    """The first answer counts; nobody may be waiting for it any more."""
    if not proven.done():
        proven.set_result(answer)
