"""Attachments that lie elsewhere: kept as links, never fetched. People decide whether to follow them."""

from collections.abc import Iterable
from typing import TypedDict
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from chats.errors import Invalid

MOST_LINKS = 10  # in one message
MOST_URL = 2000  # characters
SCHEMES = frozenset({"http", "https"})


class Link(TypedDict):
    """type: the media type as its sender says, never believed; url: http(s)."""

    type: str
    name: str
    url: str


def check_links(links: Iterable[Link]) -> None:
    """Raises Invalid for what a person's browser should not be sent to."""
    found = list(links)
    if len(found) > MOST_LINKS or not all(_is_plain(link["url"]) for link in found):
        raise Invalid(fields={"attachments": _("Only addresses of the web can be linked to, and ten at most.")})


def _is_plain(url: str) -> bool:
    if len(url) > MOST_URL or not url.isprintable() or any(sign in url for sign in ' \\"<>'):
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    # A name in front of the host shows people another address than the one they go to.
    return parts.scheme in SCHEMES and bool(parts.hostname) and "@" not in parts.netloc and port != 0
