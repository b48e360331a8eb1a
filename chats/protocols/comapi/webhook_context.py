"""Events as the API spaces that may see them know their chats: everything that telling them needs, loaded at once."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from agents.models import Agent
from chats.models import Chat, Event, ForeignCustomer, SpaceChat
from chats.outbox.filing import Record
from contactcenter.models import Registration, RegistrationTeam, Team

from .participants import Cast

Pair = tuple[UUID, UUID]  # a registration's id, and a row's of ours


@dataclass(frozen=True, slots=True)
class Told:
    """One event for one space. team: what the space calls the chat's team; agents: by id as text, those whom events name."""

    registration: Registration
    known: SpaceChat
    cast: Cast
    event: Event
    team: str
    agents: Mapping[str, Agent]


def tell(teams: Mapping[Registration, Collection[UUID]], records: Sequence[Record]) -> list[Told]:
    """Of each record, in their order, what each space of its center may hear. teams: those that the space's application may use; none: all.

    Five queries however many records there are.
    """
    seen = [
        (registration, record)
        for record in records
        for registration, own in teams.items()
        if registration.center_id == record.chat.center_id and (not own or record.chat.team_id in own)
    ]
    if not seen:
        return []
    chats = {record.chat.pk: record.chat for _, record in seen}
    spaces = list(teams)
    known, names, profiles = _known(spaces, chats), _team_names(spaces, chats), _profiles(spaces, chats)
    agents = _agents([record.event for _, record in seen])
    found = []
    for registration, record in seen:
        row = known.get((registration.pk, record.chat.pk)) or _unknown(registration, record.chat)
        if row.deleted_at is not None:
            continue
        # The chat as it was with this event, which the database may not show yet.
        row.registration, row.chat = registration, record.chat
        customer = profiles.get((registration.pk, record.chat.customer_id), str(record.chat.customer_id))
        team = names[registration.pk, record.chat.team_id]
        found.append(Told(registration, row, Cast(row, customer), record.event, team, agents))
    return found


def _known(spaces: Collection[Registration], chats: Mapping[UUID, Chat]) -> dict[Pair, SpaceChat]:
    rows = SpaceChat.objects.filter(registration__in=spaces, chat__in=list(chats))
    rows = rows.select_related("conversation", "original_team")
    return {(row.registration_id, row.chat_id): row for row in rows}


def _unknown(registration: Registration, chat: Chat) -> SpaceChat:
    """For a chat that nobody has asked for there: such rows are made when somebody asks."""
    return SpaceChat(center_id=chat.center_id, registration=registration, chat=chat, updated_at=chat.started_at)


def _team_names(spaces: Collection[Registration], chats: Mapping[UUID, Chat]) -> dict[Pair, str]:
    ids = {chat.team_id for chat in chats.values()}
    keys = dict(Team.objects.filter(pk__in=ids).values_list("pk", "key"))
    rooms = RegistrationTeam.objects.filter(registration__in=spaces, team__in=ids)
    named = {(row.registration_id, row.team_id): row.foreign_id for row in rooms}
    return {(one.pk, pk): named.get((one.pk, pk), key) for one in spaces for pk, key in keys.items()}


def _profiles(spaces: Collection[Registration], chats: Mapping[UUID, Chat]) -> dict[Pair, str]:
    ids = {chat.customer_id for chat in chats.values()}
    rows = ForeignCustomer.objects.filter(registration__in=spaces, customer__in=ids, external_id__isnull=False)
    return {(row.registration_id, row.customer_id): row.external_id or "" for row in rows}


def _agents(events: Iterable[Event]) -> dict[str, Agent]:
    """Those whom the events name, and those who say them: theirs is set on the sender, too."""
    senders = [event.sender for event in events if event.sender is not None and event.sender.agent_id]
    named = {str(event.data["agent"]) for event in events if event.data.get("agent")}
    wanted = named | {str(one.agent_id) for one in senders}
    rows = Agent.objects.filter(pk__in=wanted).select_related("user") if wanted else []
    agents = {str(row.pk): row for row in rows}
    for one in senders:
        one.agent = agents.get(str(one.agent_id), one.agent)
    return agents
