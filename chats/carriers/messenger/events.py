"""One event of a web hook → a message or a report. Pure: no database, and no event so odd that it raises.

Shapes follow Meta's reference of web hook events (messages, messaging_postbacks, message_deliveries, message_reads).
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from chats.actions.links import MOST_LINKS, Link, check_links
from chats.actions.receive import Inbound
from chats.errors import Invalid
from chats.models import Dispatch

ID = re.compile(r"[0-9]{1,30}")
LONGEST_ID = 255  # of a message, as we keep it
YEAR_2100 = 4_102_444_800_000  # milliseconds


@dataclass(frozen=True)
class Report:
    """What became of messages to a person: those with these ids, and all that were sent until then."""

    person: str
    fate: Dispatch.Fate
    mids: tuple[str, ...]
    until: datetime | None


def read_event(event: Any, page: str) -> Inbound | Report | None:
    """None for what says nothing to us: echoes of what the page itself has said, reactions, edits, handovers, and what is no event at all."""
    event = fields_of(event)
    person = id_of(fields_of(event.get("sender")).get("id"))
    if not person or person == page:
        return None
    for name, fate in (("delivery", Dispatch.Fate.DELIVERED), ("read", Dispatch.Fate.READ)):
        if name in event:
            return _report(person, fate, fields_of(event[name]))
    try:
        if "message" in event:
            return _message(person, event, fields_of(event["message"]))
        if "postback" in event:
            return _postback(person, event, fields_of(event["postback"]))
    except RecursionError:  # what could just be read can be too deep to be written
        pass
    return None


def fields_of(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def id_of(value: Any) -> str:
    """A page's or a person's id, or nothing. Documented as text; a number is taken, too."""
    text = str(value) if isinstance(value, str | int) else ""
    return text if ID.fullmatch(text) else ""


def clean(value: Any) -> str:
    """Text that can be stored: JSON can hold NUL and lone surrogates, no database can."""
    if not isinstance(value, str):
        return ""
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace("\0", "")


def _message(person: str, event: dict[str, Any], message: dict[str, Any]) -> Inbound | None:
    if message.get("is_echo"):
        return None
    links, words = _attachments(list_of(message.get("attachments")))
    # The text of a quick reply is what its button said; its payload was made for a program.
    lines = [clean(message.get("text")).strip(), *words]
    text = "\n".join(line for line in lines if line)
    if not text and not links:
        return None
    return Inbound(external_id=_message_id(message, event), address=person, text=text, links=links)


def _postback(person: str, event: dict[str, Any], postback: dict[str, Any]) -> Inbound | None:
    text = clean(postback.get("title")).strip()
    return Inbound(external_id=_message_id(postback, event), address=person, text=text) if text else None


def _report(person: str, fate: Dispatch.Fate, said: dict[str, Any]) -> Report | None:
    mids = tuple(mid for mid in list_of(said.get("mids")) if isinstance(mid, str) and clean(mid) == mid)
    until = _moment(said.get("watermark"))
    return Report(person, fate, mids, until) if mids or until else None


def _attachments(found: list[Any]) -> tuple[tuple[Link, ...], list[str]]:
    """Links that people may follow, and as words what is none, or one too many."""
    links: list[Link] = []
    words = []
    for attachment in map(fields_of, found):
        payload = fields_of(attachment.get("payload"))
        name = clean(payload.get("title") or attachment.get("title") or attachment.get("type")).strip()[:200]
        url = clean(payload.get("url") or attachment.get("url"))
        link = Link(type="", name=name, url=url)
        if len(links) < MOST_LINKS and _may_follow(link):
            links.append(link)
        else:
            words.append(" ".join(filter(None, [name, url])))
    return tuple(links), words


def _may_follow(link: Link) -> bool:
    try:
        check_links([link])
    except Invalid:
        return False
    return True


def _message_id(said: dict[str, Any], event: dict[str, Any]) -> str:
    """The network's, or one made of the whole event where that is missing: a repeat is the same."""
    mid = said.get("mid")
    if isinstance(mid, str) and 0 < len(mid) <= LONGEST_ID and clean(mid) == mid:
        return mid
    return sha256(json.dumps(mid or event, sort_keys=True).encode()).hexdigest()


def _moment(value: Any) -> datetime | None:
    """Milliseconds since 1970."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return datetime.fromtimestamp(value / 1000, UTC) if is_number and 0 < value < YEAR_2100 else None
