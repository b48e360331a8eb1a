"""What a connector is given over one of its connections: what is said in the chats that it carries, then what programs send to its accounts.

Told first, noted when it has evidently arrived. A server that dies in between gives it again, under the same id.
"""

import asyncio
from typing import Any, Protocol
from uuid import uuid4

import structlog

from chats.errors import Unauthorized
from chats.live import Payload, hub
from chats.models import Connector
from chats.protocols.expertflow.callers import Caller

from .batches import Batch, give_up, keep_up, next_batch, note, take_up
from .threads import in_thread

log = structlog.get_logger(__name__)

ARRIVED = "messageArrived"
HANDOVER_SECONDS = 2.0  # in which the connection before ends what it is just giving

_leaving: set[asyncio.Task[None]] = set()


async def all_left() -> None:
    """Until the connections that have gone have given up what they held."""
    if _leaving:
        await asyncio.wait(_leaving)


class Outlet(Protocol):
    """Where it goes: the connection."""

    def tell(self, name: str, data: dict[str, Any]) -> None: ...
    async def received(self) -> bool:
        """Whether everything that was told so far has evidently arrived."""

    def end(self, _close_code: int = 0, code: str = "", _message: Any = "") -> None: ...


class Feed:
    """One connector on one connection. Everything runs in the event loop; `look` is called by whoever knows that something may wait."""

    def __init__(self, outlet: Outlet, caller: Caller, connector: Connector) -> None:
        self.outlet, self.caller, self.connector = outlet, caller, connector
        self.holder = uuid4()
        self.is_over = False
        self._topic = f"connector:{connector.pk}"
        self._loop = asyncio.get_running_loop()
        self._looking: asyncio.Task[None] | None = None
        self._look_again = False
        self._rests_until = 0.0  # by the loop's clock
        self._arrived: Batch | None = None  # and not noted yet: the database was away, say

    # Its life -----------------------------------------------------------------------------------------------------------

    async def take(self, title: str = "") -> None:
        """Be the one that is given the messages: newer than every other connection."""
        if await in_thread(take_up, self.connector, self.holder, title):
            self._rests_until = self._loop.time() + HANDOVER_SECONDS
            self._loop.call_at(self._rests_until, self.look)

    async def keep(self, title: str = "") -> None:
        """Registered again: still the one, where no newer connection is."""
        await in_thread(keep_up, self.connector, self.holder, title)

    def start(self) -> None:
        """Listen first, then look: nothing falls between."""
        hub.subscribe(self._topic, self._hear)
        self.look()

    def stop(self) -> None:
        """The connection goes: another may have the messages."""
        if not self.is_over:
            self.is_over = True
            hub.unsubscribe(self._topic, self._hear)
            task = self._loop.create_task(self._leave())
            _leaving.add(task)
            task.add_done_callback(_leaving.discard)

    async def _leave(self) -> None:
        # What is being done may still renew the hold, and nobody would give that up.
        if self._looking:
            await asyncio.wait([self._looking])
        try:
            await in_thread(give_up, self.connector.pk, self.holder)
        except Exception as error:  # noqa: BLE001 - the database is away, say: the hold ends by itself
            log.warning("connector not given up", error=type(error).__name__)

    # Giving -------------------------------------------------------------------------------------------------------------

    def _hear(self, _topic: str, _payload: Payload) -> None:
        self.look()

    def look(self) -> None:
        """Give what is owed, soon; who asks while it runs makes it look once more."""
        self._look_again = True
        if self._looking is None and not self.is_over:
            self._looking = self._loop.create_task(self._look_whatever())

    async def _look_whatever(self) -> None:
        try:
            while self._look_again and not self.is_over:
                self._look_again = False
                await self._give()
        except Exception as error:  # noqa: BLE001 - the database is away, say: the pulse comes again
            log.warning("connector not given its messages", error=type(error).__name__)
        finally:
            self._looking = None

    async def _give(self) -> None:
        """One batch after the other, until nothing is left."""
        await self._note()
        while batch := await self._load():
            if self.is_over:
                return
            for message in batch.messages:
                self.outlet.tell(ARRIVED, message)
            if batch.messages and not await self.outlet.received():
                # Whether it arrived will never be known. Given again here it could come twice to a client that has it.
                self.outlet.end(code="not_received")
                self.stop()
                return
            self._arrived = batch
            await self._note()

    async def _note(self) -> None:
        if self._arrived:
            await in_thread(note, self.connector, self._arrived)
            self._arrived = None

    async def _load(self) -> Batch | None:
        """The next batch; None when nothing is owed, or another connection is given it."""
        if self._loop.time() < self._rests_until:
            return None
        try:
            return await in_thread(next_batch, self.caller, self.connector.pk, self.holder)
        except Unauthorized as refused:
            self.outlet.end(code=refused.code)
            self.stop()
            return None
