"""A message's parts as clients send them: text, links to what lies elsewhere, files. What becomes of each:

type text/*, with data    the message's text; several are joined by newlines
url (http, https)         a link: shown, never fetched
data of another type      a file that we keep: base64, or a data: address. JSON is kept as it is, and is the text where nothing else is said
"""

import binascii
import json
from base64 import b64decode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from chats.actions.links import Link, check_links
from chats.actions.text import MAX_TEXT
from chats.errors import Invalid
from chats.files.kinds import KINDS
from chats.files.names import clean_name, extension_of

LONGEST_NAME, LONGEST_TYPE = 200, 100
MOST_FILES = 10
MOST_KEPT = 64 * 1024  # characters of JSON that are kept beside the text
TEXT = "text/plain"


@dataclass
class Parts:
    """`kept`: as facts keep them (said.parts_of gives them back). files: [(place in `kept`, name, bytes)]."""

    kept: list[dict[str, Any]] = field(default_factory=list)
    text: str = ""
    links: list[Link] = field(default_factory=list)
    files: list[tuple[int, str, bytes]] = field(default_factory=list)


def read_parts(said: list[dict[str, Any]]) -> Parts:
    """Raises Invalid, under the name of the part that is wrong."""
    found = Parts()
    texts: list[dict[str, Any]] = []
    for number, part in enumerate(said):
        shown = _members(part, number)
        if "url" not in shown and "data" not in shown:
            raise _wrong(number, "A part has data or a url.")
        if _is_text(shown) and "data" in shown:
            texts.append(shown)
        elif shown.get("url", "")[:5].lower() == "data:":
            _take_file(found, shown, number, decode(shown.pop("url"), number))
        elif "url" in shown:
            found.links.append(Link(type=shown["type"], name=shown.get("name", ""), url=shown["url"]))
        elif not _is_json(shown):
            _take_file(found, shown, number, decode(shown.pop("data"), number))
        found.kept.append(shown)
    _find_text(found, texts)
    _check(found)
    return found


def decode(data: str, number: int) -> bytes:
    """What base64 or a data: address (RFC 2397) holds; the type that it names is not believed. Raises Invalid."""
    body = data.strip()
    if body[:5].lower() == "data:":
        head, comma, body = body.partition(",")
        if not comma:
            raise _wrong(number, "This is no data: address.")
        if not head.rstrip().lower().endswith(";base64"):
            return unquote_to_bytes(body)
        body = unquote_to_bytes(body).decode(errors="replace")
    body = "".join(body.split())
    try:
        return b64decode(body + "=" * (-len(body) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise _wrong(number, "data of a type that is no text is base64.") from None


def check_kept(facts: dict[str, Any]) -> None:
    """Raises Invalid for more than is kept beside a message."""
    if len(json.dumps(facts, ensure_ascii=False)) > MOST_KEPT:
        raise Invalid(fields={"body": "parts, metadata and alert are too large together."})


def _members(part: dict[str, Any], number: int) -> dict[str, Any]:
    """Those of the schema, as they are; what is null is not there."""
    shown: dict[str, Any] = {}
    for name, longest in (("name", LONGEST_NAME), ("type", LONGEST_TYPE), ("url", None), ("data", None)):
        value = part.get(name)
        if value is None:
            continue
        if not isinstance(value, str) or (longest and len(value) > longest):
            raise _wrong(number, f"must be a text of at most {longest} characters." if longest else "a text.", name)
        shown[name] = value
    size = part.get("size")
    if isinstance(size, int) and not isinstance(size, bool) and size >= 0:
        shown["size"] = size
    if not shown.get("type"):
        shown["type"] = TEXT if "url" not in shown else "application/octet-stream"
    if not shown.get("url"):
        shown.pop("url", None)
    return shown


def _find_text(found: Parts, texts: list[dict[str, Any]]) -> None:
    """The only one that says it is not kept twice."""
    if not any(part["data"].strip() for part in texts) and not found.links and not found.files:
        texts = [part for part in found.kept if "data" in part and _is_json(part)][:1] or texts
    found.text = "\n".join(part["data"] for part in texts)
    if len(texts) == 1:
        del texts[0]["data"]
        texts[0]["is_text"] = True


def _check(found: Parts) -> None:
    if len(found.text) > MAX_TEXT:
        raise Invalid(fields={"parts": f"A message has at most {MAX_TEXT} characters of text."})
    if len(found.files) > MOST_FILES:
        raise Invalid(fields={"parts": f"A message has at most {MOST_FILES} files."})
    if not found.text.strip() and not found.files and not found.links:
        raise Invalid(fields={"parts": "Say something: text, data or a url."})
    try:
        check_links(found.links)
    except Invalid as refused:
        raise Invalid(fields={"parts": (refused.fields or {}).get("attachments", refused.message)}) from None


def _take_file(found: Parts, shown: dict[str, Any], number: int, data: bytes) -> None:
    if not data:
        raise _wrong(number, "This file is empty.")
    found.files.append((number, file_name(shown.get("name", ""), shown["type"], data), data))


def file_name(name: str, kind: str, data: bytes) -> str:
    """With an ending, which the bytes must prove: the client's own, or that of its type, or that of what the bytes look like."""
    if extension_of(name):
        return name
    fits = [one for one in KINDS if one.content_type == kind.partition(";")[0].strip().lower()]
    found = next(iter(fits), None) or next((one for one in KINDS if one.matches(data)), None)
    ending = "txt" if found is None or (found.is_text and not fits) else found.extensions[0]
    return f"{clean_name(name)}.{ending}"


def _is_text(part: dict[str, Any]) -> bool:
    return bool(part["type"].lower().startswith("text/"))


def _is_json(part: dict[str, Any]) -> bool:
    kind = part["type"].partition(";")[0].strip().lower()
    return bool(kind == "application/json" or kind.endswith("+json"))


def _wrong(number: int, why: str, member: str = "") -> Invalid:
    return Invalid(fields={f"parts.{number}{'.' if member else ''}{member}": why})
