"""The fast path of plain calls: what clients ask all the time (a poll without news, a customer's message, a chat to begin), answered in the event loop.

A plain call takes no thread of its own: what it wants to know is read together with what others want to know at the same moment (chats.sockets.gather),
and what it says is stored together with what others say (chats.sockets.poster, chats.actions.begin).
It has no rules of its own. Whoever answers one knows it to be in order by the same look-ups and actions as the view; whatever is not (a proof that fails,
a refusal, a read mark to move, a body in another form) is left to the view, which says what is wrong. So a plain call gives either what the view would give, to the byte, or nothing.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from io import BytesIO
from typing import IO, Any, Generic, TypeVar
from uuid import UUID

import structlog
from a2wsgi.wsgi import build_environ
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.urls import re_path
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import ParseError
from rest_framework.views import APIView

from chats.actions.post import Post, Posted
from chats.errors import Failed, Refused, Unavailable
from chats.sockets.gather import Gather
from chats.sockets.poster import poster
from chats.sockets.threads import in_fast_thread
from contactcenter import bridge, longpoll
from contactcenter.outage import is_outage

from .browsers import tell_browser
from .foreign import ForeignDoor
from .life import give_signs_of_life, is_lease_old
from .parsers import read_json
from .storing import STORED_WITHIN
from .throttles import Rate, count_all, count_quietly

log = structlog.get_logger(__name__)

ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
JSON = re.compile(rb"application/json\s*(;.*)?")
PLAIN_QUERY = re.compile(rb"[A-Za-z0-9_.~=&-]+")
# What a client may accept so that it gets JSON as it is.
ANYTHING = frozenset({"", "*/*", "application/json", "application/json, text/plain, */*"})
MOST_PARAMETERS = 10
LONGEST = longpoll.LONGEST
REST = 0.002  # seconds between two looks for everybody; who comes alone is answered at once
_ROUND = longpoll.ROUND_HEADER.lower().encode()
_SESSION = settings.SESSION_COOKIE_NAME.encode()


Key = TypeVar("Key", bound=Hashable)
Made = TypeVar("Made")


class Memory(Generic[Key, Made]):
    """What was made of rows, for as long as the database says the same of them. For one thread.

    `most`: things that are kept; `is_kept`: which of them.
    """

    def __init__(
        self, make: Callable[[Any], Made], *, most: int = 5_000, is_kept: Callable[[Made], bool] = lambda _made: True
    ) -> None:
        self.make, self.most, self.is_kept = make, most, is_kept
        self._kept: dict[Key, tuple[Any, Made]] = {}

    def of(self, key: Key, found: Any) -> Made:
        before = self._kept.get(key)
        if before and before[0] == found:
            return before[1]
        made = self.make(found)
        self._kept.pop(key, None)
        if self.is_kept(made):
            if len(self._kept) >= self.most:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = found, made
        return made


@dataclass(slots=True)
class Call:
    """A request whose body has been read. `headers`: by their names in lower case, each of them sent once."""

    scope: bridge.Scope
    headers: dict[bytes, bytes]
    content: bytes
    has_spoken: bool = False  # its message may be stored: nobody may store it again under another id

    def header(self, name: bytes) -> str:
        """Empty for none."""
        return self.headers.get(name, b"").decode("latin1")

    @property
    def origin(self) -> str:
        return self.header(b"origin")

    @property
    def is_own_page(self) -> bool:
        return self.origin in (f"{self.scope['scheme']}://{self.header(b'host')}", settings.BASE_URL)

    @property
    def is_repeat(self) -> bool:
        """A long poll's later round."""
        return _ROUND in self.headers

    def comes_from(self, allowed: Iterable[str]) -> bool:
        """As chats.doors.origins.is_allowed."""
        return not self.origin or self.is_own_page or self.origin in allowed

    def query(self) -> dict[str, str] | None:
        """None for one that has to be decoded, for a name that is given twice, and for too many."""
        text = self.scope["query_string"]
        if not text:
            return {}
        if not PLAIN_QUERY.fullmatch(text):
            return None
        pairs = [pair.partition("=")[::2] for pair in text.decode().split("&")]
        found = dict(pairs)
        return found if len(found) == len(pairs) <= MOST_PARAMETERS else None

    def members(self, *, any_type: bool = False) -> dict[str, Any] | None:
        """The body as a JSON object; None for any other. `any_type`: whatever the content type says."""
        if not any_type and not JSON.fullmatch(self.headers.get(b"content-type", b"")):
            return None
        try:
            found = read_json(self.content)
        except ParseError:
            return None
        return found if isinstance(found, dict) else None


@dataclass(slots=True)
class Said:
    """What the view would say. `content`: rendered already; `origin`: of a page that may read it; `language`: in which it is said, where there are several;
    `wait`: a long poll's topics and seconds."""

    content: bytes
    status: int = 200
    origin: str = ""
    language: str = ""
    wait: tuple[list[str], float] | None = None


Answer = Callable[..., Awaitable[Said | None]]  # of a Call, and of what the path names


@dataclass(frozen=True)
class Route:
    """One kind of plain call, and the view that answers it otherwise."""

    method: str
    path: str
    view: type[APIView]
    answer: Answer


class FastPath:
    """What the edge asks first. `get_response`: Django's, with all middlewares (django.core.handlers)."""

    def __init__(self, get_response: Callable[[Any], Any], *routes: Route) -> None:
        self.routes = [(route.method, re.compile(route.path), route) for route in routes]
        self.headers = Headers(get_response)

    async def __call__(self, scope: bridge.Scope, body: IO[bytes]) -> bridge.Brief | None:
        for method, path, route in self.routes:
            if method == scope["method"] and (found := path.fullmatch(scope["path"])):
                return await self._answer(route, scope, body, found.groups())
        return None

    async def _answer(
        self, route: Route, scope: bridge.Scope, body: IO[bytes], named: Sequence[str]
    ) -> bridge.Brief | None:
        headers = dict(scope["headers"])
        # A header that comes twice is one for WSGI; and who has a session is not always a program.
        if len(headers) != len(scope["headers"]) or _SESSION in headers.get(b"cookie", b""):
            return None
        body.seek(0)
        call = Call(scope, headers, body.read())
        try:
            said = await route.answer(call, *named)
            return None if said is None else self._brief(route, call, said)
        except bridge.Refused:
            raise
        except Exception as error:  # the view says what is wrong, if anything is
            if not is_outage(error):
                log.exception("plain call failed", path=route.path)
            if call.has_spoken:
                raise bridge.Refused(500) from error
            return None

    def _brief(self, route: Route, call: Call, said: Said) -> bridge.Brief:
        origin = "" if call.is_own_page else said.origin
        headers = self.headers.of(route, call.scope, origin, said.language)
        if said.wait:
            headers = [*headers, (longpoll.HEADER.lower().encode(), longpoll.mark(*said.wait).encode())]
        return bridge.Brief(said.status, headers, said.content)


async def give_sign_of_life(customer: UUID, lease_until: datetime | None) -> None:
    """As chats.doors.life, with all who are due at this moment."""
    if is_lease_old(lease_until, timezone.now()):
        await _signs_of_life.get(customer)


def _give_signs_of_life(customers: list[UUID]) -> dict[UUID, bool]:
    give_signs_of_life(customers, timezone.now())
    return dict.fromkeys(customers, True)


_signs_of_life: Gather[UUID, bool] = Gather(_give_signs_of_life, rest=REST, run=in_fast_thread)


async def is_below(rate: Rate, who: str) -> bool:
    """One more of these is counted; not past the rate, which the view refuses."""
    is_known = count_quietly(rate, who)
    return await _counts.get(_Counted(rate, who)) is True if is_known is None else is_known


@dataclass(frozen=True, slots=True, eq=False)
class _Counted:
    """One of many, each of them itself alone."""

    rate: Rate
    who: str


def _count_all(counted: "list[_Counted]") -> "dict[_Counted, bool]":
    return dict(zip(counted, count_all([(one.rate, one.who) for one in counted]), strict=True))


# In none of the threads that read: Redis may hang.
_counts: Gather[_Counted, bool] = Gather(_count_all, rest=REST, run=asyncio.to_thread)


def rendered(view: type[APIView], data: Any) -> bytes:
    """As the view would."""
    renderer: Any = view.renderer_classes[0]()
    content: bytes = renderer.render(data, renderer.media_type, {})
    return content


async def stored(call: Call, post: Post) -> Posted | None:
    """Stored with all that is posted at this moment. None for a refusal that the view would meet, too; nothing is stored then. Raises bridge.Refused."""
    call.has_spoken = True
    outcome = await in_time(poster.post(post))
    if isinstance(outcome, Unavailable | Failed):  # it may be stored in spite of these
        raise bridge.Refused(503 if isinstance(outcome, Unavailable) else 500)
    if isinstance(outcome, Refused):
        call.has_spoken = False
        return None
    return outcome


async def in_time(writing: Awaitable[Made]) -> Made:
    """What is being stored. Raises bridge.Refused when it takes too long; it may be stored in spite of that."""
    try:
        async with asyncio.timeout(STORED_WITHIN):
            return await writing
    except TimeoutError:
        raise bridge.Refused(503) from None


class Headers:
    """Of answers, as view and middlewares make them: an empty answer is sent through all of them, once for each kind."""

    def __init__(self, get_response: Callable[[Any], Any], most: int = 1000) -> None:
        self.get_response, self.most = get_response, most
        self._made: dict[tuple[Route, str, str, str], list[tuple[bytes, bytes]]] = {}

    def of(self, route: Route, scope: bridge.Scope, origin: str, language: str) -> list[tuple[bytes, bytes]]:
        """`origin`: of a page that may read the answer; `language`: in which it is said. Both have few values, none from outside."""
        kind = (route, str(scope["scheme"]), origin, language)
        made = self._made.get(kind)
        if made is None:
            if len(self._made) >= self.most:
                self._made.clear()
            made = self._made[kind] = self._make(route, scope, origin, language)
        return made

    def _make(self, route: Route, scope: bridge.Scope, origin: str, language: str) -> list[tuple[bytes, bytes]]:
        request: Any = WSGIRequest(build_environ(scope, BytesIO()))  # type: ignore[arg-type]  # as contactcenter.bridge
        request.urlconf, request.bare = _URLS, partial(_bare, route.view, origin, language)
        with translation.override(None):  # whatever becomes active meanwhile
            response = self.get_response(request)
        return [
            (name.lower().encode("latin1"), value.encode("latin1"))
            for name, value in response.items()
            if name != "Content-Length"
        ]


@csrf_exempt
def _answer_bare(request: Any) -> HttpResponse:
    made: HttpResponse = request.bare(request)
    return made


_URLS = (re_path("", _answer_bare),)


def _bare(view_class: type[APIView], origin: str, language: str, request: Any) -> HttpResponse:
    """What the view does to any of its answers, but its content."""
    translation.activate(language or settings.LANGUAGE_CODE)
    view: Any = view_class()
    view.setup(request)
    renderer, *others = view.renderer_classes
    kind = f"{renderer.media_type}; charset={renderer.charset}" if renderer.charset else renderer.media_type
    response = HttpResponse(content_type=kind, headers={"Allow": ", ".join(view.allowed_methods)})
    if others:
        patch_vary_headers(response, ["Accept"])
    own: dict[str, Any] = {}
    if isinstance(view, ForeignDoor):
        own = {"exposed": view.exposed_headers, "credentials": view.takes_cookies}
        if view.cache_control:
            response["Cache-Control"] = view.cache_control
    tell_browser(request, response, origin=origin, methods=view.allowed_methods, headers="", **own)
    return response
