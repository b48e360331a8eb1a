"""Chats that customers' clients begin by REST, as plain calls (chats.doors.fast_path): those that begin at the same moment are written together."""

import re
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from chats.actions.begin import LONGEST_ANSWER, Begin, Wish, begin_chats
from chats.actions.sessions import LIVE_WITH_WIDGET, may_slide
from chats.actions.start import Started
from chats.doors import fast_path
from chats.doors.fast_path import Call, Said
from chats.doors.throttles import STARTS_BY_CUSTOMER
from chats.models import CustomerSession, Participant
from chats.shapes import chat_for_customer
from chats.sockets.gather import Gather
from chats.sockets.threads import in_begin_thread, in_fast_thread
from contactcenter.prepared import attach, found_together

from .chats import Chats, started_answer, wish_of
from .fast_path import CLIENT_ID, said_in, token_hash_of


async def begin(call: Call) -> Said | None:
    """POST chats {client_id, text, …} by a customer who has none open."""
    token, sent = token_hash_of(call), call.members()
    wish = _wish(sent) if sent else None
    if token is None or wish is None:
        return None
    session = await _sessions.get(token)
    if session is None or not call.comes_from(session.channel.allowed_origins):
        return None
    if not await fast_path.is_below(STARTS_BY_CUSTOMER, str(session.customer_id)):
        return None
    started = await fast_path.in_time(_begins.get(Begin(session.channel, session.customer_id, wish)))
    if started is None:
        return None
    attach(started.chat, "participants", [started.participant], Participant)
    answer = started_answer(started, chat_for_customer(started.chat))
    said = said_in(call, session.customer.language, session.center.language, fast_path.rendered(Chats, answer))
    said.status = 201
    return said


def _wish(sent: dict[str, Any]) -> Wish | None:
    """None for what the view is to look at."""
    if not sent.keys() <= _CHECKS.keys() or "client_id" not in sent:
        return None
    if not all(_CHECKS[name](value) for name, value in sent.items()):
        return None
    return wish_of(sent)


def _is_short(most: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and len(value) <= most and value.isprintable()


def _matches(pattern: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _is_page(value: Any) -> bool:
    checks = {"url": _is_short(2000), "title": _is_short(300)}
    return isinstance(value, dict) and value.keys() <= checks.keys() and all(checks[k](v) for k, v in value.items())


def _is_form(value: Any) -> bool:
    is_answer = _is_short(LONGEST_ANSWER)
    return isinstance(value, dict) and all(is_answer(one) for pair in value.items() for one in pair)


# What asked.StartChat lets through of these for certain.
_CHECKS: dict[str, Callable[[Any], bool]] = {
    "client_id": _matches(CLIENT_ID.pattern),
    "text": lambda value: isinstance(value, str),
    "team": _matches("[A-Za-z0-9_-]{0,64}"),
    "subject": _is_short(200),
    "language": _matches("(?:[a-z]{2}(?:-[A-Z]{2})?)?"),
    "page": _is_page,
    "form": _is_form,
}


def _load_sessions(tokens: list[str]) -> dict[str, CustomerSession]:
    """Live ones, without those whose end is to be moved."""
    now = timezone.now()
    [found] = found_together((LIVE_WITH_WIDGET, [(token, now) for token in tokens]))
    sessions = [session for rows in found for session in LIVE_WITH_WIDGET.made(rows)]
    return {session.token_hash: session for session in sessions if not may_slide(session, now)}


def _begin_all(begins: list[Begin]) -> dict[Begin, Started]:
    started = zip(begins, begin_chats(begins, now=timezone.now()), strict=True)
    return {begin: one for begin, one in started if one}


_sessions: Gather[str, CustomerSession] = Gather(_load_sessions, rest=fast_path.REST, run=in_fast_thread)
_begins: Gather[Begin, Started] = Gather(_begin_all, rest=fast_path.REST, run=in_begin_thread)

ROUTES = (fast_path.Route("POST", "/api/v1/chats", Chats, begin),)
