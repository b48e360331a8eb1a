"""POST /chats: whose chat it becomes, and who has it. A profile that is named is made when it is unknown."""

from datetime import datetime
from typing import Any

from django.db import transaction

from agents.models import Agent, Membership
from chats.actions.conversations import ensure_conversation
from chats.actions.space_chats import HAS_CHAT, NewChat, begin_space_chat
from chats.errors import Conflict, Invalid
from chats.models import Conversation, ForeignCustomer, SpaceChat
from contactcenter.models import Registration, Team

from .asked_chats import AGENT_ROLE
from .callers import Caller
from .channels import check_channel, wanted_reach
from .names import APP, find_agent, talk_id, wanted_team
from .profiles import ensure_profile

CONVERSATION = "conversationId"
PAIR = "A chat takes one customer and one agent."
NOBODY = "Name the customer: a participant, or context.conversationId."


def begin(caller: Caller, said: dict[str, Any], *, now: datetime) -> SpaceChat:
    """`said`: of ChatCreate. Raises Invalid, Conflict (a third participant, an open chat of the customer), Full, Blocked."""
    registration = caller.registration
    context = said.get("context") or {}
    people = said.get("participants") or []
    agents = {one["id"] for one in people if one["role"] == AGENT_ROLE}
    customers = {one["id"] for one in people} - agents
    if len(agents) > 1 or len(customers) > 1:
        raise Conflict(PAIR)
    team = wanted_team(registration, said["teamId"])
    check_channel(registration, said["channelId"])
    agent = wanted_agent(registration, agents.pop(), team, "participants") if agents else None
    conversation = find_conversation(registration, context)
    profile_id = customers.pop() if customers else _profile_of(conversation, context, said["teamId"])
    with transaction.atomic():  # a chat that is refused leaves no profile behind
        profile = ensure_profile(caller, profile_id, now)
        profile.registration = registration
        if profile.customer.chats.open().exists():
            raise Conflict(HAS_CHAT)
        new = NewChat(
            team=team,
            reach=wanted_reach(registration, said["channelId"], profile.customer, team),
            actor=caller.actor,
            name=said["name"],
            description=said.get("description") or "",
            context=context,
            conversation=_room(caller, said, profile, team, now),
            agent=agent,
        )
        return begin_space_chat(profile, new, now=now)


def wanted_agent(registration: Registration, profile_id: str, team: Team, param: str) -> Agent:
    """Of this team. Raises Invalid for any other."""
    agent = find_agent(registration, profile_id)
    if agent is None:
        raise Invalid(fields={param: "There is no such agent."})
    if not Membership.objects.filter(agent=agent, team=team).exists():
        raise Invalid(fields={param: "This agent is not of this team."})
    return agent


def find_conversation(registration: Registration, context: dict[str, Any]) -> Conversation | None:
    wanted = context.get(CONVERSATION)
    known = Conversation.objects.filter(registration=registration, external_id=wanted, deleted_at=None)
    return known.select_related("profile").first() if wanted else None


def _profile_of(conversation: Conversation | None, context: dict[str, Any], team_id: str) -> str:
    """Where no customer is named: the conversation's, whose id may be <teamId>_<profileId>."""
    if conversation is not None and conversation.profile.external_id:
        return conversation.profile.external_id
    team, _line, profile_id = (context.get(CONVERSATION) or "").partition(f"{team_id}_")
    if team or not profile_id:
        raise Invalid(fields={"participants": NOBODY})
    return profile_id


def _room(
    caller: Caller, said: dict[str, Any], profile: ForeignCustomer, team: Team, now: datetime
) -> Conversation | None:
    """Where the customer's app finds the chat: the conversation that is named, else the one in which it talks to this team."""
    named = (said.get("context") or {}).get(CONVERSATION)
    usual = f"{said['teamId']}_{profile.external_id}" if said["channelId"] == APP else ""
    try:
        wanted = named or talk_id(usual)
        return ensure_conversation(profile, wanted, team=team, actor=caller.actor, now=now) if wanted else None
    except Conflict as refused:
        if named:
            raise Invalid(fields={f"context.{CONVERSATION}": refused.message}) from None
        return None  # another's happens to be called so
