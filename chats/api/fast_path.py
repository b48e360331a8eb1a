"""What customers' clients ask all the time by REST, as plain calls (chats.doors.fast_path): the log when it holds nothing new, and a message of text; chats to begin are fast_starts'."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Subquery
from django.utils import timezone

from chats.actions.post import Post
from chats.actions.sessions import LIVE_FACTS, Proven, proven
from chats.doors import fast_path
from chats.doors.fast_path import Call, Said
from chats.languages import accepted_language, spoken
from chats.models import Participant
from chats.shapes import chat_for_customer
from chats.sockets.gather import Gather, load_places
from chats.sockets.threads import in_fast_thread
from contactcenter.models import Installation, hash_secret
from contactcenter.prepared import Prepared, PreparedValues, found_together

from .events import Events, events_answer, place_shape
from .messages import Messages, posted_to_customer
from .render import chat_of

CLIENT_ID = re.compile(r"[!-~]{1,64}")
NUMBER = re.compile(r"[0-9]{1,9}")
PLACES_REST = 0.05  # seconds between two looks at a queue: of a long one each is dear
TOKEN = re.compile(rb"Bearer ([A-Za-z0-9_-]{20,100})")


@dataclass(frozen=True, slots=True)
class Asked:
    """A customer's session, by its token's hash, and a chat."""

    token_hash: str
    chat_id: UUID


@dataclass(frozen=True, slots=True)
class Shown:
    """A chat as a poll without news tells it, and what there would be to do beside. `content` is None for a chat of which more has to be said.

    `waiting`: the answer and the team of one that waits; its place in the queue is another at each poll.
    """

    content: bytes | None
    waiting: tuple[dict[str, Any], UUID] | None
    index: int
    customer_part: UUID
    delivered_index: int
    lease_until: datetime | None


# Polls --------------------------------------------------------------------------------------------------------------------


async def poll(call: Call, chat_id: str) -> Said | None:
    """GET events?after=…&wait=…: while there is nothing new."""
    asked, query = _asked(call, chat_id), call.query()
    if asked is None or query is None or not query.keys() <= {"after", "wait"}:
        return None
    if not all(NUMBER.fullmatch(value) for value in query.values()):
        return None
    after, wait = int(query.get("after", 0)), int(query.get("wait", 0))
    found = await _polls.get(asked)
    if found is None or wait > fast_path.LONGEST:
        return None
    session, shown = found
    if after != shown.index or not call.comes_from(session.allowed_origins):
        return None
    content = shown.content or await _in_queue(UUID(chat_id), shown)
    if content is None:
        return None
    if not call.is_repeat:
        if after > shown.delivered_index:
            return None  # the view notes it
        await fast_path.give_sign_of_life(shown.customer_part, shown.lease_until)
    said = _said(call, session, content)
    said.wait = ([f"customer:{chat_id}"], wait) if wait else None
    return said


async def _in_queue(chat_id: UUID, shown: Shown) -> bytes | None:
    """One look at a team's queue is for all who wait in it."""
    if shown.waiting is None:
        return None
    answer, team_id = shown.waiting
    place = (await _places.get(team_id) or {}).get(chat_id)
    return fast_path.rendered(Events, answer | {"queue": place and place_shape(*place)})


def _load_polls(wanted: list[Asked]) -> dict[Asked, tuple[Proven, Shown]]:
    found = _found(wanted, _PARTS)
    return {asked: (one, _shown.of(asked.chat_id, parts)) for asked, one, parts in found}


def _show(found: Sequence[Any]) -> Shown:
    parts: list[Any] = _PARTS.made(found)
    chat, epoch = chat_of(parts), parts[0].epoch
    customer = chat.customer_part
    content = waiting = None
    if chat.is_open and epoch:
        answer = events_answer([], chat.index, str(epoch), chat_for_customer(chat)) | {"queue": None}
        if chat.is_waiting:
            waiting = answer, chat.team.pk
        else:
            content = fast_path.rendered(Events, answer)
    return Shown(content, waiting, chat.index, customer.pk, customer.delivered_index, customer.lease_until)


# All that `_show` reads.
_READ = (
    *("kind", "read_index", "delivered_index", "lease_until"),
    *(f"chat__{name}" for name in ("state", "index", "subject", "started_at", "closed_at", "close_reason")),
    *("chat__rating", "chat__rating_comment", "chat__team__key", "chat__team__name", "chat__channel__widget__survey"),
    *("chat__agent__name", "chat__agent__avatar", "chat__agent__is_bot"),
)
_PARTS = Prepared(
    lambda chat, token_hash: (
        Participant.objects.filter(chat=chat, chat__customer__sessions__token_hash=token_hash)
        .select_related("chat__team", "chat__agent", "chat__channel__widget")
        .only(*_READ)
        .annotate(epoch=Subquery(Installation.objects.values("epoch")[:1]))
    )
)
_shown: fast_path.Memory[UUID, Shown] = fast_path.Memory(_show)
_places: Gather[UUID, dict[UUID, tuple[int, int | None]]] = Gather(load_places, rest=PLACES_REST)
_polls: Gather[Asked, tuple[Proven, Shown]] = Gather(_load_polls, rest=fast_path.REST, run=in_fast_thread)


# Messages -----------------------------------------------------------------------------------------------------------------


async def post(call: Call, chat_id: str) -> Said | None:
    """POST messages {client_id, text}."""
    asked, sent = _asked(call, chat_id), call.members()
    if asked is None or sent is None or not sent.keys() <= {"client_id", "text"}:
        return None
    client_id, text = sent.get("client_id"), sent.get("text")
    if not isinstance(client_id, str) or not isinstance(text, str) or not CLIENT_ID.fullmatch(client_id):
        return None
    found = await _speakers.get(asked)
    if found is None or not call.comes_from(found[0].allowed_origins):
        return None
    session, part_id = found
    posted = await fast_path.stored(call, Post(asked.chat_id, part_id, client_id, text))
    if posted is None:
        return None
    said = _said(call, session, fast_path.rendered(Messages, posted_to_customer(posted)))
    said.status = 200 if posted.replayed else 201
    return said


def _load_speakers(wanted: list[Asked]) -> dict[Asked, tuple[Proven, UUID]]:
    return {asked: (one, _SPEAKER.made(part)[0][0]) for asked, one, part in _found(wanted, _SPEAKER)}


_SPEAKER = PreparedValues(
    lambda chat, token_hash: Participant.objects.filter(
        kind=Participant.Kind.CUSTOMER, chat=chat, chat__customer__sessions__token_hash=token_hash
    ),
    "pk",
)
_speakers: Gather[Asked, tuple[Proven, UUID]] = Gather(_load_speakers, rest=fast_path.REST, run=in_fast_thread)


# Both ---------------------------------------------------------------------------------------------------------------------


def _asked(call: Call, chat_id: str) -> Asked | None:
    token = token_hash_of(call)
    return Asked(token, UUID(chat_id)) if token else None


def token_hash_of(call: Call) -> str | None:
    """None for one that cannot be a customer's, and where something else than JSON is wanted."""
    token = TOKEN.fullmatch(call.headers.get(b"authorization", b""))
    if token is None or token[1].startswith(b"sk_") or call.header(b"accept") not in fast_path.ANYTHING:
        return None
    return hash_secret(token[1].decode())


def _found(wanted: list[Asked], parts: Any) -> Iterator[tuple[Asked, Proven, Any]]:
    """What `parts` finds of the chat, where the session is live and its customer's own chat is meant; without sessions whose end is to be moved."""
    now = timezone.now()
    sessions, chats = found_together(
        (LIVE_FACTS, [(asked.token_hash, now) for asked in wanted]),
        (parts, [(asked.chat_id, asked.token_hash) for asked in wanted]),
    )
    for asked, session, found in zip(wanted, sessions, chats, strict=True):
        one = proven(LIVE_FACTS.made(session), now)
        if one is not None and found and not one.is_due:
            yield asked, one, found


def _said(call: Call, session: Proven, content: bytes) -> Said:
    return said_in(call, *session.languages, content)


def said_in(call: Call, own: str, centers: str, content: bytes) -> Said:
    """`own`: the customer's language; `centers`: the center's."""
    language = spoken(own, accepted_language(call.header(b"accept-language")), centers) or settings.LANGUAGE_CODE
    return Said(content, origin=call.origin, language=language)


ROUTES = (
    fast_path.Route("GET", f"/api/v1/chats/({fast_path.ID})/events", Events, poll),
    fast_path.Route("POST", f"/api/v1/chats/({fast_path.ID})/messages", Messages, post),
)
