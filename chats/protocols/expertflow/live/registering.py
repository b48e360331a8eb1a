"""registerConnector: a program says which channel it carries, and is given that channel's messages from then on."""

import re
from dataclasses import dataclass
from typing import Any

from chats.actions.connectors import make_connector
from chats.doors.socketio.place import Place
from chats.errors import Full, Gone, Invalid, Unauthorized
from chats.models import Connector
from chats.protocols.expertflow.callers import CENTER_NAMES, SECRET_NAMES, Caller, admit

from .connection import Connection
from .feed import Feed
from .threads import in_thread

MOST_FEEDS = 20  # of one connection
LONGEST_TITLE = 100
NAME = re.compile(r"[!-~]{1,40}")  # a channel's, in their words
OWN = "web"  # gadgets bring their own connection


@dataclass(frozen=True)
class Wanted:
    """name: of the channel; title: what people call the connector."""

    name: str
    title: str


async def register(connection: Connection, said: dict[str, Any]) -> dict[str, Any]:
    """said: {id, name, channel}, and contactCenterId and secret where the handshake did not show them. Returns the acknowledgement.

    A connection may have several channels; naming one again changes nothing but its title. Raises Invalid, Full, Unauthorized, Forbidden, TooMany.
    """
    wanted = read(said)
    caller, connector = await in_thread(find_connector, connection.place, connection.caller, said, wanted)
    if connection.caller is None or caller.is_proven:
        connection.caller = caller
        connection.trust()
    known = _known_feed(connection, caller, connector)
    feed = known or _new_feed(connection, caller, connector)
    # A newer connection keeps what it has taken: two programs that register again and again would each wait for the other for ever.
    await (feed.keep if known else feed.take)(wanted.title)
    if connection.is_closed:
        feed.stop()
        raise Gone
    connection.feeds[wanted.name] = feed
    feed.start()
    return {"code": 200, "id": wanted.name, "channel": wanted.name}


def _known_feed(connection: Connection, caller: Caller, connector: Connector) -> Feed | None:
    """The one that the connection has already."""
    known = connection.feeds.get(connector.name)
    if known is None or known.connector.pk != connector.pk or known.is_over:
        return None
    known.caller = caller
    return known


def _new_feed(connection: Connection, caller: Caller, connector: Connector) -> Feed:
    """In the place of one that is over, or another center's. Raises Full."""
    if known := connection.feeds.get(connector.name):
        known.stop()
    elif len(connection.feeds) >= MOST_FEEDS:
        raise Full("This connection has as many channels as it can have")
    return Feed(connection, caller, connector)


def read(said: dict[str, Any]) -> Wanted:
    """The id must equal the channel (doc), so either will do. Raises Invalid."""
    named = said.get("channel") or said.get("id")
    name = named.strip().lower() if isinstance(named, str) else ""
    if not NAME.fullmatch(name):
        raise Invalid("channel: the name of a channel, of 40 plain characters without blanks at most")
    if name == OWN:
        raise Invalid("channel: web is for gadgets, which need no connector")
    title = said.get("name")
    return Wanted(name, title.strip()[:LONGEST_TITLE] if isinstance(title, str) else "")


def find_connector(
    place: Place, before: Caller | None, said: dict[str, Any], wanted: Wanted
) -> tuple[Caller, Connector]:
    """Who asks, and its connector. `before`: who it has been since it connected."""
    caller = _prove(place, before, said)
    if not caller.may_connect:
        raise Unauthorized("A connector must show its application's secret")
    return caller, make_connector(caller.registration, wanted.name, wanted.title)


def _prove(place: Place, before: Caller | None, said: dict[str, Any]) -> Caller:
    """What it shows now counts; where it shows nothing, what it showed when it connected."""
    shows_secret, names_center = (any(said.get(name) for name in names) for names in (SECRET_NAMES, CENTER_NAMES))
    if before and not shows_secret and (before.is_proven or not names_center):
        return before
    return admit(place.request(), said)
