"""Texts that programs send to accounts of a connector's channel, outside of any chat."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from chats.errors import Conflict, Full, Invalid
from chats.models import Connector, OutboundMessage
from chats.models.connector import OUTBOUND_LIVES
from contactcenter.models import Application

from .connectors import owed
from .text import check_text

MOST_WAITING = 100_000  # for one connector


@dataclass(frozen=True)
class Sent:
    """`replayed`: nothing was made, this message was there already."""

    message: OutboundMessage
    replayed: bool


@transaction.atomic
def send_outbound(
    application: Application,
    connector: Connector,
    *,
    account: str,
    text: str,
    client_id: str,
    lives: timedelta | None = None,
    now: datetime,
) -> Sent:
    """Have a text sent to an account. It waits for the connector, and is given up after `lives` (a day).

    The same client_id again is the same message. Raises Invalid, TooLarge, Full, and Conflict for another message under the same id.
    """
    check_text(text)
    if not text.strip():
        raise Invalid(fields={"text": _("Write something first.")})
    known = OutboundMessage.objects.filter(application=application, client_id=client_id)
    first = known.first()
    if first is None:
        if connector.outbound_messages.waiting(now)[MOST_WAITING - 1 :].exists():
            raise Full(_("Too many messages wait for this connector."))
        made = OutboundMessage(
            center_id=application.center_id, application=application, connector=connector, created_at=now
        )
        made.account, made.text, made.client_id = account, text, client_id
        made.expires_at = now + (lives or OUTBOUND_LIVES)
        try:
            with transaction.atomic():
                made.save(force_insert=True)
        except IntegrityError:
            first = known.first()  # a repeat at the same moment was faster
            if first is None:
                raise
        else:
            transaction.on_commit(partial(owed.send, sender=None, connector_id=connector.pk), robust=True)
            return Sent(made, replayed=False)
    if (first.connector_id, first.account, first.text) != (connector.pk, account, text):
        raise Conflict(_("Another message was already sent under this id."))
    return Sent(first, replayed=True)


def note_outbound_given(connector: Connector, numbers: list[int], now: datetime) -> None:
    """The connector has these messages."""
    OutboundMessage.objects.filter(connector=connector, number__in=numbers, given_at=None).update(given_at=now)


def owed_outbound(connector_id: UUID, now: datetime, most: int) -> list[OutboundMessage]:
    """What waits for the connector, the oldest first."""
    return list(OutboundMessage.objects.filter(connector_id=connector_id).waiting(now)[:most])
