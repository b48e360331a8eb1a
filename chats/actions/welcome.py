"""What a team says by itself when a chat begins: its welcome, if nobody has answered in time, and that nobody is there now.

Both are configured through the Chat API (RegistrationTeam.facts), said once, and are no answer: the customer goes on waiting.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from chats.due import do_soon
from chats.events import MessagePosted, record
from chats.form_links import form_link
from chats.models import Chat, FormTemplate, Participant, SpaceChat
from contactcenter.hours import is_open
from contactcenter.models import Registration, RegistrationTeam

from .locking import lock_chat

# The client ids under which they stand in the log.
WELCOME, OUT_OF_HOURS = "welcome", "out-of-hours"
AUTOMATED = {"isAutomatedSend": True}


def plan_welcome(known: SpaceChat, now: datetime) -> None:
    """The chat has begun in the app: its team's welcome is due when the configured time is over. Call it within the transaction that began the chat."""
    welcome = _welcome_of(known.registration_id, known.chat.team_id)
    if not welcome or known.chat.is_carried:
        return
    known.welcome_at = now + timedelta(seconds=welcome["timeout"])
    SpaceChat.objects.filter(pk=known.pk).update(welcome_at=known.welcome_at)
    if known.welcome_at <= now:
        do_soon("say_welcome", known.pk)


def due_welcomes(now: datetime) -> Any:
    """Ids of chats of API spaces, the longest due first."""
    return SpaceChat.objects.filter(welcome_at__lte=now).order_by("welcome_at").values_list("pk", flat=True)


@transaction.atomic
def say_welcome(known_id: UUID, *, now: datetime) -> bool:
    """Say it if it is due and still makes sense; either way it is done with. False: nothing was said."""
    due = SpaceChat.objects.filter(pk=known_id, welcome_at__lte=now)
    known = due.first()
    if known is None:
        return False
    chat = lock_chat(Chat.objects, known.chat_id)
    # Of two who come at the same moment, the second finds that it is no longer due.
    if not due.update(welcome_at=None):
        return False
    welcome = _welcome_of(known.registration_id, chat.team_id)
    has_moved = known.original_team_id not in (None, chat.team_id)
    if not welcome or not chat.is_open or chat.is_carried or has_moved or _is_answered(chat):
        return False
    record(chat, MessagePosted(text=welcome["text"], client_id=WELCOME, facts=AUTOMATED), now=now)
    return True


@transaction.atomic
def say_out_of_hours(chat: Chat, now: datetime) -> bool:
    """The chat has just begun in the app or by SMS, email or Facebook: if its team is closed, say so once, where this is configured, and send the form.

    Call it within the transaction that began the chat; `chat` is read anew. False: nothing was said.
    """
    if is_open(chat.team, now):
        return False
    settings = _after_hours_of(chat)
    if settings is None:
        return False
    locked = lock_chat(Chat.objects, chat.pk)
    text = _with_form(locked, settings)
    if not text or locked.events.filter(sender=None, client_id=OUT_OF_HOURS).exists():
        return False
    record(locked, MessagePosted(text=text, client_id=OUT_OF_HOURS, facts=AUTOMATED), now=now)
    chat.refresh_from_db()
    return True


def form_words(chat_id: UUID, form: FormTemplate) -> str:
    """What is said to send a form: its own words, and the link below."""
    return f"{form.text or form.name}\n{form_link(chat_id, form)}"


def _welcome_of(registration_id: UUID, team_id: UUID) -> dict[str, Any] | None:
    """{timeout: seconds, text}"""
    row = RegistrationTeam.objects.filter(registration_id=registration_id, team_id=team_id).first()
    said = (row.facts.get("appMessaging") or {}).get("welcomeMessage") if row else None
    return said if said and said.get("text") else None


def _is_answered(chat: Chat) -> bool:
    """Somebody or a program has said something; the house's own greeting, which has no client id, is no answer."""
    ours = chat.events.filter(type=MessagePosted.type).exclude(sender_kind=Participant.Kind.CUSTOMER)
    return ours.exclude(client_id=None).exists()


def _after_hours_of(chat: Chat) -> dict[str, Any] | None:
    """Of the oldest API space that has settings for this team."""
    rows = RegistrationTeam.objects.filter(
        team_id=chat.team_id,
        registration__protocol=Registration.Protocol.COMAPI,
        registration__is_active=True,
        registration__application__is_active=True,
    )
    for row in rows.order_by("registration__created_at", "registration_id"):
        settings: dict[str, Any] = row.facts.get("settings") or {}
        if settings.get("outOfHoursMessageEnabled"):
            return settings
    return None


def _with_form(chat: Chat, settings: dict[str, Any]) -> str:
    key = settings.get("outOfHoursFormTemplateId")
    form = FormTemplate.objects.filter(center_id=chat.center_id, key=key).first() if key else None
    said = [settings.get("outOfHoursMessage") or "", form_words(chat.pk, form) if form else ""]
    return "\n\n".join(part for part in said if part)
