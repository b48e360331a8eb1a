"""A mail as we understand it."""

import hashlib
from dataclasses import dataclass
from email.message import Message

from django.utils.translation import gettext as _

from .automatic import Report, is_automatic, report_in
from .bodies import body_of
from .compose import ids_in
from .headers import every, header, parse, sender_of
from .quotes import divide

LONGEST_ID = 250
MOST_TEXT = 10_000  # characters of a message; what is longer comes as a file
MOST_READ = 200_000  # characters in which a quotation is looked for


@dataclass(frozen=True, kw_only=True)
class Mail:
    """message_id: the sender's, or one made of the content; references: the mails that it answers, the nearest first.

    text: what was just written, in which nothing of the rest is lost: that is among the files. report: what became of a mail of ours.
    """

    message_id: str
    sender: str
    name: str = ""
    subject: str = ""
    text: str = ""
    files: tuple[tuple[str, bytes], ...] = ()
    references: tuple[str, ...] = ()
    is_automatic: bool = False
    report: Report | None = None


def read_mail(raw: bytes, *, is_whole: bool = True) -> Mail:
    """Raises ValueError and whatever email's parser raises for what is no mail: see `read_head`."""
    mail = parse(raw)
    report = report_in(mail)
    if report or not is_whole:
        text = "" if report else _("A mail that is too large to be shown. It is in the mailbox.")
        return _mail(mail, raw, text=text, report=report)
    body = body_of(mail)
    whole = body.text
    text, quoted = divide(whole[:MOST_READ])
    files = list(body.files)
    if len(whole) > MOST_READ or len(text) > MOST_TEXT:
        files.append(("mail.txt", whole.encode()))
    elif quoted:
        files.append(("quoted.txt", quoted.encode()))
    return _mail(mail, raw, text=text, files=tuple(files))


def read_head(raw: bytes) -> Mail:
    """Of a mail that cannot be read: who sent it, and all of it as a file."""
    head, _blank, _rest = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    mail = parse(head[:64_000] + b"\n\n")
    return _mail(mail, raw, text=_("A mail that cannot be shown."), files=(("mail.txt", raw),))


def _mail(
    mail: Message,
    raw: bytes,
    *,
    text: str,
    files: tuple[tuple[str, bytes], ...] = (),
    report: Report | None = None,
) -> Mail:
    sender, name = sender_of(mail)
    answered = ids_in(every(mail, "In-Reply-To")) + ids_in(every(mail, "References"))[::-1]
    return Mail(
        message_id=_id_of(mail, raw),
        sender=sender,
        name=name[:100],
        subject=header(mail, "Subject")[:200],
        text=text,
        files=files,
        references=tuple(dict.fromkeys(answered))[:50],
        is_automatic=is_automatic(mail),
        report=report,
    )


def _id_of(mail: Message, raw: bytes) -> str:
    """What makes a repeat known. Without a usable id, that of the content: a mail's bytes are the same in both copies of a mailbox."""
    found = ids_in(header(mail, "Message-ID"))
    if found and len(found[0]) <= LONGEST_ID:
        return found[0]
    body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    told = "\n".join(header(mail, name) for name in ("From", "To", "Date", "Subject"))
    return hashlib.sha256(told.encode() + body).hexdigest()
