"""The real server, and gadgets by hand (tests/chats/doors/socketio/house.py)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async as in_thread
from django.db import transaction

from chats.protocols.expertflow.live.service import live
from tests.chats.doors.socketio import house as shared
from tests.chats.doors.socketio.house import no_complaints, serving
from tests.chats.protocols.expertflow.conftest import ORIGIN, Talk

__all__ = ["no_complaints"]

ARRIVED = "messageArrived"


class Client(shared.Client):
    path = "/socket.io/?EIO=4&transport="

    async def join(self, talk: Talk, **said: Any) -> dict[str, Any]:
        """Joined as the talk's customer: the acknowledgement."""
        answer: dict[str, Any] = await self.ask("joinConversation", {"conversationId": talk.id, "id": talk.me, **said})
        assert answer["code"] == 200, answer
        return answer

    async def says(self, talk: Talk, text: str, **said: Any) -> dict[str, Any]:
        said = {"conversationId": talk.id, "type": "ChatMessage", "from": {"id": talk.me}, "text": text, **said}
        answer: dict[str, Any] = await self.ask("sendMessage", said)
        return answer

    async def arrives(self, seconds: float = shared.SECONDS, **fields: Any) -> dict[str, Any]:
        """The first message with these members that came, or that comes."""
        return await self.until(ARRIVED, seconds, **fields)

    def texts(self) -> list[str]:
        return [said["text"] for said in self.of(ARRIVED) if said["type"] == "ChatMessage"]

    def activities(self) -> list[str]:
        return [said["activityType"] for said in self.of(ARRIVED) if said["type"] == "ActivityMessage"]

    def info(self) -> dict[str, Any]:
        """The newest conversationInfo."""
        return self.of("conversationInfo")[-1]

    def all_texts(self) -> list[str]:
        """Of the newest conversationInfo and of what came after it."""
        place = max(number for number, (name, _) in enumerate(self.seen) if name == "conversationInfo")
        later = [said for name, said in self.seen[place:] if name == ARRIVED and said["type"] == "ChatMessage"]
        return [said["text"] for said in [*self.info()["messages"], *later]]


class House(shared.House):
    live = live
    client_class = Client
    origin = ORIGIN

    async def gadget(self, talk: Talk, **options: Any) -> Client:
        """A page that has joined the conversation."""
        client: Client = await self.client(**options)
        assert client.is_connected, client.refusal
        await client.join(talk)
        return client


@pytest.fixture
async def house(transactional_db: None) -> AsyncIterator[House]:
    async with serving(House) as house:
        yield house


async def held(place: Any, agent: Any, **said: Any) -> Talk:
    """A conversation that the agent has accepted."""

    return await taken(await in_thread(place.init)(**said), agent)


async def taken(talk: Talk, agent: Any) -> Talk:
    return await in_thread(transaction.atomic(talk.held_by))(agent)
