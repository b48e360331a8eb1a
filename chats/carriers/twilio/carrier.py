"""Sending: POST /2010-04-01/Accounts/{sid}/Messages.json (www.twilio.com/docs/messaging/api/message-resource).

The API has no key by which a repeat is known: when no answer comes, the message is sent again, and may have been taken the first time.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from chats.carriers.provider import Parcel, Result, Setting
from chats.outbox.sending import Answer, Sender
from contactcenter.models import Channel

from .numbers import customers_number, own_number
from .words import STOP_CODE, sentence_of

BASE = "https://api.twilio.com"
MOST_TEXT = 1600  # characters; the network cuts them into SMS and joins them again
MOST_FILES = 10
AGAIN = frozenset({408, 429})  # and all from 500 on


class Twilio:
    """See chats.carriers.provider.Provider."""

    kind: ClassVar[Channel.Kind] = Channel.Kind.SMS
    tells_delivery: ClassVar[bool] = True
    most_text: ClassVar[int] = MOST_TEXT
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting(name="account_sid", label=_("Account SID"), help=_("It begins with AC."), is_required=True),
        Setting(
            name="auth_token",
            label=_("Auth token"),
            help=_("With it we sign in, and what comes in is signed."),
            kind="secret",
            is_required=True,
        ),
        Setting(
            name="messaging_service_sid",
            label=_("Messaging service SID"),
            help=_("It begins with MG. Empty = messages come from our own number."),
        ),
        Setting(
            name="mms",
            label=_("Send files as MMS"),
            help=_("Off, they go as links in the text: outside of North America and Australia few networks carry MMS."),
            kind="flag",
            default=True,
        ),
        Setting(name="base_url", label=_("Server"), help=_("Of another provider with the same API."), default=BASE),
    )

    def own_address(self, value: str) -> str:
        """Empty where a messaging service chooses the number. Raises Invalid."""
        return own_number(value)

    def address(self, value: str, own: str) -> str:
        """E.164, or a short code as it is. Raises Invalid."""
        return customers_number(value, own)

    def send(self, parcel: Parcel, sender: Sender, seconds: float) -> Result:
        form = _form(parcel)
        if why := _unfit(form):
            return Result(error=why)
        headers = {
            "Authorization": _credentials(parcel.settings, parcel.secrets),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        url = _url(parcel.settings, "/Messages.json")
        return _result(sender.post(url, urlencode(form).encode(), headers, seconds=seconds))

    def check(self, own: str, settings: Mapping[str, Any], secrets: Mapping[str, str], seconds: float) -> str:
        if not own and not settings.get("messaging_service_sid"):
            return _now("Enter our phone number or a messaging service.")
        headers = {"Authorization": _credentials(settings, secrets)}
        with Sender() as sender:
            answer = sender.get(_url(settings, ".json"), headers, seconds=seconds)
        if answer.status in (401, 403, 404):
            return _now("The account SID or the auth token is wrong.")
        if not answer.is_ok:
            return answer.error or _now("The server answered %(status)s.") % {"status": answer.status}
        if _told(answer).get("status") in ("suspended", "closed"):
            return _now("This account is suspended or closed.")
        return ""


def _form(parcel: Parcel) -> list[tuple[str, str]]:
    service = str(parcel.settings.get("messaging_service_sid") or "")
    is_mms = bool(parcel.settings.get("mms", True))
    links = [] if is_mms else [file.url for file in parcel.files]
    body = "\n".join(filter(None, [parcel.text, *links]))
    form = [
        ("To", parcel.address),
        ("MessagingServiceSid", service) if service else ("From", parcel.own),
        ("StatusCallback", parcel.status_url),
        *([("Body", body)] if body else []),
    ]
    return form + [("MediaUrl", file.url) for file in parcel.files if is_mms]


def _unfit(form: list[tuple[str, str]]) -> str:
    """What no try will change, as a sentence."""
    values = dict(form)
    if not values.get("From") and not values.get("MessagingServiceSid"):
        return "This channel has no number to send from."
    if len(values.get("Body", "")) > MOST_TEXT:
        return f"An SMS has at most {MOST_TEXT} characters. Send this in parts."
    if sum(name == "MediaUrl" for name, _value in form) > MOST_FILES:
        return f"An MMS has at most {MOST_FILES} files. Send them in parts."
    return ""


def _result(answer: Answer) -> Result:
    if answer.status is None:
        return Result(error=answer.error, again=True, was_answered=False)
    told = _told(answer)
    if answer.is_ok:
        return Result(external_id=_plain(told.get("sid")))
    code = _plain(told.get("code"))[:10]
    theirs = _plain(told.get("message")) or f"The provider answered {answer.status}."
    return Result(
        error=sentence_of(code, theirs),
        again=answer.status in AGAIN or answer.status >= 500,
        code="stopped" if code == STOP_CODE else "",
    )


def _told(answer: Answer) -> dict[str, Any]:
    """The answer's JSON; empty for anything but an object."""
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _plain(value: Any) -> str:
    """A text or number of theirs as the database can keep it."""
    if not isinstance(value, str | int):
        return ""
    return str(value).encode(errors="replace").decode().replace("\0", "\ufffd")


def _url(settings: Mapping[str, Any], rest: str) -> str:
    base = str(settings.get("base_url") or BASE).rstrip("/")
    return f"{base}/2010-04-01/Accounts/{quote(str(settings.get('account_sid', '')), safe='')}{rest}"


def _credentials(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> str:
    """RFC 7617."""
    said = f"{settings.get('account_sid', '')}:{secrets.get('auth_token', '')}"
    return f"Basic {base64.b64encode(said.encode()).decode()}"
