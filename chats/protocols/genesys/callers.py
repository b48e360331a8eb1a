"""Whose contact center is meant: by ContactCenterId, by apikey, else by the host, the installation's default, or because it is the only one.

Customers prove nothing but that they know their chat's id, which is random and said to nobody else. Agents show an application password.
"""

from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from agents.models import Agent
from chats.doors.centers import host_of, narrow
from chats.doors.passwords import basic_credentials, person_of
from chats.errors import Forbidden, Unauthorized
from contactcenter.models import Registration

MOST_ID = 100  # characters
NOBODYS = " "  # no id and no key is a blank
UNKNOWN = "This contact center is not known."
UNCLEAR = "Send the header ContactCenterId: it is not clear which contact center is meant."


def live_registrations() -> "QuerySet[Registration]":
    """Those that are open to anybody, the oldest first."""
    live = Registration.objects.live(Registration.Protocol.GENESYS)
    return live.order_by("created_at", "pk")


def named_registrations(request: Any) -> "QuerySet[Registration] | None":
    """Those that the request's headers fit, both where both are sent; None when it names nothing. The published apikey may be several centers'."""
    names = names_of(request)
    return live_registrations().filter(**names) if names else None


def names_of(request: Any) -> dict[str, str]:
    """What a registration must have, of what the request's headers name: `foreign_id`, `public_key`."""
    return named(request.headers.get("ContactCenterId", ""), request.headers.get("apikey", ""))


def named(contact_center_id: str, apikey: str) -> dict[str, str]:
    """The same of the headers' values."""
    sent = {"foreign_id": _word(contact_center_id), "public_key": _word(apikey)}
    return {name: value for name, value in sent.items() if value}


def find_registration(request: Any, tenant: str = "") -> Registration:
    """The one that a new chat belongs to, with application, channel, its team, and center. Raises Forbidden when it cannot be told.

    `tenant`: how a body without such headers names the center, by a ContactCenterId or by our short name.
    """
    named = named_registrations(request)
    if named is None and tenant:
        named = live_registrations().filter(Q(foreign_id=tenant) | Q(center__slug=tenant))
    found = live_registrations() if named is None else named
    candidates = list(found.select_related("application", "channel__team", "channel__center", "center"))
    if named is not None and not candidates:
        raise Forbidden(UNKNOWN)
    if len({one.center_id for one in candidates}) > 1:
        candidates = _of_tenant(tenant, candidates) or narrow(candidates, request)
    if not candidates:
        raise Forbidden(UNCLEAR)
    return candidates[0]


def find_seat(request: Any) -> Agent:
    """The agent whose application password the request shows (HTTP Basic). Raises Unauthorized, Forbidden."""
    credentials = basic_credentials(request)
    if credentials is None:
        raise Unauthorized("Sign in with HTTP Basic.")
    user = person_of(request, *credentials, timezone.now())
    seats = list(Agent.objects.active().filter(user=user).select_related("center", "user"))
    named = named_registrations(request)
    if named is not None:
        centers = set(named.values_list("center_id", flat=True))
        seats = [seat for seat in seats if seat.center_id in centers]
    if not seats:
        raise Forbidden("You have no seat in this contact center.")
    if len(seats) > 1:
        seats = [seat for seat in seats if seat.center.host and seat.center.host == host_of(request)] or [
            seat for seat in seats if seat.center.slug == settings.DEFAULT_CONTACT_CENTER
        ]
    if not seats:
        raise Forbidden(UNCLEAR)
    return seats[0]


def has_credentials(request: Any) -> bool:
    return "Authorization" in request.headers


def check_anonymous(request: Any) -> None:
    """Customers show no credentials (customer chat API, General). Raises Forbidden for who does: such a program means another API."""
    if has_credentials(request):
        raise Forbidden("Customers' operations take no Authorization header.")


def _of_tenant(tenant: str, candidates: list[Registration]) -> list[Registration]:
    return [one for one in candidates if tenant and tenant in (one.foreign_id, one.center.slug)]


def _word(sent: Any) -> str:
    """What a header says; empty for none, and nobody's for what is no id or key of ours."""
    value = str(sent).strip()
    return value if value.isascii() and value.isprintable() and len(value) <= MOST_ID else NOBODYS
