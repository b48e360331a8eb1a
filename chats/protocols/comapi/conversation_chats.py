"""Conversations of customers' apps and the chats that come and go in them.

An id "<teamId>_<profileId>" names the team that a new chat goes to; such a conversation is there as soon as its own app asks for it.
Any other id leaves the team to the inbound rules, then to the channel.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from chats.actions.conversations import begin_in, ensure_conversation, enter, greet, open_chat_of
from chats.actions.post import Posted
from chats.actions.rules import follow, rules_for, team_of
from chats.actions.ways import bring_home
from chats.actions.welcome import say_out_of_hours
from chats.errors import Conflict, NotFound
from chats.models import Carriage, Chat, Conversation, ForeignCustomer, SpaceChat
from contactcenter.models import Registration, Team

from .callers import Caller
from .lines import catch_up, catch_up_to_read
from .names import find_team, talk_id, team_id, visible_teams
from .parts import read_parts
from .posting import parts_said, say
from .profiles import ensure_profile
from .spaces import space_chat_of

UNKNOWN = "There is no such conversation."
MOST_STRAYS = 50
NO_CHAT = (
    "No chat is open in this conversation: begin one by POST /chats, or speak for the customer (direction inbound)."
)


def conversations_of(caller: Caller) -> Any:
    """Those that the caller may see: an app those of its own profile."""
    rows = Conversation.objects.filter(registration=caller.registration, deleted_at=None)
    if caller.profile is not None:
        rows = rows.filter(profile=caller.profile)
    return rows.select_related("profile__customer", "team")


def find_conversation(caller: Caller, external_id: str, now: datetime) -> Conversation:
    """Raises NotFound; an app's own "<teamId>_<profileId>" is made when it is asked for first."""
    wanted, external_id = external_id, talk_id(external_id)
    found: Conversation | None = conversations_of(caller).filter(external_id=external_id).first()
    if found is None and caller.profile is not None:
        caller.profile.registration = caller.registration
        adopt_strays(caller.registration, caller.profile, now)
        found = conversations_of(caller).filter(external_id=external_id).first()
        team = team_named(caller.registration, wanted, caller.profile)
        if found is None and team is not None and not _is_deleted(caller, external_id):
            found = ensure_conversation(caller.profile, external_id, team=team, actor=caller.actor, now=now)
    if found is None:
        raise NotFound(UNKNOWN)
    found.registration = caller.registration
    return found


def team_named(registration: Registration, external_id: str, profile: ForeignCustomer) -> Team | None:
    """Of an id "<teamId>_<profileId>"; None for any other."""
    name, line, _nothing = external_id.rpartition(f"_{profile.external_id}")
    return find_team(registration, name) if line and not _nothing and name else None


def adopt_strays(registration: Registration, profile: ForeignCustomer, now: datetime) -> None:
    """Chats that programs began for the profile in no conversation come into the one with their team, so that its app sees them."""
    chats = Chat.objects.filter(
        customer_id=profile.customer_id, foreign__registration=registration, is_carried=False, team__is_active=True
    )
    rows = SpaceChat.objects.filter(registration=registration).filter(
        ~Q(conversation=None) | Q(deleted_at__isnull=False)
    )
    strays = chats.exclude(pk__in=rows.values("chat_id")).select_related("team", "customer")
    for chat in strays.order_by("started_at")[:MOST_STRAYS]:
        external_id = talk_id(f"{team_id(registration, chat.team)}_{profile.external_id}")
        actor = f"session:{profile.external_id}"
        try:
            conversation = ensure_conversation(profile, external_id, team=chat.team, actor=actor, now=now)
        except Conflict:
            continue  # deleted by its owner, or another's
        with transaction.atomic():
            Chat.objects.filter(pk=chat.pk).locked().get()
            known = space_chat_of(registration, chat, now=now)
            if known.conversation_id is None:
                catch_up(known, now)
                enter(conversation, known)


def number_all(conversation: Conversation, now: datetime) -> None:
    """All that was said in the conversation, delivered and read has its line after this; `head` is as it is then."""
    rows = SpaceChat.objects.loaded().filter(conversation=conversation)
    behind = ~Q(chat__state=Chat.State.CLOSED) | Q(told_position__lt=F("chat__position"))
    for known in rows.filter(behind).order_by("chat__started_at"):
        known.registration = conversation.registration
        catch_up_to_read(known, now)
    conversation.head = Conversation.objects.values_list("head", flat=True).get(pk=conversation.pk)


# Saying ---------------------------------------------------------------------------------------------------------------


def say_in(caller: Caller, conversation: Conversation, said: dict[str, Any], now: datetime) -> tuple[SpaceChat, Posted]:
    """Say it in the customer's open chat, wherever that is, or begin one with it. `said`: of asked_messages.MessagePost.

    Of several first messages at once one begins the chat. Raises what say() raises, Blocked, Conflict.
    """
    text = read_parts(parts_said(said)).text  # what is refused begins nothing
    with transaction.atomic():
        chat = open_chat_of(conversation)
        known = _known(conversation, chat, now) if chat is not None else None
        if known is not None:
            rules = rules_for(known.chat.channel, text, registration=caller.registration)
            _bring_here(conversation, known.chat, now)
            posted = say(caller, known, said, now)
        else:
            _check_begins(caller, conversation, said)
            rules = rules_for(caller.registration.channel, text, registration=caller.registration)
            team = _team(conversation) or team_of(rules)
            known = begin_in(conversation, caller.registration, team=team, now=now)
            posted = say(caller, known, said, now)
            _say_first(known, now)
        if _is_customers(caller, conversation, said):
            chat = Chat.objects.filter(pk=known.chat_id).locked().get()
            follow(rules, chat, now=now)
        return known, posted


def say_for_profile(
    caller: Caller, profile_id: str, external_id: str, said: dict[str, Any], now: datetime
) -> tuple[SpaceChat, Posted]:
    """A program brings what the profile's app would have sent. `external_id`: of the conversation; empty for the usual one with the channel's team."""
    profile = ensure_profile(caller, profile_id, now)
    profile.registration = caller.registration
    name = external_id or f"{_usual_team(caller.registration)}_{profile_id}"
    team = team_named(caller.registration, name, profile)
    conversation = ensure_conversation(profile, talk_id(name), team=team, actor=caller.actor, now=now)
    conversation.registration = caller.registration
    return say_in(caller, conversation, {**said, "direction": "inbound"}, now)


def _known(conversation: Conversation, chat: Chat, now: datetime) -> SpaceChat:
    """The open chat, in this conversation from now on. Raises Conflict for one that the space may not see."""
    registration = conversation.registration
    if not visible_teams(registration).filter(pk=chat.team_id).exists():
        raise Conflict("This customer has an open chat elsewhere.")
    known = space_chat_of(registration, chat, now=now)
    if known.conversation_id != conversation.pk:
        catch_up(known, now)
        enter(conversation, known)
    return known


def _bring_here(conversation: Conversation, chat: Chat, now: datetime) -> None:
    """One that began by SMS, say, has no other place to return to than this app."""
    way = Carriage.objects.filter(chat=chat).first()
    if way is not None and way.home_id is None:
        bring_home(chat, conversation.registration.channel, now=now)


def _say_first(known: SpaceChat, now: datetime) -> None:
    chat = Chat.objects.filter(pk=known.chat_id).locked().select_related("team").get()
    greet(chat, now)
    say_out_of_hours(chat, now)


def _team(conversation: Conversation) -> Team | None:
    """Whom the conversation is with, if that team takes chats still."""
    own = visible_teams(conversation.registration).filter(pk=conversation.team_id)
    found: Team | None = own.first() if conversation.team_id else None
    return found


def _usual_team(registration: Registration) -> str:
    team = registration.channel.team
    return team_id(registration, team) if team is not None else "chat"


def _check_begins(caller: Caller, conversation: Conversation, said: dict[str, Any]) -> None:
    if not _is_customers(caller, conversation, said):
        raise Conflict(NO_CHAT)


def _is_customers(caller: Caller, conversation: Conversation, said: dict[str, Any]) -> bool:
    name = (said.get("from") or {}).get("profileId")
    own = (conversation.profile.external_id, str(conversation.profile.customer_id))
    return not caller.is_program or name in own or (said.get("direction") == "inbound" and not name)


def _is_deleted(caller: Caller, external_id: str) -> bool:
    rows = Conversation.objects.filter(registration=caller.registration, external_id=external_id)
    return rows.exclude(deleted_at=None).exists()
