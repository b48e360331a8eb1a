"""What a team's rules do to a chat by themselves: end a search, remind, close. Woken by chat.due_at."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from chats.deadlines import Step, next_step
from chats.due import ask_routing
from chats.events import CustomerReminded, SearchFailed, record
from chats.models import Chat, Participant, Search
from contactcenter.models import Team

from .close import close_chat
from .locking import lock_open_chat
from .search import search_anew


@transaction.atomic
def tend_chat(chat_id: UUID, *, now: datetime) -> Step:
    """Do what the team's rules want of this chat now, and set when to look again."""
    # Of two who come at the same moment, the second finds that the chat is no longer due.
    chat = Chat.objects.due(now).filter(pk=chat_id).locked().first()
    if chat is None:
        return Step.NOTHING
    customer = chat.participants.get(kind=Participant.Kind.CUSTOMER)
    search = Search.objects.filter(chat=chat).first()
    unsought_since = search.unsought_since(chat) if search else None
    step, look_at = next_step(chat, chat.team, customer.lease_until, now, unsought_since=unsought_since)
    offer = chat.invitations.pending().first() if step is Step.FAIL_SEARCH else None
    if offer:
        # It is ringing at somebody's: nobody was found only when that ends, too. Routing makes no further offer by then.
        step, look_at = Step.NOTHING, max(offer.expires_at, now + timedelta(seconds=1))
    chat.due_at = look_at
    match step:
        case Step.FAIL_SEARCH:
            _fail_search(chat, now)
        case Step.REMIND:
            chat.reminded_at = now
            record(chat, CustomerReminded(text=chat.team.reminder), now=now)
        case Step.CLOSE_LEFT:
            close_chat(Chat.objects, chat.pk, reason=Chat.CloseReason.CUSTOMER_LEFT, now=now)
        case Step.CLOSE_IDLE:
            close_chat(Chat.objects, chat.pk, reason=Chat.CloseReason.IDLE, now=now)
        case Step.CLOSE_UNSOUGHT:
            close_chat(Chat.objects, chat.pk, reason=Chat.CloseReason.UNANSWERED, now=now)
        case Step.NOTHING:
            Chat.objects.filter(pk=chat.pk).update(due_at=look_at)
    return step


@transaction.atomic
def search_again(participant: Participant, *, now: datetime) -> Chat:
    """The customer wants the search (direct mode) to go on for another period, or one that a program steers to start anew after its end."""
    chat = lock_open_chat(Chat.objects, participant.chat_id)
    search = Search.objects.filter(chat=chat).first()
    if search is not None:
        if chat.is_waiting and not search.is_running:
            search_anew(chat, now)
    elif chat.state == Chat.State.SEARCHING:
        _search_on(chat, now)
        chat.save(update_fields=["search_until", "due_at"])
        ask_routing([chat.team_id], now)
    return chat


def _fail_search(chat: Chat, now: datetime) -> None:
    """Nobody was found in time: say so, then close, or search on while the customer may leave a message instead."""
    if chat.team.on_nobody == Team.Nobody.CLOSE:
        record(chat, SearchFailed(), now=now)
        close_chat(Chat.objects, chat.pk, reason=Chat.CloseReason.UNANSWERED, now=now)
        return
    _search_on(chat, now)
    record(chat, SearchFailed(), now=now)
    ask_routing([chat.team_id], now)


def _search_on(chat: Chat, now: datetime) -> None:
    chat.search_until = chat.due_at = now + timedelta(seconds=chat.team.search_seconds)
