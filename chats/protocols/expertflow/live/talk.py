"""What clients say: their ChatMessage → a post of ours, and what its acknowledgement tells; their ActivityMessage → typing."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from chats.actions.post import Post, Posted
from chats.errors import Conflict, Forbidden, Invalid, Refused
from chats.events import NotePosted
from chats.files.store import discard_unsent
from chats.models import Event, Participant
from chats.protocols.expertflow.people import Conversation
from chats.protocols.expertflow.shapes import ACTIVITY, CHAT, TYPING, WHISPER, message_id
from chats.shapes import stamp
from chats.sockets.poster import poster

from .attachments import Brought, keep_files, read_attachments
from .following import Following
from .threads import in_thread

Answer = dict[str, Any]
ID_NAMES = ("id", "messageId", "clientId", "clientMessageId")
LONGEST_ID = 64
MOST_ADDRESSEES = 50
NOBODY = "to: nobody of this conversation"


@dataclass(frozen=True)
class Saying:
    """A ChatMessage as read. to: ids of participants as clients know them; empty: everybody."""

    client_id: str
    text: str
    is_note: bool
    to: tuple[str, ...]
    brought: Brought


async def say(following: Following, said: dict[str, Any]) -> Answer:
    """A ChatMessage or an ActivityMessage; one that does not say what it is is a ChatMessage. Raises Invalid, Forbidden and what posting refuses."""
    _check_sender(following.conversation, said.get("from"))
    kind = said.get("type") or CHAT
    if kind == CHAT:
        return await _post(following, read_saying(following.conversation, said))
    if kind == ACTIVITY and said.get("activityType") == TYPING:
        following.typing.hear(_preview(said.get("info")))
        return {"code": 200, "conversationId": following.conversation.id}
    raise Invalid(f"type: a {CHAT}, or an {ACTIVITY} of the activityType {TYPING}")


def read_saying(conversation: Conversation, said: dict[str, Any]) -> Saying:
    """Raises Invalid."""
    text, tag = said.get("text"), said.get("tag")
    if not (text is None or isinstance(text, str)) or not (tag is None or isinstance(tag, str)):
        raise Invalid("text and tag: texts")
    return Saying(
        client_id=_client_id(conversation, said),
        text=text or "",
        is_note=(tag or "").strip().lower() == WHISPER,
        to=_addressees(said.get("to")),
        brought=read_attachments(said.get("attachments")),
    )


# Posting --------------------------------------------------------------------------------------------------------------


async def _post(following: Following, saying: Saying) -> Answer:
    me = following.participant
    if saying.to or saying.brought.files:
        ready = await in_thread(prepare, me, following.conversation, saying)
    else:
        ready = Post(
            me.chat_id, me.pk, saying.client_id, saying.text, is_note=saying.is_note, links=saying.brought.links
        )
    outcome = await _store(following, saying, ready) if isinstance(ready, Post) else ready
    return _answer(following.conversation, outcome)


async def _store(following: Following, saying: Saying, post: Post) -> Posted:
    following.typing.stop()
    # Before it is stored: it may be heard of before the acknowledgement goes out.
    following.own[post.client_id] = post.text
    outcome = await poster.post(post)
    heard_to = following.reader.cursor if following.reader else 0
    if isinstance(outcome, Refused):
        following.own.pop(post.client_id, None)
        if post.attachment_ids:
            return await in_thread(_discard, following.participant, saying, post, outcome)
        raise outcome
    if outcome.index is None or outcome.index <= heard_to or following.is_carried:
        following.own.pop(post.client_id, None)
    return outcome


def prepare(me: Participant, conversation: Conversation, saying: Saying) -> Post | Posted:
    """The post with its files kept; what was posted under the same id before, where it was the same. Raises what keeping files and naming people refuse."""
    if saying.brought.files and (first := _first_try(me, saying)):
        return first
    return Post(
        me.chat_id,
        me.pk,
        saying.client_id,
        saying.text,
        attachment_ids=keep_files(me, saying.brought.files) if saying.brought.files else (),
        is_note=saying.is_note,
        links=saying.brought.links,
        to=_meant(me, conversation, saying.to),
    )


def _discard(me: Participant, saying: Saying, post: Post, refused: Refused) -> Posted:
    """Its files are kept for nothing. Of two who send the same at the same moment, the second finds the first one's message."""
    discard_unsent(post.attachment_ids)
    first = _first_try(me, saying) if isinstance(refused, Conflict) else None
    if first is None:
        raise refused
    return first


def _first_try(me: Participant, saying: Saying) -> Posted | None:
    """Files are kept under new ids each time, so a repeat is known by everything else. Raises Conflict where that differs."""
    event = Event.objects.filter(chat_id=me.chat_id, sender=me, client_id=saying.client_id).first()
    if event is None:
        return None
    links = list(saying.brought.links)
    said = (saying.text, saying.is_note, len(saying.brought.files), links)
    kept = event.data
    if said != (event.text, event.type == NotePosted.type, len(kept["attachments"]), kept.get("links", [])):
        raise Conflict("Another message was already sent under this id.")
    return Posted(event.chat_id, saying.client_id, event.position, event.index, event.at, replayed=True)


def _meant(me: Participant, conversation: Conversation, ids: tuple[str, ...]) -> tuple[dict[str, str], ...]:
    """Raises Invalid for an id of nobody's."""
    parts = Participant.objects.filter(chat_id=me.chat_id).exclude(joined_at=None) if ids else ()
    known = {conversation.me if part.agent_id is None else str(part.agent_id): part for part in parts}
    if not known.keys() >= set(ids):
        raise Invalid(NOBODY)
    return tuple({"id": str(known[one].pk), "name": known[one].name} for one in dict.fromkeys(ids))


def _answer(conversation: Conversation, posted: Posted) -> Answer:
    """A whisper has no id: it is no message of the conversation that a customer's client sees."""
    shown: Answer = {"code": 200, "conversationId": conversation.id, "timestamp": stamp(posted.at)}
    return shown | ({"id": message_id(conversation, posted.index)} if posted.index is not None else {})


# Reading --------------------------------------------------------------------------------------------------------------


def _check_sender(conversation: Conversation, sender: Any) -> None:
    """Who says nothing, and who says who it is, are both the participant who has joined."""
    shown = sender.get("id") if isinstance(sender, dict) else sender
    if shown not in (None, "", conversation.me):
        raise Forbidden("from: somebody else than who has joined")


def _client_id(conversation: Conversation, said: dict[str, Any]) -> str:
    """The client's own; what names the conversation or its customer is none."""
    shown = (said.get(name) for name in ID_NAMES)
    own = (one for one in shown if isinstance(one, str) and 0 < len(one) <= LONGEST_ID)
    return next((one for one in own if one not in (conversation.id, conversation.me)), str(uuid4()))


def _addressees(said: Any) -> tuple[str, ...]:
    """Participants, or their ids alone. Raises Invalid."""
    listed = [] if said is None else said if isinstance(said, list) else [said]
    ids = [one.get("id") if isinstance(one, dict) else one for one in listed]
    if len(ids) > MOST_ADDRESSEES or not all(isinstance(one, str) for one in ids):
        raise Invalid("to: a list of participants")
    return tuple(one for one in ids if one)


def _preview(info: Any) -> str:
    """What is typed so far, where the client tells it."""
    found = (info.get(name) for name in ("text", "preview")) if isinstance(info, dict) else ()
    return next((one for one in found if isinstance(one, str)), "")
