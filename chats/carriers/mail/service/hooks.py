"""Where a provider calls us: /carriers/mail/<channel's key>/inbound with a mail, …/events with what became of ours.

200 says that all is stored, 503 that it should come again, 403 that we cannot know it for theirs.
"""

from collections.abc import Callable
from typing import Any

import structlog
from anymail.exceptions import AnymailWebhookValidationFailure  # type: ignore[import-untyped]
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from chats.actions.start import default_team
from chats.carriers.dispatches import live_channels
from chats.carriers.mail.taking import Later, NotStored, take
from chats.doors.refusals import refusal_of
from chats.errors import Forbidden, Invalid, NotFound, Unavailable
from chats.models import Carrier
from contactcenter.models import Channel

from .reports import note_event
from .vendors import VENDORS, Access, Vendor
from .whole import mail_in

log = structlog.get_logger(__name__)

Take = Callable[[HttpRequest, Channel, Vendor], None]


def hook(take_in: Take) -> Callable[[HttpRequest, str], HttpResponse]:
    """A view that calls `take_in` for a live channel. Some providers look with HEAD whether anybody is there."""

    @csrf_exempt
    @require_http_methods(["POST", "HEAD"])
    def view(request: HttpRequest, key: str) -> HttpResponse:
        try:
            channel, vendor = _channel(key)
            if request.method == "POST":
                take_in(request, channel, vendor)
        except Exception as error:  # the outermost door
            refusal, status = refusal_of(error)
            if refusal is None:
                raise
            return _say(str(refusal.message), status)
        return _say("ok", 200)

    return view


@hook
def inbound(request: HttpRequest, channel: Channel, vendor: Vendor) -> None:
    request.body  # noqa: B018 - kept beside the form that is read from it
    request.encoding = "latin-1"
    if request.content_type == "application/json" and not vendor.sends_json:
        raise Invalid  # read before it is verified, and it may be large here
    view = _verified(request, channel, vendor, is_tracking=False)
    raw = _read(lambda: mail_in(vendor, view, request), channel)
    now = timezone.now()
    if default_team(channel) is None:
        trouble = _("No team takes the chats of this mailbox.")
        Carrier.objects.filter(channel=channel).update(**Carrier.trouble(trouble, now))
        raise Unavailable
    try:
        take(channel, raw, is_whole=True, slow=set(), now=now)
    except (Later, NotStored) as waits:
        raise Unavailable from waits


@hook
def events(request: HttpRequest, channel: Channel, vendor: Vendor) -> None:
    view = _verified(request, channel, vendor, is_tracking=True)
    waits = False
    for event in _read(lambda: list(vendor.events(view, request)), channel):
        try:
            note_event(channel, event, timezone.now())
        except Unavailable:
            waits = True
    if waits:
        raise Unavailable


def _channel(key: str) -> tuple[Channel, Vendor]:
    live = live_channels().filter(key=key, carrier__provider=Carrier.Provider.MAIL_SERVICE)
    channel: Channel | None = live.select_related("carrier", "center", "team").first()
    vendor = VENDORS.get(str(channel.carrier.settings.get("service"))) if channel else None
    if channel is None or vendor is None:
        raise NotFound
    return channel, vendor


def _verified(request: HttpRequest, channel: Channel, vendor: Vendor, *, is_tracking: bool) -> Any:
    """anymail's view, when it takes the call for the provider's. Raises Forbidden, Invalid."""
    carrier = channel.carrier
    lock = vendor.lock(Access(channel.address, carrier.settings, carrier.secrets), is_tracking=is_tracking)
    if not lock:  # anymail would let everybody in
        raise Forbidden
    try:
        view = (vendor.tracking if is_tracking else vendor.inbound)(**lock)
        view.run_validators(request)
        vendor.check_age(request)
        return view
    except AnymailWebhookValidationFailure as error:
        log.warning("a call to a mail address was not signed by its provider", channel=str(channel.pk))
        raise Forbidden from error
    except Exception as error:
        if refusal_of(error)[0]:  # too large, or cut off
            raise
        raise Invalid from error


def _read(reading: Callable[[], Any], channel: Channel) -> Any:
    """Nothing of this asks the database: what goes wrong is the body's fault. Raises Invalid."""
    try:
        return reading()
    except Exception as error:
        log.warning("a call of a mail provider cannot be read", channel=str(channel.pk), why=repr(error)[:300])
        raise Invalid from error


def _say(sentence: str, status: int) -> HttpResponse:
    response = HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")
    if status == 503:
        response["Retry-After"] = "5"
    return response
