"""Messages that customers leave while nobody is there, and what becomes of them. The desk shows them to the team."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agents.models import Agent
from chats.errors import Blocked, Conflict, Invalid, NotFound
from chats.models import Customer, OfflineMessage
from contactcenter.models import Channel, Team

from .start import default_team
from .text import check_text


@dataclass(frozen=True, kw_only=True)
class Left:
    """What the customer left. `client_id` makes a repeat harmless."""

    client_id: str
    text: str
    name: str = ""
    email: str = ""
    phone: str = ""
    page_url: str = ""
    team: Team | None = None


@transaction.atomic
def leave_offline_message(
    channel: Channel, customer: Customer, left: Left, *, now: datetime
) -> tuple[OfflineMessage, bool]:
    """Keep the message; True when it was kept before. Raises Blocked, NotFound (erased), Invalid (team, text), Conflict (other text under this id)."""
    customer = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    first = customer.offline_messages.filter(client_id=left.client_id).first()
    if first is not None:
        if first.text != left.text:
            raise Conflict(_("Another message was already left under this id."))
        return first, True
    if customer.erased_at is not None:
        raise NotFound
    if customer.is_blocked_at(now):
        raise Blocked(_("You cannot leave a message here."))
    check_text(left.text)
    if not left.text.strip():
        raise Invalid(fields={"text": _("Write something first.")})
    team = left.team or default_team(channel)
    if team is None or team.center_id != channel.center_id or not team.is_active:
        raise Invalid(fields={"team": _("Choose a team.")})
    _fill_in(customer, left)
    message = OfflineMessage.objects.create(
        center_id=channel.center_id,
        channel=channel,
        team=team,
        customer=customer,
        client_id=left.client_id,
        name=left.name,
        email=left.email,
        phone=left.phone,
        text=left.text,
        page_url=left.page_url,
        left_at=now,
    )
    return message, False


def handle_offline_message(message: OfflineMessage, agent: Agent | None, *, now: datetime) -> OfflineMessage:
    """Somebody has seen to it (None: a program). The first one stays named."""
    changed = OfflineMessage.objects.filter(pk=message.pk, handled_at=None).update(handled_at=now, handled_by=agent)
    if changed:
        message.handled_at, message.handled_by = now, agent
    else:
        message.refresh_from_db()
    return message


def _fill_in(customer: Customer, left: Left) -> None:
    """What we did not know of the customer yet; what an identified one is known by is not overwritten."""
    changed = [
        name
        for name, value in (("name", left.name), ("email", left.email), ("phone", left.phone))
        if value and not getattr(customer, name)
    ]
    for name in changed:
        setattr(customer, name, getattr(left, name))
    if changed:
        customer.save(update_fields=changed)
