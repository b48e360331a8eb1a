"""Conversations of customers' apps: what stays open for good while chats come and go in it.

A customer has one open chat, whatever it was begun by; a conversation in which the customer writes takes it in. Conversation.facts:
{"name", "description", "roles", "isPublic": the client's own words, "createdBy", "updatedBy"}
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.dispatch import Signal

from chats.errors import Conflict, NotFound
from chats.events import MessagePosted, record
from chats.models import Chat, Conversation, Customer, ForeignCustomer, SpaceChat, SpaceLine
from contactcenter.models import Registration, Team

from .close import close_chat
from .start import Foreign, Start, start_chat
from .welcome import plan_welcome

# conversation, what (create, update, delete, undelete), now; within the transaction that changes it.
changed = Signal()

Check = Callable[[Conversation], None]

EXISTS = "There is such a conversation already."
MOST = 1000  # of one profile


@transaction.atomic
def make_conversation(
    profile: ForeignCustomer,
    external_id: str,
    *,
    team: Team | None,
    facts: dict[str, Any],
    actor: str,
    now: datetime,
) -> Conversation:
    """A new one, or a deleted one again. Raises Conflict where there is one, or where it is another profile's."""
    # Of two at once the second waits here.
    Customer.objects.select_for_update(no_key=True).get(pk=profile.customer_id)
    rows = Conversation.objects.filter(registration=profile.registration, external_id=external_id)
    known = rows.select_for_update(no_key=True).first()
    if known is not None:
        if known.deleted_at is None or known.profile_id != profile.pk:
            raise Conflict(EXISTS)
        return _changed(known, "undelete", actor, now, facts=known.facts | facts, deleted_at=None)
    if profile.conversations.count() >= MOST:
        raise Conflict("This profile has too many conversations.")
    made = Conversation(
        center_id=profile.center_id,
        registration=profile.registration,
        profile=profile,
        team=team,
        external_id=external_id,
        facts=facts | {"createdBy": actor, "updatedBy": actor},
    )
    made.created_at = made.updated_at = now
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:  # another profile's, just made
        raise Conflict(EXISTS) from None
    changed.send(Conversation, conversation=made, what="create", now=now)
    return made


def ensure_conversation(
    profile: ForeignCustomer, external_id: str, *, team: Team | None, actor: str, now: datetime
) -> Conversation:
    """The profile's conversation of this id, made where there was none. Raises Conflict where it is another's."""
    rows = profile.conversations.filter(registration=profile.registration, external_id=external_id, deleted_at=None)
    if found := rows.first():
        return found
    try:
        return make_conversation(profile, external_id, team=team, facts={}, actor=actor, now=now)
    except Conflict:
        if found := rows.first():
            return found  # just made by another
        raise


@transaction.atomic
def change_conversation(
    conversation: Conversation, facts: dict[str, Any], *, actor: str, check: Check, now: datetime
) -> Conversation:
    """Other words. `check` sees the row as it is, locked. Raises NotFound, and what the check raises."""
    locked = _lock(conversation, check)
    return _changed(locked, "update", actor, now, facts=locked.facts | facts)


@transaction.atomic
def delete_conversation(
    conversation: Conversation, *, reason: str, actor: str, check: Check, now: datetime
) -> Conversation:
    """It is there no more, and the chat that is open in it ends without words. Raises NotFound, and what the check raises."""
    customer = Customer.objects.select_for_update(no_key=True).get(foreign=conversation.profile_id)
    for chat in customer.chats.open().filter(space_chats__conversation=conversation).locked():
        close_chat(customer.chats, chat.pk, reason=reason, is_silent=True, now=now)
    return _changed(_lock(conversation, check), "delete", actor, now, deleted_at=now)


def enter(conversation: Conversation, known: SpaceChat) -> None:
    """From now on the chat is in this conversation. The chat's row is locked, and all that was said in it has its line.

    What was said in no conversation is numbered into this one; what was said in another one stays there.
    """
    if known.conversation_id == conversation.pk:
        return
    locked = Conversation.objects.select_for_update(no_key=True).get(pk=conversation.pk)
    lines = list(known.lines.filter(conversation=None).order_by("number"))
    for line in lines:
        line.conversation, line.conversation_number = locked, locked.head
        locked.head += 1
    # One by one: bulk_update knows no composite keys.
    for line in lines:
        rows = SpaceLine.objects.filter(space_chat=known, number=line.number)
        rows.update(conversation=locked, conversation_number=line.conversation_number)
    locked.save(update_fields=["head"])
    SpaceChat.objects.filter(pk=known.pk).update(conversation=locked)
    known.conversation = conversation
    conversation.head = locked.head


def open_chat_of(conversation: Conversation) -> Chat | None:
    """The customer's open chat with its row locked (the customer's first), in whatever conversation it is."""
    customer = Customer.objects.select_for_update(no_key=True).get(foreign=conversation.profile_id)
    found: Chat | None = customer.chats.open().locked().first()
    return found


def begin_in(conversation: Conversation, registration: Registration, *, team: Team | None, now: datetime) -> SpaceChat:
    """A new chat in the conversation, at any hour; nothing is said in it yet. The customer's row is locked.

    Raises Blocked, Invalid (no team takes it).
    """
    customer = Customer.objects.get(foreign=conversation.profile_id)
    actor = f"session:{conversation.profile.external_id}"
    space = {"conversation": conversation, "created_by": actor}
    start = Start(
        client_id=uuid4().hex,
        team=team,
        has_lease=False,
        greets=False,  # answers the first text, so it stands below it: greet()
        at_any_hour=True,
        foreign=Foreign(registration, space=space),
    )
    chat = start_chat(registration.channel, customer, start, now=now).chat
    known = SpaceChat.objects.loaded().get(registration=registration, chat=chat)
    known.registration = registration
    plan_welcome(known, now)
    return known


def greet(chat: Chat, now: datetime) -> None:
    """With the team's greeting, if it has one; the locked chat as it is now."""
    if chat.team.greeting:
        record(chat, MessagePosted(text=chat.team.greeting), now=now)


def _lock(conversation: Conversation, check: Check) -> Conversation:
    rows = Conversation.objects.select_for_update(no_key=True, of=("self",)).filter(pk=conversation.pk)
    locked = rows.filter(deleted_at=None).select_related("profile", "registration").first()
    if locked is None:
        raise NotFound("There is no such conversation.")
    locked.registration = conversation.registration
    check(locked)
    return locked


def _changed(conversation: Conversation, what: str, actor: str, now: datetime, **fields: Any) -> Conversation:
    for name, value in fields.items():
        setattr(conversation, name, value)
    conversation.facts = conversation.facts | {"updatedBy": actor}
    conversation.revision, conversation.updated_at = conversation.revision + 1, now
    conversation.save(update_fields=["facts", "deleted_at", "revision", "updated_at"])
    changed.send(Conversation, conversation=conversation, what=what, now=now)
    return conversation
