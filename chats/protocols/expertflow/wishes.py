"""What a conversation is asked for with (customer channel API, Initiate a chat request): who the customer is, on which channel, for which team.

The documentation prints some names in lower and some in upper case, so they are taken in any. What is none of them is the client's own parameter.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.validators import validate_email

from chats.actions.begin import OWN_FIELDS
from chats.errors import Invalid
from chats.sockets import fields

# Never kept with the chat: what names the center, proves something, or names a conversation.
PROOFS = ("contactCenterId", "secret", "applicationSecret", "participantId", "participant", "id", "conversationId")
NAMES = (
    *("firstName", "lastName", "email", "phone", "channel", "language", "refId", "url", "comment", "subject"),
    *("requestId", "reqestId", "timestamp", *PROOFS),
)
SPELLINGS = {name.lower(): name for name in NAMES}
NAME, TEXT, SUBJECT = fields.text(200), fields.text(2000), fields.text(200)
ACCOUNT, REQUEST = fields.text(200), fields.text(200)
KEPT = fields.plain(16_384)  # bytes
CHANNEL_NAME = re.compile(r"[!-~]{1,40}\Z")  # as connectors may name theirs
LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*\Z")
LONGEST_LANGUAGE = 10
# Their accounts are phone numbers (refId: "normally phone number").
BY_PHONE = frozenset({"sms", "smpp", "whatsapp", "viber"})
PHONE = re.compile(r"\+?[0-9][0-9 ()/.-]{2,30}\Z")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """`fields`: of the customer; `data`: of the chat; `request_id`: given back as it came; `person`: whom the client says it is already."""

    channel: str
    account: str
    fields: dict[str, str]
    subject: str
    page_url: str
    data: dict[str, Any]
    request_id: Any
    person: str


def folded(said: dict[str, Any]) -> dict[str, Any]:
    """With the names that we know spelled as we spell them. Of two spellings ours goes first, then the one that came first."""
    found: dict[str, Any] = {}
    for key, value in said.items():
        name = SPELLINGS.get(key.lower(), key)
        if name not in found or key == name:
            found[name] = value
    return found


def read_wish(said: dict[str, Any]) -> Wish:
    """`said`: folded. Raises Invalid for no channel, and for what cannot be kept."""
    channel = channel_name(said.get("channel"))
    account = _text(said, "refId", ACCOUNT)
    own = _own_fields(said, account if channel in BY_PHONE else "")
    return Wish(
        channel=channel,
        account=account,
        fields=own,
        subject=_text(said, "subject", SUBJECT),
        page_url=_text(said, "url", TEXT),
        data=_data(said, own),
        request_id=_request_id(said),
        person=_person(said),
    )


def channel_name(value: Any) -> str:
    """A channel as a connector names it, in small letters. Raises Invalid."""
    name = value.strip().lower() if isinstance(value, str) else ""
    if not name:
        raise Invalid("channel is required: web, sms, fb, twitter …")
    if not CHANNEL_NAME.match(name):
        raise Invalid(fields={"channel": "Letters, digits and signs without blanks, 40 at most."})
    return name


def _own_fields(said: dict[str, Any], account: str) -> dict[str, str]:
    """What the customer's row can hold. `account`: where it is a phone number."""
    name = " ".join(f"{_text(said, 'firstName', NAME)} {_text(said, 'lastName', NAME)}".split())
    found = {"name": name[: OWN_FIELDS["name"]]}
    found |= {field: value for field in ("email", "phone", "language") if _fits(field, value := _text(said, field))}
    if "phone" not in found and PHONE.match(account):
        found["phone"] = account
    return found


def _data(said: dict[str, Any], own: dict[str, str]) -> dict[str, Any]:
    """The client's own parameters, and of the known ones what has no other place. Raises Invalid."""
    names = {"comment", "timestamp", *({"email", "phone", "language"} - own.keys())}
    data = {name: value for name, value in said.items() if name in names or name not in NAMES}
    if any(isinstance(value, File) for value in data.values()):
        raise Invalid("Files are not taken here.")
    return _checked("parameters", KEPT, {name: value for name, value in data.items() if value not in (None, "")})


def _fits(field: str, value: str) -> bool:
    if field == "email":
        try:
            validate_email(value)
        except ValidationError:
            return False
    if field == "language":
        return bool(LANGUAGE.match(value)) and len(value) <= LONGEST_LANGUAGE
    return 0 < len(value) <= OWN_FIELDS[field]


def _request_id(said: dict[str, Any]) -> Any:
    value = next((said[name] for name in ("requestId", "reqestId") if said.get(name) is not None), None)
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    return _checked("requestId", REQUEST, value)


def _person(said: dict[str, Any]) -> str:
    """The participant's id as the first answer gave it, wherever the client puts it; what is none is nobody's."""
    whole = said.get("participant")
    shown = (said.get("participantId"), whole.get("id") if isinstance(whole, dict) else None, said.get("id"))
    return next((value for value in shown if isinstance(value, str) and len(value) == 36), "")


def _text(said: dict[str, Any], name: str, check: Callable[[Any], str] = TEXT) -> str:
    """Trimmed; empty for none and null. Numbers are texts, too: phones and accounts come as such. Raises Invalid."""
    value = said.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return "" if value is None else str(_checked(name, check, value)).strip()


def _checked(name: str, check: Callable[[Any], Any], value: Any) -> Any:
    try:
        return check(value)
    except fields.Wrong as wrong:
        raise Invalid(fields={name: wrong.args[0]}) from None
