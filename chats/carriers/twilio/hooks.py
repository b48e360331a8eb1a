"""Where the network calls us: /carriers/twilio/<channel's key>/messages and …/status.

Forms, signed (www.twilio.com/docs/usage/security): over the public address as it was entered at Twilio, and all parameters, known or not.
"""

from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from chats.actions.links import MOST_LINKS, Link, check_links
from chats.actions.receive import Inbound, receive
from chats.carriers.dispatches import live_channels
from chats.carriers.fates import note_fate
from chats.doors.refusals import refusal_of
from chats.errors import Forbidden, Invalid, NotFound, Unavailable
from chats.models import Carrier, Dispatch
from contactcenter.models import Channel

from .consent import note_start, note_stop
from .numbers import sender_of
from .words import FATES, STOP_CODE, sentence_of, wish_of

log = structlog.get_logger(__name__)

MOST_ID = 64  # characters; theirs have 34
NOTHING_TO_SAY = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'

Take = Callable[[Channel, QueryDict], HttpResponse]
View = Callable[[HttpRequest, str], HttpResponse]


def hook(take: Take) -> View:
    """A view that calls `take` with what a live channel's network has signed. 404, 403, and for all else that a Refused says."""

    @csrf_exempt
    @require_POST
    def view(request: HttpRequest, key: str) -> HttpResponse:
        try:
            # Whatever the type is called: only what was sent as a form was signed as one.
            form = QueryDict(request.body, encoding="utf-8")
            return take(_signed_for(request, key, form), form)
        except Exception as error:  # the outermost door
            refusal, status = refusal_of(error)
            if refusal is None:
                raise
            return _refuse(status, str(refusal.message), refusal.retry_after or (2 if status == 503 else None))

    return view


@hook
def messages(channel: Channel, form: QueryDict) -> HttpResponse:
    """A message came in. One that holds nothing is taken and forgotten."""
    inbound = _read(form)
    if inbound.text.strip() or inbound.links:
        wish = wish_of(inbound.text, form.get("OptOutType") or "")
        take: Callable[..., Any] = {"stop": note_stop, "start": note_start}.get(wish, receive)
        take(channel, inbound, now=timezone.now())
    return HttpResponse(NOTHING_TO_SAY, content_type="text/xml; charset=utf-8")


@hook
def status(channel: Channel, form: QueryDict) -> HttpResponse:
    """What became of a message of ours. Of one that is being sent at this moment we may not know the id yet: 503, and it may come again."""
    external_id, fate = _id(form), FATES.get(form.get("MessageStatus") or "")
    if fate is None:
        return HttpResponse(status=204)
    code = form.get("ErrorCode") or ""
    error = sentence_of(code[:10]) if fate == Dispatch.Fate.LOST else ""
    now = timezone.now()
    known = note_fate(channel, external_id, fate, error=error, code="stopped" if code == STOP_CODE else "", now=now)
    if known is None and Dispatch.objects.pending().filter(channel=channel, leased_until__gt=now).exists():
        raise Unavailable
    return HttpResponse(status=204)


def _signed_for(request: HttpRequest, key: str, form: QueryDict) -> Channel:
    """The channel, when what came was signed with its token. Raises NotFound, Forbidden."""
    live = live_channels().filter(key=key, carrier__provider=Carrier.Provider.TWILIO)
    channel: Channel | None = live.select_related("carrier", "center", "team").first()
    if channel is None:
        raise NotFound
    token = channel.carrier.secrets.get("auth_token", "")
    # The public address, never the request's: a proxy stands between, and a host can be made up.
    url = f"{settings.BASE_URL}{request.get_full_path()}"
    signature = request.headers.get("X-Twilio-Signature", "")
    # Without a token everybody could sign.
    if not token or not RequestValidator(token).validate(url, form, signature):
        log.warning("a call to a number was not signed by its network", channel=str(channel.pk))
        raise Forbidden
    return channel


def _read(form: QueryDict) -> Inbound:
    links, others = _links(form)
    text = "\n".join(filter(None, [(form.get("Body") or "").replace("\0", "\ufffd"), *others]))
    return Inbound(external_id=_id(form), address=sender_of(form.get("From") or ""), text=text, links=tuple(links))


def _id(form: QueryDict) -> str:
    found = form.get("MessageSid") or ""
    if not found or len(found) > MOST_ID or not (found.isascii() and found.isprintable()):
        raise Invalid(fields={"MessageSid": "Missing or wrong."})
    return found


def _links(form: QueryDict) -> tuple[list[Link], list[str]]:
    """The media as links; nothing is fetched. Addresses that nobody should be sent to are shown as text."""
    links: list[Link] = []
    others: list[str] = []
    for number in range(MOST_LINKS):
        url = form.get(f"MediaUrl{number}")
        if not url:
            break
        link = Link(type=(form.get(f"MediaContentType{number}") or "")[:100], name="", url=url)
        try:
            check_links([link])
            links.append(link)
        except Invalid:
            others.append(url.replace("\0", "\ufffd"))
    return links, others


def _refuse(status: int, sentence: str, retry_after: float | None) -> HttpResponse:
    response = HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")
    if retry_after:
        response["Retry-After"] = str(max(round(retry_after), 1))
    return response
