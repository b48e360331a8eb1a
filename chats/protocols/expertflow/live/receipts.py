"""How far a gadget has evidently got in its conversation, as agents see it."""

import asyncio
from typing import Protocol

import structlog

from chats.actions.read import mark_delivered
from chats.models import Participant

from .threads import in_thread

log = structlog.get_logger(__name__)


class Outlet(Protocol):
    async def received(self) -> bool:
        """Whether everything that was told so far has evidently arrived."""


class Receipts:
    """`due`: the last index of what others have said and the client was told. One question to the client is on its way at most."""

    def __init__(self, outlet: Outlet, customer: Participant, due: int) -> None:
        self.due = due
        self._outlet, self._customer = outlet, customer
        self._known = customer.delivered_index
        self._asking: asyncio.Task[None] | None = None

    def confirm(self) -> None:
        if self._asking is None and self._known < self.due:
            self._asking = asyncio.get_running_loop().create_task(self._ask())

    def stop(self) -> None:
        if self._asking:
            self._asking.cancel()

    async def _ask(self) -> None:
        try:
            while self._known < (index := self.due):
                if not await self._outlet.received():
                    return
                await in_thread(mark_delivered, self._customer, index)
                self._known = index
        except Exception as error:  # noqa: BLE001 - the database is away, say: what comes next says it, too
            log.warning("delivery not noted", error=type(error).__name__)
        finally:
            self._asking = None
