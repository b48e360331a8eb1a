"""Customers' sessions: opened, proven to be somebody's, ended. A session's token is 256 random bits; only its hash is kept.

An anonymous session can become an identified one (the site's server signed the id), never the other way round, and always under a new token:
whoever planted the old one in somebody's browser holds nothing then.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from chats.errors import Conflict, Forbidden
from chats.models import Customer, CustomerSession
from contactcenter.models import Channel, hash_secret
from contactcenter.prepared import Prepared, PreparedValues

from .customers import merge_customers, update_customer

SESSION_LIFE = timedelta(days=30)
SLIDE_AFTER = timedelta(days=1)  # a session's end moves at most once a day
MOST_MERGES = 10  # followed from a merged customer to the one that is left


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who the site says its visitor is. `signature`: hex HMAC-SHA256 with the channel's identity secret over "id\\nexpires" (Unix seconds)."""

    id: str
    expires: int
    signature: str
    fields: dict[str, str] = field(default_factory=dict)  # name, email, phone: as the browser says, not signed


@dataclass(frozen=True)
class Opened:
    """A session, and the token that its client shows from now on."""

    session: CustomerSession
    token: str

    @property
    def customer(self) -> Customer:
        customer: Customer = self.session.customer
        return customer


def find_session(token: str, now: datetime) -> CustomerSession | None:
    """The session that this token proves, with its customer, channel and center; None when it is unknown or over."""
    return _LIVE_SESSION.first(hash_secret(token), now)


@dataclass(frozen=True, slots=True)
class Proven:
    """What a live token proves, without the rows. `languages`: the customer's, the center's; `is_due`: the session's end is to be moved."""

    customer_id: UUID
    languages: tuple[str, str]
    allowed_origins: list[str]
    is_due: bool


def proven(found: Sequence[tuple[Any, ...]], now: datetime) -> Proven | None:
    """What LIVE_FACTS has found of a token's hash; None when it is unknown or over."""
    if not found:
        return None
    customer_id, expires_at, own, centers, origins = found[0]
    return Proven(customer_id, (own, centers), origins, _is_due(expires_at, now))


def read_session(session_id: UUID, now: datetime) -> CustomerSession | None:
    """A session that was proven before, as it is now; None when it is over."""
    return _with_all(now).filter(pk=session_id).first()


def _live_sessions(token_hash: Any, now: Any) -> "QuerySet[CustomerSession]":
    return _with_all(now).filter(token_hash=token_hash)


def _with_all(now: Any) -> "QuerySet[CustomerSession]":
    live = CustomerSession.objects.filter(channel__is_active=True, center__is_active=True, expires_at__gt=now)
    return live.select_related("customer", "channel", "center")


_LIVE_SESSION = Prepared(_live_sessions)
# As `find_session`, by (token's hash, now), with the channel's widget, too.
LIVE_WITH_WIDGET = Prepared(lambda token, now: _live_sessions(token, now).select_related("channel__widget"))
# As `find_session`, by (token's hash, now), for `proven`.
LIVE_FACTS = PreparedValues(
    _live_sessions, "customer_id", "expires_at", "customer__language", "center__language", "channel__allowed_origins"
)


def may_slide(session: CustomerSession, now: datetime) -> bool:
    """Whether the session's end is to be moved."""
    return _is_due(session.expires_at, now)


def _is_due(expires_at: datetime, now: datetime) -> bool:
    return expires_at < now + SESSION_LIFE - SLIDE_AFTER


def slide_session(session: CustomerSession, now: datetime) -> None:
    """A used session lasts another 30 days."""
    if may_slide(session, now):
        session.expires_at = now + SESSION_LIFE
        CustomerSession.objects.filter(pk=session.pk).update(expires_at=session.expires_at)
        Customer.objects.filter(pk=session.customer_id).update(last_seen_at=now)


@transaction.atomic
def open_session(
    channel: Channel,
    *,
    token: str = "",
    identity: Identity | None = None,
    language: str = "",
    page: dict[str, str] | None = None,
    now: datetime,
) -> Opened:
    """Take up the token's session, or begin a new one: anonymous, or that of the proven identity. Raises Forbidden (the signature).

    `page` {url, title}: where the customer is now; staff see it on the open chat.
    """
    known = find_session(token, now) if token else None
    if known is not None and known.channel_id != channel.pk:
        known = None
    if identity is not None:
        check_signature(channel, identity, now)
        opened = _identify(channel, known, identity, language, now)
    elif known is not None:
        slide_session(known, now)
        opened = Opened(known, token)
    else:
        customer = Customer.objects.create(center_id=channel.center_id, language=language, last_seen_at=now)
        return begin_session(channel, customer, now)
    if page and page.get("url"):
        opened.customer.chats.open().update(page_url=page["url"], page_title=page.get("title", ""))
    return opened


def end_session(session: CustomerSession) -> None:
    """The client forgets who it was. Its chats stay."""
    CustomerSession.objects.filter(pk=session.pk).delete()


def drop_expired_sessions(now: datetime) -> int:
    return CustomerSession.objects.filter(expires_at__lte=now).delete()[0]


def check_signature(channel: Channel, identity: Identity, now: datetime) -> None:
    """Raises Forbidden for a wrong or expired one; the answer does not tell which ids exist."""
    signed = f"{identity.id}\n{identity.expires}".encode()
    expected = hmac.new(channel.identity_secret.encode(), signed, hashlib.sha256).hexdigest()
    is_right = hmac.compare_digest(expected.encode(), identity.signature.lower().encode())
    if not is_right or not channel.identity_secret:
        raise Forbidden(_("The signature of this identity is wrong."))
    if identity.expires <= now.timestamp():
        raise Forbidden(_("The signature of this identity has expired. Sign it anew."))


def begin_session(channel: Channel, customer: Customer, now: datetime) -> Opened:
    """A new session of a customer whom the door has just made, or who has proven to be it."""
    token = secrets.token_urlsafe(32)
    session = CustomerSession.objects.create(
        center_id=channel.center_id,
        customer=customer,
        channel=channel,
        token_hash=hash_secret(token),
        created_at=now,
        expires_at=now + SESSION_LIFE,
    )
    return Opened(session, token)


def _identify(
    channel: Channel, known: CustomerSession | None, identity: Identity, language: str, now: datetime
) -> Opened:
    customer = _proven_customer(channel, known, identity)
    changes: dict[str, Any] = {name: value for name, value in identity.fields.items() if value}
    if language and not customer.language:
        changes["language"] = language
    customer = update_customer(customer, changes, now=now)
    Customer.objects.filter(pk=customer.pk).update(last_seen_at=now)
    if known is not None:
        end_session(known)
    return begin_session(channel, customer, now)


def _proven_customer(channel: Channel, known: CustomerSession | None, identity: Identity) -> Customer:
    """The customer of the proven id. Who wrote anonymously until now takes the chats along."""
    anonymous = known.customer if known and not known.customer.is_identified else None
    if anonymous is not None:
        # Nobody who holds another token of the anonymous visitor becomes the identified one by it.
        anonymous.sessions.all().delete()
    customer = _customer_of(channel, identity.id)
    if customer is None:
        customer, is_new = _promote(channel, anonymous, identity.id)
        if is_new:
            return customer
    if not customer.is_identified:
        Customer.objects.filter(pk=customer.pk).update(is_identified=True)
        customer.is_identified = True
    if anonymous is not None and anonymous.pk != customer.pk and not anonymous.is_blocked:
        try:
            return merge_customers(anonymous, customer)
        except Conflict:
            pass  # both have a chat open: the anonymous one ends by itself
    return customer


def _customer_of(channel: Channel, external_id: str) -> Customer | None:
    customer: Customer | None = Customer.objects.filter(center_id=channel.center_id, external_id=external_id).first()
    for _step in range(MOST_MERGES):
        if customer is None or customer.merged_into is None:
            break
        customer = customer.merged_into
    return customer


def _promote(channel: Channel, anonymous: Customer | None, external_id: str) -> tuple[Customer, bool]:
    """The visitor under the proven id: the anonymous row itself, or a new one. False: somebody else was quicker, it is theirs."""
    row = anonymous or Customer(center_id=channel.center_id)
    row.external_id, row.is_identified = external_id, True
    try:
        # Two windows may prove the same id at the same moment; the constraint lets one row have it.
        with transaction.atomic():
            row.save(update_fields=["external_id", "is_identified"] if anonymous else None)
    except IntegrityError:
        if anonymous is not None:
            anonymous.refresh_from_db()
        found = _customer_of(channel, external_id)
        if found is None:
            raise
        return found, False
    return row, True
