"""What a mail says and what is attached to it, out of its parts (RFC 2045, 2046)."""

import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message

from .charsets import decode
from .headers import words
from .page import text_of

MOST_PARTS = 200
DEEPEST = 15  # parts within parts


@dataclass
class Body:
    texts: list[str] = field(default_factory=list)
    files: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n\n".join(text.strip() for text in self.texts if text.strip())


def body_of(mail: Message) -> Body:
    """Everything that is shown, and everything else as files. Of alternatives the plain text is taken, else the page. Raises ValueError (a mail that is nested for its own sake)."""
    if sum(1 for _part in mail.walk()) > MOST_PARTS:
        raise ValueError("too many parts")
    body = Body()
    _collect(mail, body, 0)
    return body


def _collect(part: Message, body: Body, depth: int) -> None:
    if depth > DEEPEST:
        raise ValueError("too deep")
    kind = part.get_content_type()
    if kind == "multipart/alternative":
        _choose([_alone(each, depth) for each in _children(part)], body)
    elif part.get_content_maintype() == "multipart":
        for each in _children(part):
            _collect(each, body, depth + 1)
    elif kind in ("text/plain", "text/html") and not _is_attached(part):
        body.texts.append(_text(part))
    elif kind == "message/rfc822":
        enclosed = next(_children(part), None)
        body.files.append((_file_name(part), enclosed.as_bytes() if enclosed else b""))
    else:
        body.files.append((_file_name(part), _payload(part)))


def _alone(part: Message, depth: int) -> tuple[str, Body]:
    alone = Body()
    _collect(part, alone, depth + 1)
    return part.get_content_type(), alone


def _choose(found: list[tuple[str, Body]], body: Body) -> None:
    """The words of one of them, the files of all: pictures belong to the page that is not shown."""
    plain_first = sorted(found, key=lambda each: each[0] != "text/plain")
    body.texts += next((each.texts for _kind, each in plain_first if each.text), [])
    for kind, each in found:
        # An appointment is another form of the same words, but one that can be of use.
        body.files += each.files if kind != "text/x-amp-html" else []


def _children(part: Message) -> Iterator[Message]:
    payload = part.get_payload()
    return iter(payload) if isinstance(payload, list) else iter(())  # type: ignore[arg-type]


def _is_attached(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or bool(part.get_filename())


def _text(part: Message) -> str:
    text = decode(_payload(part), part.get_content_charset())
    return text_of(text) if part.get_content_type() == "text/html" else text


def _payload(part: Message) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _file_name(part: Message) -> str:
    """What the sender calls it; chats.files judges that."""
    named = words(str(part.get_filename() or "")).replace("\\", "/").rpartition("/")[2]
    named = named if named.strip(". ") else ""
    return named or f"file{mimetypes.guess_extension(part.get_content_type()) or ''}"
