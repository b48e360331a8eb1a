"""Letting clients in, and doing what they ask: the synchronous half, on this door's threads."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from django.db.models import prefetch_related_objects

from chats.doors.socketio.place import Place
from chats.doors.throttles import WRONG_PASSWORDS, address_of, count
from chats.errors import Invalid, Unauthorized
from chats.models import Chat
from chats.protocols.hyperchat.callers import Caller, Credentials, admit, find_registration, prove
from chats.protocols.hyperchat.reach import Reach, as_id
from chats.protocols.hyperchat.shapes import parse_message_id

from .calls import CALLS, FOLLOWED, Answer, Ask

LONGEST = 500  # characters of a credential


@dataclass(frozen=True)
class Done:
    """What was asked is done. chat: with its participants, to be followed from the index `after` on; None when nothing is."""

    caller: Caller
    answer: Answer
    chat: Chat | None = None
    after: int = 0


def handshake_of(auth: Any, place: Place) -> dict[str, Any]:
    """What a client showed when it connected: as its auth data, else in the address."""
    query = {name: values[0] for name, values in parse_qs(place.query).items()}
    return query | (auth if isinstance(auth, dict) else {})


def credentials_of(said: dict[str, Any], before: Credentials) -> Credentials:
    """appId, key and token as said; the application's stay as they were shown before. A secret is for servers, and these are none."""
    return Credentials(
        app_id=_word(said.get("appId")) or before.app_id,
        domain_key=_word(said.get("key")) or before.domain_key,
        token=_word(said.get("token")),
    )


def come_in(place: Place, shown: Credentials, user_id: Any, now: datetime) -> Caller:
    """Who it is; an agent is there from now on (admit sees to it). Raises Unauthorized, Forbidden, TooMany."""
    request = place.request()
    caller = admit(request, shown, now)
    if user_id not in (None, "") and (caller.user is None or as_id(user_id) != caller.user.pk):
        count(WRONG_PASSWORDS, address_of(request))
        raise Unauthorized("Wrong credentials")
    return caller


def do(shown: Credentials, name: str, sent: dict[str, Any], now: datetime) -> Done:
    """Do what an event of the table asks. The client is proven anew: rooms, sessions and seats may have changed. Raises Unauthorized and any Refused."""
    registration = find_registration(shown.app_id)
    caller = prove(registration, shown, now) if registration else None
    if caller is None or caller.user is None:
        raise Unauthorized("Log in again")
    ask = Ask(Reach(caller), sent, now)
    if name not in FOLLOWED:
        return Done(caller, CALLS[name](ask))
    # Before the answer is made: what happens meanwhile is told twice rather than never.
    before = FOLLOWED[name](ask)
    after = _after(sent.get("after"), before) if before else 0
    answer = CALLS[name](ask)
    chat = ask.reach.chat(answer["chat"]["id"])
    prefetch_related_objects([chat], "participants")
    return Done(caller, answer, chat, after)


def _after(said: Any, chat: Chat) -> int:
    """Up to where the client knows the chat: a message's id or its number; nothing means that it reads the history of the answer."""
    if said in (None, ""):
        return chat.index
    known = parse_message_id(said)
    if known is not None and known[0] == chat.pk:
        return known[1]
    if isinstance(said, int) and not isinstance(said, bool) and said >= 0:
        return said
    raise Invalid("after: the id of a message of this chat")


def _word(value: Any) -> str:
    """A credential, or one that can only be wrong; empty where there is none."""
    if value in (None, ""):
        return ""
    return value if isinstance(value, str) and value.isascii() and len(value) <= LONGEST else "?"
