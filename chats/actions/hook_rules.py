"""Rules of web hooks: where one may lead, what it may ask for, how many there may be."""

import re
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from django.utils.translation import gettext as _

from chats.errors import Conflict, Full, Invalid
from chats.events import all_event_types
from chats.models import Webhook
from contactcenter.models import Application, Registration

HAS_HOOKS = frozenset({Registration.Protocol.HYPERCHAT, Registration.Protocol.COMAPI})  # whose words an outbox speaks
# Our words that a foreign API has, too. Others of ours would never be heard there.
SHARED_WORDS = {Registration.Protocol.COMAPI: frozenset({"chat.closed"})}
MOST_WEBHOOKS = 20  # of one application
MOST_URL = 2000  # characters
MOST_EVENTS = 100
MOST_EVENT = 40  # characters; what a delivery keeps
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")
_PRINTABLE = re.compile(r"[\x21-\x5b\x5d-\x7e]+")  # no blanks, and no backslash, on which readers of addresses disagree


def check_url(url: str) -> str:
    """The address, trimmed. Raises Invalid. Where its name leads to is looked at whenever it is called."""
    url = url.strip()
    if len(url) > MOST_URL:
        raise Invalid(fields={"url": _("2000 characters at most.")})
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or "#" in url:
        raise Invalid(fields={"url": _("Write it like https://www.example.com/hook, in full and without blanks.")})
    if "@" in parts.netloc:
        raise Invalid(fields={"url": _("An address with a name or password in it is not called.")})
    host = parts.netloc.removesuffix(f":{parts.port}")
    if not _HOST.fullmatch(host) or parts.port == 0:
        raise Invalid(fields={"url": _("This names no server.")})
    return url


def check_events(events: Iterable[str], *, registration: Registration | None = None) -> list[str]:
    """Each once, in their order. A registration's words are its protocol's to judge. Raises Invalid."""
    patterns = list(dict.fromkeys(event.strip() for event in events))
    if not patterns or len(patterns) > MOST_EVENTS:
        raise Invalid(fields={"events": _("Name at least one event, and 100 at most.")})
    own = own_patterns()
    for pattern in patterns:
        is_fit = pattern in own if registration is None else _is_foreign(pattern, own, registration)
        if not is_fit:
            raise Invalid(fields={"events": _("There is no event “%s”.") % pattern[:MOST_EVENT]})
    return patterns


def own_patterns() -> list[str]:
    """What a web hook of ours may ask for: all, a family, or one event."""
    types = [kind.type for kind in all_event_types()]
    families = dict.fromkeys(f"{kind.partition('.')[0]}.*" for kind in types)
    return ["*", *families, *types]


def check_room(
    application: Application, *, url: str, registration: Registration | None, but: Webhook | None = None
) -> None:
    """Whether the application, whose row the caller has locked, may have this one; `but` is not counted. Raises Full, Conflict, Invalid."""
    if registration is not None and registration.application_id != application.pk:
        raise Invalid(fields={"registration": _("Choose one of this application.")})
    if registration is not None and registration.protocol not in HAS_HOOKS:
        raise Invalid(fields={"registration": _("This API has no web hooks. Leave it empty to hear our own events.")})
    others = Webhook.objects.kept().filter(application=application)
    if but is not None:
        others = others.exclude(pk=but.pk)
    if others.count() >= MOST_WEBHOOKS:
        raise Full(_("An application has 20 web hooks at most. Delete one first."))
    # A repeated request must not have everything told twice. Foreign clients name an address as often as they like.
    if registration is None and others.filter(url=url, registration=None).exists():
        raise Conflict(_("There is a web hook for this address."))


def _split(url: str) -> SplitResult | None:
    """Nothing for what cannot be read in one way only: urlsplit alone drops line feeds, and its port raises late."""
    if not _PRINTABLE.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for what is no port
    except ValueError:
        return None
    return parts


def _is_foreign(pattern: str, own: list[str], registration: Registration) -> bool:
    """Any short word but ours; * is everybody's."""
    if pattern == "*" or pattern in SHARED_WORDS.get(Registration.Protocol(registration.protocol), ()):
        return True
    return 0 < len(pattern) <= MOST_EVENT and pattern.isprintable() and pattern not in own
