"""Mail that no person wrote (RFC 3834, and what programs do instead), and reports of what was not delivered (RFC 3464)."""

import re
from dataclasses import dataclass
from email import message_from_string
from email.message import Message

from .compose import ids_in
from .headers import header, sender_of

NO_ANSWER = re.compile(r"\b(all|oof|autoreply)\b")  # of X-Auto-Response-Suppress, Microsoft's
MACHINES = ("mailer-daemon@", "postmaster@")


@dataclass(frozen=True)
class Report:
    """message_ids: of ours which it may speak of, the surest first; is_lost: whether it was given up; why: the words of the server that did."""

    message_ids: tuple[str, ...]
    is_lost: bool
    why: str = ""


def is_automatic(mail: Message) -> bool:
    """Whether an answer would be read by a program, or by a whole list of people."""
    submitted = header(mail, "Auto-Submitted").lower().partition(";")[0].strip()
    return (
        submitted not in ("", "no")
        or header(mail, "Precedence").lower() in ("bulk", "junk", "list", "auto_reply")
        or bool(NO_ANSWER.search(header(mail, "X-Auto-Response-Suppress").lower()))
        or any(header(mail, name) for name in ("List-Id", "X-Autoreply", "X-Autorespond"))
        or header(mail, "Return-Path").replace(" ", "") == "<>"
        or sender_of(mail)[0].startswith(MACHINES)
        or mail.get_content_type() == "multipart/report"
    )


def report_in(mail: Message) -> Report | None:
    """What a multipart/report says of a delivery; nothing for other mail."""
    if mail.get_content_type() != "multipart/report" or not mail.is_multipart():
        return None
    status = next((part for part in mail.walk() if part.get_content_type() == "message/delivery-status"), None)
    if status is None:
        return None
    fields = [block for block in _blocks(status) if header(block, "Action")]
    failed = next((block for block in fields if header(block, "Action").lower() == "failed"), None)
    why = header(failed, "Diagnostic-Code") or header(failed, "Status") if failed is not None else ""
    return Report(tuple(_ids(mail)), failed is not None, why.rpartition("smtp;")[2].strip()[:200])


def _blocks(status: Message) -> list[Message]:
    payload = status.get_payload()
    return [block for block in payload if isinstance(block, Message)] if isinstance(payload, list) else []


def _ids(mail: Message) -> list[str]:
    """Of the mail that came back, whole or as its head; else of those that the report answers."""
    found: list[str] = []
    for part in mail.walk():
        if part.get_content_type() == "message/rfc822":
            found += [each for block in _blocks(part) for each in ids_in(header(block, "Message-ID"))]
        elif part.get_content_type() == "text/rfc822-headers":
            head = part.get_payload()
            found += ids_in(header(message_from_string(head), "Message-ID")) if isinstance(head, str) else []
    answered = ids_in(header(mail, "In-Reply-To")) + ids_in(header(mail, "References"))[::-1]
    return list(dict.fromkeys(found + answered))[:10]
