"""Who may open a socket: a session of the space, from a page that its application allows."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs

from chats.errors import Forbidden, Unauthorized
from chats.models import AppSession, ForeignCustomer
from chats.protocols.comapi.callers import LONGEST, Caller, registration_of, session_of
from chats.sockets.origins import is_allowed
from contactcenter.models import ApiSpace, Registration

from .frames import Frames


@dataclass(frozen=True)
class Knock:
    """A handshake. origin: None where no browser asks."""

    space_id: str
    query: str
    origin: str | None
    host: str | None
    is_secure: bool


@dataclass(frozen=True)
class Seat:
    """A session's place."""

    registration: Registration
    session: AppSession
    frames: Frames

    @property
    def profile(self) -> ForeignCustomer:
        return self.session.profile

    @property
    def caller(self) -> Caller:
        return Caller(self.registration, self.session)


def sit_down(knock: Knock, now: datetime) -> Seat:
    """Raises Forbidden, Unauthorized."""
    registration = registration_of(knock.space_id)
    allowed = registration.application.allowed_origins
    if not is_allowed(knock.origin, knock.host, is_secure=knock.is_secure, allowed=allowed):
        raise Forbidden
    token = parse_qs(knock.query, max_num_fields=20).get("token", [""])[0]
    session = session_of(registration, token, now) if 0 < len(token) <= LONGEST and token.isascii() else None
    if session is None:
        raise Unauthorized
    session.profile.registration = registration
    return Seat(registration, session, Frames(registration, ApiSpace.of(registration)))
