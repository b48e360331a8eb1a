"""Who says a message, and saying it.

A session's customer; for a program, whom `from` names: the chat's customer, an agent who has the chat, or anybody else, who is a bot
of our side. direction "inbound" is the customer, whoever carries it; a message that is sent automatically is nobody's answer.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.core.files.uploadedfile import SimpleUploadedFile

from chats.actions.house import HouseWords, say_for_house
from chats.actions.post import Post, Posted
from chats.doors.storing import store_post
from chats.doors.throttles import UPLOADS_BY_CUSTOMER, count
from chats.errors import Conflict, Forbidden, Invalid, Refused
from chats.files.store import discard_unsent, store_attachment
from chats.models import Chat, Participant, SpaceChat

from .callers import Caller
from .content import drop_content, take_content
from .names import AGENT, agent_id, find_agent, profile_id
from .participants import CUSTOMER
from .parts import Parts, check_kept, read_parts

INBOUND = "inbound"


@dataclass(frozen=True)
class Voice:
    """`part`: the participant who speaks; None for our side, which is then called `shown`: {id, name}."""

    part: Participant | None
    shown: dict[str, str] | None = None


def say(caller: Caller, known: SpaceChat, said: dict[str, Any], now: datetime) -> Posted:
    """`said`: of asked_messages.MessagePost. Raises Invalid, Forbidden, Conflict, Closed, TooMany, TooLarge."""
    parts = read_parts(parts_said(said))
    voice = voice_of(caller, known, said)
    is_customers = voice.part is not None and voice.part.kind == CUSTOMER
    taken = take_content(known, parts) if is_customers else []
    facts = _facts(caller, said, parts=parts, voice=voice)
    file_ids = _keep_files(caller, known, parts=parts, voice=voice, now=now)
    try:
        posted = _say(known, parts=parts, voice=voice, facts=facts, file_ids=file_ids, now=now)
    except Refused:
        discard_unsent(file_ids)
        raise
    drop_content(taken)
    return posted


def parts_said(said: dict[str, Any]) -> list[dict[str, Any]]:
    """Where there are no parts, those of `body`: a text. Raises Invalid."""
    if said.get("parts"):
        parts: list[dict[str, Any]] = said["parts"]
        return parts
    if isinstance(said.get("body"), str) and said["body"]:
        return [{"type": "text/plain", "data": said["body"]}]
    raise Invalid(fields={"parts": "This field is required."})


# Who ------------------------------------------------------------------------------------------------------------------


def voice_of(caller: Caller, known: SpaceChat, said: dict[str, Any]) -> Voice:
    """Raises Forbidden, Invalid, Conflict."""
    named = said.get("from") or {}
    name = named.get("profileId", "")
    customer = known.chat.participants.get(kind=CUSTOMER)
    own = (profile_id(known.registration, known.chat.customer), str(known.chat.customer_id))
    if caller.profile is not None:
        if name and name not in own:
            raise Forbidden("from is the session's own profile.")
        return Voice(customer)
    if name in own:
        return Voice(customer)
    if (voice := _agents_voice(known, name, said)) is not None:
        return voice
    if said.get("direction") == INBOUND:
        return Voice(customer)
    return Voice(None, {"id": name, "name": named.get("name") or ""} if name else None)


def _agents_voice(known: SpaceChat, name: str, said: dict[str, Any]) -> Voice | None:
    """None for who is no agent. A bot may be called as an agent is, so without the prefix only who has the chat is one."""
    agent = find_agent(known.registration, name) if name else None
    if agent is None:
        if name.startswith(AGENT):
            raise Invalid(fields={"from.profileId": "There is no such agent."})
        return None
    part = known.chat.participants.joined().filter(agent=agent).first()
    has_chat = part is not None and (known.chat.agent_id == agent.pk or part.is_guest)
    if not has_chat and not name.startswith(AGENT):
        return None
    if said.get("direction") == INBOUND:
        raise Invalid(fields={"direction": "What an agent says is outbound."})
    if said.get("isAutomatedSend"):
        return Voice(None, {"id": agent_id(agent), "name": agent.name})
    if not has_chat or known.chat.state != Chat.State.ACTIVE:
        raise Conflict("This agent does not have the chat: assign it first.")
    return Voice(part)


# Saying ---------------------------------------------------------------------------------------------------------------


def _facts(caller: Caller, said: dict[str, Any], *, parts: Parts, voice: Voice) -> dict[str, Any]:
    """What is given back as it came. Raises Invalid for too much of it."""
    facts: dict[str, Any] = {"parts": parts.kept}
    for name in ("metadata", "alert"):
        if said.get(name) is not None:
            facts[name] = said[name]
    if said.get("isAutomatedSend") and voice.part is None:
        facts["isAutomatedSend"] = True
    if voice.shown:
        facts["from"] = voice.shown
    if caller.is_program:
        facts["sentBy"] = caller.actor
    check_kept(facts)
    return facts


def _keep_files(caller: Caller, known: SpaceChat, *, parts: Parts, voice: Voice, now: datetime) -> list[UUID]:
    """The ids of all, and in `kept` their names instead of what they hold; or nothing is kept. Raises what store_attachment does."""
    if not parts.files:
        return []
    kept: list[UUID] = []
    uploader = voice.part or _uploader(known)
    try:
        for number, name, data in parts.files:
            if not caller.is_program and number not in parts.ids:
                count(UPLOADS_BY_CUSTOMER, str(known.chat.customer_id))
            upload = SimpleUploadedFile(name, data)
            file = store_attachment(known.chat, uploader, upload, now, file_id=parts.ids.get(number))
            kept.append(file.pk)
            parts.kept[number]["file"] = str(file.pk)
    except Refused as refused:
        discard_unsent(kept)
        if isinstance(refused, Invalid):
            raise Invalid(fields={"parts": (refused.fields or {}).get("file", refused.message)}) from None
        raise
    return kept


def _uploader(known: SpaceChat) -> Participant:
    """A file wants somebody who has put it there, which a bot cannot: the chat's agent, else its customer, stands for it."""
    agents = known.chat.participants.joined().filter(agent_id=known.chat.agent_id) if known.chat.agent_id else None
    found = agents.first() if agents is not None else None
    return found or known.chat.participants.get(kind=CUSTOMER)


def _say(
    known: SpaceChat, *, parts: Parts, voice: Voice, facts: dict[str, Any], file_ids: list[UUID], now: datetime
) -> Posted:
    client_id = uuid4().hex
    links = tuple(parts.links)
    if voice.part is not None:
        post = Post(known.chat_id, voice.part.pk, client_id, parts.text, tuple(file_ids), links=links, facts=facts)
        return store_post(post, now)
    words = HouseWords(
        text=parts.text,
        client_id=client_id,
        name=(voice.shown or {}).get("name", ""),
        is_automatic=facts.get("isAutomatedSend", False),
        attachment_ids=tuple(file_ids),
        links=links,
        facts=facts,
    )
    return say_for_house(Chat.objects, known.chat_id, words, now=now)
