"""What a caller may reach. Every id from outside is looked up in one of these; what is not in it is not found, whoever owns it."""

from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from agents.models import Agent, CannedReply, Membership
from chats.carriers.registry import PROVIDERS
from chats.errors import Invalid, NotFound
from chats.models import (
    Attachment,
    Carrier,
    Chat,
    Connector,
    Customer,
    OfflineMessage,
    OutboundMessage,
    Participant,
    Webhook,
)
from contactcenter.models import Channel, Team
from contactcenter.prepared import Prepared

from .principals import AgentCaller, ApplicationCaller, Caller, CustomerCaller


def visible_chats(caller: Caller) -> "QuerySet[Chat]":
    """A customer's own; an agent's teams', those held or on offer, and those as whose guest the agent is asked; a supervisor's center's; an application's teams'."""
    if isinstance(caller, CustomerCaller):
        return Chat.objects.filter(customer_id=caller.customer.pk)
    chats = Chat.objects.filter(center_id=caller.center.pk)
    if isinstance(caller, ApplicationCaller):
        return chats if caller.team_ids is None else chats.filter(team_id__in=caller.team_ids)
    if isinstance(caller, AgentCaller):
        if caller.agent.is_supervisor:
            return chats
        return _of_agent(chats, caller.agent.pk)
    return chats.none()


def _of_agent(chats: "QuerySet[Chat]", agent_id: Any) -> "QuerySet[Chat]":
    return chats.filter(
        Q(team_id__in=own_team_ids(agent_id))
        | Q(agent=agent_id)
        | Q(occupation__agent=agent_id)
        | Q(pk__in=Participant.objects.guests().filter(agent=agent_id).values("chat_id"))
    )


def own_team_ids(agent_id: Any) -> "QuerySet[Any, Any]":
    return Membership.objects.filter(agent=agent_id).values("team_id")


def find_chat(caller: Caller, chat_id: UUID) -> Chat:
    """One of `visible_chats`. Raises NotFound."""
    if isinstance(caller, CustomerCaller):
        found = _customers_chat(chat_id, caller.customer.pk)
    elif isinstance(caller, AgentCaller) and not caller.agent.is_supervisor:
        found = _AGENTS_CHAT.first(chat_id, caller.center.pk, caller.agent.pk)
    else:
        found = visible_chats(caller).filter(pk=chat_id).first()
    if found is None:
        raise NotFound
    return found


def _customers_chat(chat_id: UUID, customer_id: UUID) -> Chat | None:
    """With its customer's part: who asks for the chat acts in it."""
    part = _CUSTOMERS_PART.first(chat_id, customer_id)
    if part is None:
        return None
    chat: Chat = part.chat
    chat.customer_part = part
    return chat


_CUSTOMERS_PART = Prepared(
    lambda chat, customer: Participant.objects.filter(
        kind=Participant.Kind.CUSTOMER, chat=chat, chat__customer=customer
    ).select_related("chat")
)
_AGENTS_CHAT = Prepared(lambda chat, center, agent: _of_agent(Chat.objects.filter(pk=chat, center=center), agent)[:1])


def visible_teams(caller: Caller) -> "QuerySet[Team]":
    """All of the center's, which a chat may be given to; an application's own. Switched-off ones too: old chats name them."""
    teams = Team.objects.filter(center_id=caller.center.pk).select_related("center")
    if isinstance(caller, ApplicationCaller) and caller.team_ids is not None:
        return teams.filter(pk__in=caller.team_ids)
    return teams


def read_teams(caller: Caller) -> "QuerySet[Team]":
    """Teams whose chats the caller sees."""
    teams = visible_teams(caller)
    if isinstance(caller, AgentCaller) and not caller.agent.is_supervisor:
        return teams.filter(pk__in=own_team_ids(caller.agent.pk))
    return teams


def find_team(teams: "QuerySet[Team]", named: str, *, field: str = "team") -> Team:
    """A team by key or id, for a body or a query. Raises Invalid."""
    team = teams.filter(Q(key=named) | Q(pk=as_id(named))).first()
    if team is None:
        raise Invalid(fields={field: _("There is no such team.")})
    return team


def visible_agents(caller: Caller) -> "QuerySet[Agent]":
    agents = Agent.objects.active().filter(center_id=caller.center.pk)
    if isinstance(caller, ApplicationCaller) and caller.team_ids is not None:
        members = Membership.objects.filter(team_id__in=caller.team_ids).values("agent_id")
        return agents.filter(pk__in=members)
    return agents


def find_agent(caller: Caller, agent_id: UUID) -> Agent:
    """An agent whom a body names. Raises Invalid."""
    agent = visible_agents(caller).filter(pk=agent_id).first()
    if agent is None:
        raise Invalid(fields={"agent": _("There is no such agent.")})
    return agent


def visible_channels(caller: Caller) -> "QuerySet[Channel]":
    channels = Channel.objects.filter(center_id=caller.center.pk).select_related("team", "center")
    if isinstance(caller, ApplicationCaller) and caller.team_ids is not None:
        return channels.filter(Q(team_id__in=caller.team_ids) | Q(team=None))
    return channels


def visible_customers(caller: Caller) -> "QuerySet[Customer]":
    """Whoever wrote in a chat, or left a message, that the caller sees; to supervisors and unlimited applications everybody."""
    customers = Customer.objects.filter(center_id=caller.center.pk)
    if isinstance(caller, AgentCaller) and caller.agent.is_supervisor:
        return customers
    if isinstance(caller, ApplicationCaller) and caller.team_ids is None:
        return customers
    chats = visible_chats(caller).filter(customer=OuterRef("pk"))
    left = visible_offline_messages(caller).filter(customer=OuterRef("pk"))
    return customers.filter(Exists(chats) | Exists(left))


def find_customer(caller: Caller, customer_id: UUID) -> Customer:
    """Raises NotFound."""
    return find_in(visible_customers(caller), customer_id)


def visible_offline_messages(caller: Caller) -> "QuerySet[OfflineMessage]":
    return OfflineMessage.objects.filter(center_id=caller.center.pk, team__in=read_teams(caller).values("pk"))


def visible_attachments(caller: Caller) -> "QuerySet[Attachment]":
    """Files of visible chats. Customers see what was sent to them and what they uploaded; never files of notes."""
    files = Attachment.objects.filter(chat__in=visible_chats(caller).values("pk"))
    if isinstance(caller, CustomerCaller):
        shown = Chat.objects.filter(
            pk=OuterRef("chat_id"), events__position=OuterRef("position"), events__index__isnull=False
        )
        return files.filter(Q(uploader__kind="customer") | Exists(shown))
    return files


def visible_replies(caller: Caller) -> "QuerySet[CannedReply]":
    replies = CannedReply.objects.filter(center_id=caller.center.pk).select_related("team")
    return replies.filter(Q(team=None) | Q(team_id__in=read_teams(caller).values("pk")))


def visible_webhooks(caller: Caller) -> "QuerySet[Webhook]":
    """An application's own; to supervisors the center's."""
    webhooks = Webhook.objects.kept().filter(center_id=caller.center.pk).select_related("application", "registration")
    if isinstance(caller, ApplicationCaller):
        return webhooks.filter(application=caller.application)
    is_supervisor = isinstance(caller, AgentCaller) and caller.agent.is_supervisor
    return webhooks if is_supervisor else webhooks.none()


def visible_connectors(caller: Caller) -> "QuerySet[Connector]":
    """The center's that may come at all."""
    live = Connector.objects.filter(registration__is_active=True, registration__application__is_active=True)
    return live.filter(center_id=caller.center.pk)


def visible_outbound(caller: ApplicationCaller) -> "QuerySet[OutboundMessage]":
    """An application's own."""
    return OutboundMessage.objects.filter(application=caller.application).select_related("connector")


def live_carriers(caller: Caller) -> "QuerySet[Carrier]":
    """The center's that send, by their channels' names."""
    live = Carrier.objects.filter(center_id=caller.center.pk, is_active=True, channel__is_active=True)
    live = live.exclude(provider=Carrier.Provider.PUSH)  # it calls devices, nothing travels by it
    known = live.filter(provider__in=PROVIDERS).select_related("channel")
    return known.defer("kept_secrets", "bookmark").order_by("channel__name", "pk")


def as_id(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None


def find_in(rows: Any, row_id: UUID) -> Any:
    """The row out of those that the caller may reach. Raises NotFound."""
    row = rows.filter(pk=row_id).first()
    if row is None:
        raise NotFound
    return row
