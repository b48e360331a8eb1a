"""One mail that was read: whose it is and what becomes of it.

A mail belongs to its sender's open chat, or begins one. A thread leads nowhere by itself: whoever has seen a mail of ours could otherwise speak
as its customer. Mail of programs joins a chat that is open on this channel,
and never begins one. Reports are noted with the message they speak of. What we sent ourselves is passed over.
"""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from chats.actions.receive import Inbound, receive
from chats.carriers.fates import note_fate
from chats.errors import Refused, TooMany
from chats.models import Account, Arrival, Chat, Customer, Dispatch
from contactcenter.models import Channel
from contactcenter.outage import is_outage

from .automatic import Report
from .compose import dispatch_in
from .parsing import Mail, read_head, read_mail
from .wire import Trouble

log = structlog.get_logger(__name__)

LOOP_SPAN = timedelta(minutes=10)
LOOP_MAILS = 20  # within the span and without an agent's word between them: two programs are talking


class Later(Exception):
    """This mail is to be taken another time, and so are those behind it of the same sender."""

    def __init__(self, sender: str) -> None:
        super().__init__(sender)
        self.sender = sender


class NotStored(Trouble):
    """The database or the disk is away."""

    def __init__(self) -> None:
        super().__init__(_("Nothing can be stored at the moment."))


def take(channel: Channel, raw: bytes, *, is_whole: bool, slow: set[str], now: datetime) -> bool:
    """Whether the mail found its place; others are left unread in the mailbox. `slow`: senders whose mails wait.

    Raises Later and NotStored, and nothing that a sender can bring about.
    """
    for reading in (lambda: read_mail(raw, is_whole=is_whole), lambda: read_head(raw)):
        try:
            mail = reading()
            if mail.sender in slow:
                raise Later(mail.sender)
            return _take(channel, mail, now)
        except (Later, NotStored):
            raise
        except TooMany as error:
            raise Later(mail.sender) from error
        except Refused as refusal:
            log.warning("a mail was refused", channel=str(channel.pk), why=refusal.code)
            return False
        except Exception as error:  # the outermost door of strangers' mail: one that breaks something holds nobody up
            if is_outage(error):
                raise NotStored from error
            log.warning("a mail cannot be read", channel=str(channel.pk), exc_info=True)
    return False


def _take(channel: Channel, mail: Mail, now: datetime) -> bool:
    if mail.report:
        _note(channel, mail, mail.report, now)
        return True
    if _is_ours(channel, mail):
        return True
    if not mail.sender:
        log.info("a mail without a sender", channel=str(channel.pk))
        return False
    if mail.is_automatic or _is_loop(channel, mail.sender, now):
        return _join(channel, mail, now)
    receive(channel, _inbound(channel, mail), now=now)
    return True


def _inbound(channel: Channel, mail: Mail, *, is_automatic: bool = False) -> Inbound:
    prefix = _("[automatic reply]") + "\n" if mail.is_automatic else ""
    is_empty = not (mail.text or mail.files or mail.subject)
    return Inbound(
        external_id=mail.message_id,
        address=mail.sender,
        text=prefix + (_("An empty mail.") if is_empty else mail.text),
        name=mail.name,
        subject=mail.subject,
        files=mail.files,
        is_automatic=is_automatic,
        facts={"subject": mail.subject, "last_id": mail.message_id, "references": " ".join(mail.references[::-1])},
    )


def _join(channel: Channel, mail: Mail, now: datetime) -> bool:
    """Into the chat that is open on this channel, if there is one: a program moves no chat, either."""
    with transaction.atomic():
        account = Account.objects.filter(center_id=channel.center_id, kind=channel.kind, address=mail.sender).first()
        if account is None:
            return False
        # The customer before the chat, as everywhere; the chat too, so that it is not closed before the mail is in it.
        Customer.objects.select_for_update(no_key=True).get(pk=account.customer_id)
        if Chat.objects.open().filter(customer=account.customer_id, channel=channel).locked().first() is None:
            return False
        receive(channel, _inbound(channel, mail, is_automatic=True), now=now)
    return True


def _is_loop(channel: Channel, sender: str, now: datetime) -> bool:
    """Whether so much came from this sender without an agent's word that no person can be writing."""
    chats = Chat.objects.filter(
        customer__accounts__address=sender,
        customer__accounts__kind=channel.kind,
        center_id=channel.center_id,
        started_at__gt=now - timedelta(days=30),
    )
    came = Arrival.objects.filter(channel=channel, chat__in=chats, at__gt=now - LOOP_SPAN).count()
    return came >= LOOP_MAILS and not chats.filter(last_agent_at__gt=now - LOOP_SPAN).exists()


def _is_ours(channel: Channel, mail: Mail) -> bool:
    """Sent by this center itself: copies in the sent folder, rules that forward, mailboxes that write to each other."""
    local, _at, domain = mail.sender.rpartition("@")
    bare = f"{local.partition('+')[0]}@{domain}"
    own = channel.center.channels.filter(kind=channel.kind, address__in=[mail.sender, bare])
    sent = Dispatch.objects.filter(center_id=channel.center_id)
    mine = dispatch_in(mail.message_id)  # providers have ids of their own, and keep ours in the mail
    return (
        own.exists()
        or sent.filter(external_id=mail.message_id).exists()
        or (mine is not None and sent.filter(id=mine).exists())
    )


def _note(channel: Channel, mail: Mail, report: Report, now: datetime) -> None:
    if not report.is_lost:
        return
    why = _("This mail could not be delivered: %(why)s") % {"why": report.why or _("the address does not take it")}
    for message_id in report.message_ids:
        if note_fate(channel, message_id, Dispatch.Fate.LOST, error=why, now=now):
            return
    # A server can report sooner than the outbox has noted that it took the mail.
    if Dispatch.objects.pending().filter(channel=channel, id__in=list(_dispatches_in(report))).exists():
        raise Later(mail.sender)


def _dispatches_in(report: Report) -> list[UUID]:
    return [found for each in report.message_ids if (found := dispatch_in(each))]
