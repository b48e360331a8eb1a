"""Mails as they came, and their headers as the senders meant them.

Mails are parsed by email's old policy on purpose: it keeps headers as they came and reads none by itself, where the new one takes each apart,
raises on some that are broken, and takes quadratic time for long ones. What is too long or too nested for any mail that a person sends is
not parsed at all: the parser's time and memory grow with lines times parts.
"""

import re
from email import message_from_bytes
from email._policybase import Compat32
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses

from .charsets import clean, decode

LONGEST = 4000  # characters of one header that are read
LONGEST_KEPT = 8000  # and kept at all: the parser takes quadratic time for parameters
MOST_HEADERS = 256 * 1024  # bytes before the body
MOST_LINES = 1_000_000
MOST_NESTED = 50  # multiparts
MOST_DASHES = 5000  # lines that may begin a part
MOST_WORK = 10_000_000  # lines times multiparts
MOST_BLOCKS = 10_000  # of a report: each becomes a mail of its own
BLANK_LINES = (b"\n\n", b"\r\n\r\n", b"\r\r")
ADDRESS = re.compile(r'[^\s<>@,;:"()\\]+@[^\s<>@,;:"()\\]+')


class _Policy(Compat32):
    """email's compat32 with headers of a limited length."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:LONGEST_KEPT]


def parse(raw: bytes) -> Message:
    """Raises ValueError for what would take too long, and whatever email's parser raises."""
    small = raw.lower()
    # A lone CR ends a line, too.
    lines = raw.count(b"\n") + raw.count(b"\r") - raw.count(b"\r\n")
    nested, dashes = small.count(b"multipart/"), raw.count(b"\n--") + raw.count(b"\r--")
    if b"delivery-status" in small and sum(map(raw.count, BLANK_LINES)) > MOST_BLOCKS:
        raise ValueError("too many blocks")
    head = re.search(rb"\r?\n\r?\n", raw)
    if (head.start() if head else len(raw)) > MOST_HEADERS:
        raise ValueError("too much before the body")
    if lines > MOST_LINES or nested > MOST_NESTED or dashes > MOST_DASHES or lines * nested > MOST_WORK:
        raise ValueError("too many parts or lines")
    return message_from_bytes(raw, policy=_Policy())


def header(mail: Message, name: str) -> str:
    """The first header of this name in one line, or nothing."""
    for found, value in mail.raw_items():  # type: ignore[attr-defined]
        if found.lower() == name.lower():
            return words(str(value))
    return ""


def every(mail: Message, *names: str) -> str:
    """All headers of these names, one a line, as they came."""
    wanted = {name.lower() for name in names}
    found = (str(value) for name, value in mail.raw_items() if name.lower() in wanted)  # type: ignore[attr-defined]
    return "\n".join(found)[: LONGEST * 4]


def words(raw: str) -> str:
    """Encoded words (RFC 2047) as text. Many senders write UTF-8 or an old charset without saying so."""
    data = raw[:LONGEST].encode("utf-8", "surrogateescape")
    text = " ".join(decode(data, None).split())
    if "=?" not in text or not text.isascii():
        return text
    try:
        pieces = decode_header(text)
    except (HeaderParseError, ValueError):
        return text
    joined = "".join(decode(piece, label) if isinstance(piece, bytes) else piece for piece, label in pieces)
    return " ".join(clean(joined).split())


def sender_of(mail: Message) -> tuple[str, str]:
    """(address in lower case, name) of From, else of Sender; empty when there is none that can be answered."""
    for name in ("From", "Sender"):
        for shown, address in _addresses(" ".join(every(mail, name)[:LONGEST].split())):
            known = words(address).lower()
            if ADDRESS.fullmatch(known) and len(known) <= 254:
                return known, words(shown).strip("\"' ")
    return "", ""


def _addresses(value: str) -> list[tuple[str, str]]:
    """Taken apart first and decoded then: an encoded name must not become an address."""
    try:
        return getaddresses([value])
    except RecursionError:  # comments within comments
        return []
