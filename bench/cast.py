"""Who talks: centers with agents, customers and chats, made by the thousand. Import after Django is set up."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import count, islice
from typing import Any

from django.utils import timezone

from agents import presence
from agents.models import Agent, Membership, Presence, Slot
from chats.actions.sessions import SESSION_LIFE
from chats.events import ChatStarted, MessagePosted, number
from chats.models import Chat, Customer, CustomerSession, Event, Occupation, Participant, Queue
from contactcenter.models import Channel, ContactCenter, Team, User, hash_secret

CAPACITY = 50  # the most that a seat may have
AT_ONCE = 500  # chats whose rows are made together
numbers = count(1)


@dataclass
class Held:
    """A chat, who has it, and the token with which its customer's client comes."""

    chat: Chat
    agent: Agent
    customer: Participant
    token: str


@dataclass
class Cast:
    """A center of its own. Everybody is there for a day, so that no rule stirs while we measure."""

    center: ContactCenter
    team: Team
    channel: Channel
    agents: list[Agent] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)

    @classmethod
    def new(cls) -> "Cast":
        center = ContactCenter.objects.create(slug=f"bench-{secrets.token_hex(4)}", name="Bench")
        team = Team.objects.create(center=center, key="bench", name="Bench", is_default=True)
        Queue.objects.get_or_create(center=center, team=team)
        return cls(center, team, Channel.objects.create(center=center, name="Bench", team=team))

    def add_agents(self, wanted: int, *, capacity: int = CAPACITY, is_here: bool = True, **fields: Any) -> list[Agent]:
        """New seats with all their slots free. `is_here`: signed in for a day."""
        now = timezone.now()
        marks = [f"bench-{next(numbers)}-{self.center.slug}" for _ in range(wanted)]
        users = User.objects.bulk_create([User(username=mark) for mark in marks])
        own = {"center": self.center}
        agents = [Agent(**own, user=user, name=user.username[:30], capacity=capacity, **fields) for user in users]
        Agent.objects.bulk_create(agents)
        lease = {"status": Presence.Status.ONLINE, "lease_until": now + timedelta(days=1)} if is_here else {}
        Presence.objects.bulk_create([Presence(**own, agent=agent, **lease) for agent in agents])
        Membership.objects.bulk_create([Membership(**own, agent=agent, team=self.team) for agent in agents])
        slots = [Slot(**own, agent=agent, number=turn + 1) for agent in agents for turn in range(capacity)]
        Slot.objects.bulk_create(slots, batch_size=1000)
        self.agents += agents
        return agents

    def add_customers(self, wanted: int) -> list[tuple[Customer, str]]:
        """(customer, token of its client)."""
        expires_at = timezone.now() + SESSION_LIFE
        made = [
            (Customer(center=self.center, name=f"Customer {turn}"), secrets.token_urlsafe(32)) for turn in range(wanted)
        ]
        Customer.objects.bulk_create([customer for customer, _ in made], batch_size=1000)
        session = partial(CustomerSession, center=self.center, channel=self.channel, expires_at=expires_at)
        sessions = [session(customer=customer, token_hash=hash_secret(token)) for customer, token in made]
        CustomerSession.objects.bulk_create(sessions, batch_size=1000)
        return made

    def add_chats(self, wanted: int, *, agents: int, lines: int = 2, channel: Channel | None = None) -> list[Held]:
        """Chats with `lines` events each, held by so many new agents in equal shares (50 each at most)."""
        seats = self.add_agents(agents)
        made: list[Held] = []
        slots = _slots(seats)
        customers = self.add_customers(wanted)
        for first in range(0, wanted, AT_ONCE):
            made += self._hold(customers[first : first + AT_ONCE], slots, channel or self.channel, lines)
        self.held += made
        return made

    def _hold(
        self, customers: list[tuple[Customer, str]], slots: Iterator[Slot], channel: Channel, lines: int
    ) -> list[Held]:
        now, own = timezone.now(), {"center": self.center}
        seats = list(islice(slots, len(customers)))
        chats = [
            self._chat(customer, slot.agent, channel, now) for (customer, _), slot in zip(customers, seats, strict=True)
        ]
        guests = [
            Participant(**own, chat=chat, kind="customer", name=chat.customer.name, joined_at=now) for chat in chats
        ]
        hosts = [
            Participant(**own, chat=chat, kind="agent", agent=chat.agent, name="Agent", joined_at=now) for chat in chats
        ]
        events = [event for pair in zip(chats, guests, hosts, strict=True) for event in _lines(*pair, lines, now)]
        Chat.objects.bulk_create(chats)
        Participant.objects.bulk_create(guests + hosts)
        Event.objects.bulk_create(events, batch_size=2000)
        taken = zip(chats, seats, strict=True)
        Occupation.objects.bulk_create(
            [Occupation(**own, slot=slot, chat=chat, agent=slot.agent, since=now) for chat, slot in taken]
        )
        tokens = [token for _, token in customers]
        return [
            Held(chat, slot.agent, guest, token)
            for chat, slot, guest, token in zip(chats, seats, guests, tokens, strict=True)
        ]

    def _chat(self, customer: Customer, agent: Agent, channel: Channel, now: datetime) -> Chat:
        due = {"due_at": now + timedelta(days=1), "first_accepted_at": now, "client_id": secrets.token_hex(8)}
        whose = {"center": self.center, "customer": customer, "channel": channel, "team": self.team, "agent": agent}
        return Chat(**whose, state=Chat.State.ACTIVE, **due)


def ticket_of(agent: Agent) -> str:
    return presence.issue_ticket(agent, "", timezone.now())


def forget_pace(cast: Cast) -> None:
    """Customers may write again: their limit is of no interest here."""
    cast.center.chats.update(pace_at=None)


def leave_all(cast: Cast) -> None:
    """All agents have gone, and all chats wait for one."""
    now = timezone.now()
    cast.center.presences.update(status=Presence.Status.OFFLINE, lease_until=None)
    Occupation.objects.filter(center=cast.center).delete()
    cast.center.chats.open().update(state=Chat.State.QUEUED, agent=None, queued_at=now)


def end_all(cast: Cast) -> None:
    """All chats are over and all slots free, without a word to anybody."""
    now = timezone.now()
    Occupation.objects.filter(center=cast.center).delete()
    over = {"state": Chat.State.CLOSED, "closed_at": now, "close_reason": "done", "queued_at": None, "due_at": None}
    cast.center.chats.open().update(**over)


def _slots(agents: list[Agent]) -> Iterator[Slot]:
    """One of each agent, then the next of each."""
    by_id = {agent.pk: agent for agent in agents}
    for slot in Slot.objects.filter(agent__in=agents).order_by("number", "agent_id"):
        slot.agent = by_id[slot.agent_id]
        yield slot


def _lines(chat: Chat, guest: Participant, host: Participant, lines: int, now: datetime) -> Iterator[Event]:
    yield number(chat, ChatStarted(team="Bench", subject="", channel="web"), sender=guest, now=now)
    for turn in range(lines - 1):
        said = MessagePosted(text=f"Line {turn} of a chat that goes on for a while.", client_id=f"line-{turn}")
        yield number(chat, said, sender=(guest, host)[turn % 2], now=now)
