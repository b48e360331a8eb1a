"""The real server, and HyperChat's clients by hand (tests/chats/doors/socketio/house.py)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from agents.models import Agent
from chats.actions.offer import accept_invitation, offer_chat
from chats.models import Chat, Invitation
from chats.protocols.hyperchat.live.service import live
from tests.chats.doors.socketio import house as shared
from tests.chats.doors.socketio.house import SECONDS, no_complaints, serving
from tests.chats.protocols.hyperchat.conftest import ORIGIN, Place

__all__ = ["SECONDS", "no_complaints"]

PATH = "/v1/socket.io/?EIO=4&transport="


def offer(chat_id: Any, agent: Agent) -> Invitation:
    with transaction.atomic():
        return offer_chat(Chat.objects.locked().get(pk=chat_id), agent, reason="test", now=timezone.now())


def accept(chat_id: Any, agent: Agent) -> Chat:
    """The agent takes the chat: its invitation, or one that is made for it."""
    invitation = Invitation.objects.pending().filter(chat=chat_id, agent=agent).first() or offer(chat_id, agent)
    return accept_invitation(agent, invitation.pk, now=timezone.now())


class Client(shared.Client):
    path = PATH

    def texts(self) -> list[str]:
        return [data["message"]["message"] for data in self.of("message:received")]


class House(shared.House):
    live = live
    client_class = Client
    origin = ORIGIN

    async def user(self, place: Place, joined: Any, **options: Any) -> Client:
        """A customer's client that has logged in."""
        auth = {"appId": place.app_id, "id": str(joined.foreign.customer_id), "token": joined.token}
        client: Client = await self.client(auth, **options)
        assert client.is_connected, client.refusal
        return client


@pytest.fixture
async def house(transactional_db: None) -> AsyncIterator[House]:
    async with serving(House) as house:
        yield house
