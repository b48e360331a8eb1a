"""The carrier: what it wants to know, and how a message is sent."""

import re
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chats.carriers.provider import File, Parcel, Result, Setting
from chats.errors import Invalid
from chats.outbox.sending import Sender
from contactcenter.models import Channel

from .events import id_of
from .graph import TOO_LATE, WINDOW, Graph

GRAPH_URL = "https://graph.facebook.com/v25.0"
OPEN_FOR = timedelta(hours=24)  # after the customer's last message (Meta, "Messenger Platform policy")
MOST_TEXT = 2000  # characters of one message (Send API)
MEDIA = frozenset({"image", "video", "audio"})  # everything else is a file

Part = tuple[str, dict[str, Any]]  # what it is called, and the message as the Send API wants it


class Messenger:
    """See carriers.provider.Provider."""

    kind: ClassVar[Channel.Kind] = Channel.Kind.FACEBOOK
    tells_delivery: ClassVar[bool] = True
    most_text: ClassVar[int] = MOST_TEXT
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting(
            name="app_secret",
            label=_("App secret"),
            help=_("Of the Meta app, under App settings, Basic. Facebook signs with it what it tells us."),
            kind="secret",
            is_required=True,
        ),
        Setting(
            name="page_token",
            label=_("Page access token"),
            help=_("One that does not expire, with the permission pages_messaging."),
            kind="secret",
            is_required=True,
        ),
        Setting(
            name="verify_token",
            label=_("Verify token"),
            help=_("Any text; enter the same one beside the callback URL at Meta."),
            kind="secret",
            default=secrets.token_urlsafe,
            is_required=True,
        ),
        Setting(
            name="graph_url",
            label=_("Address of the Graph API"),
            help=_("With its version. Change it when Meta ends this one."),
            default=GRAPH_URL,
        ),
    )

    def own_address(self, value: str) -> str:
        """The page's id. Raises Invalid."""
        return _id(value, _("Enter the page's id: digits alone, as Facebook shows it under About, Page transparency."))

    def address(self, value: str, own: str) -> str:
        """A person's id, which is good for one page alone. Raises Invalid."""
        return _id(value, _("People are known to a page by a number that Facebook gives them."))

    def send(self, parcel: Parcel, sender: Sender, seconds: float) -> Result:
        """Text first, then a call for each file. What failed after something was taken is not tried again: it would be said twice."""
        if parcel.wrote_at is None or timezone.now() - parcel.wrote_at > OPEN_FOR:
            return Result(error=TOO_LATE, code=WINDOW)
        graph = _graph(parcel.own, parcel.settings, parcel.secrets, sender, seconds)
        last = Result(error="The message is empty.")
        for name, message in parts_of(parcel):
            result = graph.send(parcel.address, message)
            if not result.is_sent:
                return _broken_off(result, name) if last.is_sent else result
            last = result
        return last

    def check(self, own: str, settings: Mapping[str, Any], secrets: Mapping[str, str], seconds: float) -> str:
        """Whether the token reads the page."""
        with Sender() as sender:
            return _graph(own, settings, secrets, sender, seconds).find_page()


def parts_of(parcel: Parcel) -> Iterator[Part]:
    """What is said one after the other: a message holds a text or one file."""
    for text in split_text(parcel.text.strip()):
        yield "the rest of the text", {"text": text}
    for file in parcel.files:
        yield file.name, {"attachment": {"type": _media(file), "payload": {"url": file.url}}}


def split_text(text: str) -> list[str]:
    """Pieces that fit, parted at a line's end or a blank where there is one in the second half."""
    pieces = []
    while len(text) > MOST_TEXT:
        head = text[:MOST_TEXT]
        cut = max(head.rfind("\n"), MOST_TEXT // 2)
        cut = cut if cut > MOST_TEXT // 2 else max(head.rfind(" "), MOST_TEXT // 2)
        cut = cut if cut > MOST_TEXT // 2 else MOST_TEXT
        pieces.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*pieces, text] if text else pieces


def _media(file: File) -> str:
    kind = file.content_type.split("/")[0]
    return kind if kind in MEDIA else "file"


def _broken_off(result: Result, name: str) -> Result:
    return replace(result, error=f"Sent in part, without {name[:100]}: {result.error}"[:300], again=False)


def _graph(own: str, settings: Mapping[str, Any], secrets: Mapping[str, str], sender: Sender, seconds: float) -> Graph:
    url = str(settings.get("graph_url") or GRAPH_URL)
    return Graph(url, own, secrets.get("page_token", ""), sender, time.monotonic() + seconds)


def _id(value: str, why: Any) -> str:
    found = id_of(re.sub(r"\s", "", value))
    if not found:
        raise Invalid(fields={"address": why})
    return found
