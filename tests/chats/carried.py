"""Chats that a connector carries, for the tests of whoever has to do with connectors."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

from agents.models import Agent
from chats.actions.connectors import make_connector
from chats.actions.foreign import begin_carried_chat
from chats.actions.hold import assign_chat
from chats.actions.post import Post, post_message
from chats.models import Chat, Connector, Participant
from chats.protocols.expertflow.people import new_person
from contactcenter.models import Application, Channel, Registration

SECRET = "0123456789abcdef-secret"


def register(world: SimpleNamespace, name: str = "Messaging", **fields: Any) -> Registration:
    """An access of this center to Expertflow's API, whose secret is SECRET."""
    application = Application.objects.create(center=world.center, name=name)
    channel = Channel.objects.create(center=world.center, kind=Channel.Kind.API, name=name)
    fields = {"protocol": Registration.Protocol.EXPERTFLOW, "demands_secret": True} | fields
    made = Registration(center=world.center, application=application, channel=channel, **fields)
    made.set_secret(SECRET)
    made.save()
    return made


def make_sms(world: SimpleNamespace, **fields: Any) -> Connector:
    return make_connector(register(world, **fields), "sms", "Texts")


def carry(connector: Connector, account: str, now: datetime, **fields: Any) -> Chat:
    """A chat of this account."""
    started = begin_carried_chat(
        connector,
        account,
        fields={"name": f"Mia {account}"},
        team=None,
        subject="",
        data={},
        external_id=str(uuid4()),
        facts=new_person(),
        is_own=True,
        now=now,
    )
    return Chat.objects.get(pk=started.chat.pk)


def hold(chat: Chat, agent: Agent, now: datetime) -> Participant:
    """The agent's part in the chat, which it holds from now on."""
    assign_chat(Chat.objects.all(), chat.pk, agent, now=now)
    return Participant.objects.get(chat=chat, agent=agent)


def say(part: Participant, text: str, now: datetime, **fields: Any) -> Any:
    return post_message(Post(part.chat_id, part.pk, str(uuid4()), text, **fields), now=now)


def customer_of(chat_id: UUID) -> Participant:
    return Participant.objects.get(chat_id=chat_id, kind=Participant.Kind.CUSTOMER)
