"""A chat that an SMS connector carries, as programs outside would move it: run by `manage.py shell` in the site's own database."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.utils import timezone

from agents.models import Agent
from chats.actions.connectors import give_up, note_given, take_up
from chats.models import Chat, Connector, Participant
from contactcenter.models import ContactCenter
from tests.chats.carried import carry, customer_of, hold, make_sms, say

HOLDER = UUID(int=1)
LINKS: tuple[Any, ...] = (
    {"type": "image/png", "name": "receipt.png", "url": "https://files.example.com/receipt.png?of=20931"},
    {"type": "", "name": "", "url": "https://xn--bnk-6cd.example:8443/offer"},
)
OWN: dict[str, Any] = {"order": {"number": "A-20931", "lines": [{"sku": "boot-42", "count": 1}, {"sku": "lace", "count": 2}]}, "vip": True, "tags": ["club", "returns"],
       "note": "The parcel came back. " * 60, "أمر": None}  # fmt: skip


def make(username: str = "maya", account: str = "+49 170 1234567") -> str:
    """The chat's id. The agent holds it, the connector was never there."""
    now = timezone.now()
    center = ContactCenter.objects.get(slug="acme")
    sms = Connector.objects.filter(center=center, name="sms", registration__application__name="Messaging").first()
    chat = carry(sms or make_sms(SimpleNamespace(center=center)), account, now)
    Chat.objects.filter(pk=chat.pk).update(data=OWN)
    say(customer_of(chat.pk), "Hello, where is my parcel?", now)
    seat = hold(chat, Agent.objects.get(center=center, user__username=username), now)
    say(customer_of(chat.pk), "Here is the receipt", now, links=LINKS, to=({"id": str(seat.pk), "name": seat.name},))
    say(customer_of(chat.pk), "Order A-20931 was returned twice. Likely fraud: 0.1", now, is_note=True, links=LINKS[:1])
    return str(chat.pk)


def come(chat_id: str) -> None:
    """The connector is there, and gets everything."""
    sms, chat = Connector.objects.get(chats__chat=chat_id), Chat.objects.get(pk=chat_id)
    take_up(sms, HOLDER, now=timezone.now() + timedelta(days=1))
    note_given(chat.pk, chat.index)


def go(chat_id: str) -> None:
    give_up(Connector.objects.get(chats__chat=chat_id).pk, HOLDER, now=timezone.now())


def answer(chat_id: str, text: str) -> None:
    """A link by its own agent, as a program behind the agent's account may post it."""
    seat = Participant.objects.filter(chat=chat_id, kind=Participant.Kind.AGENT).latest("joined_at")
    say(seat, text, timezone.now(), links=LINKS[:1])
