"""One call: POST or GET, within seconds, without following anybody anywhere. The proxies that the environment names are not asked.

A `Sender` never raises what the network, or whoever answers, can bring about: it is all in the Answer.
"""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urlsplit

import httpcore
from h2.exceptions import H2Error

from . import guard, wire

SECONDS = 10.0  # for a whole call
KEPT_BODY = 4096  # bytes of the answer
IDLE_SECONDS = 2.0  # receivers close theirs soon, and a call that meets a closed connection is a failed one
HTTP2_IDLE_SECONDS = 60.0
MOST_IDLE = 32
USER_AGENT = "contactcenter-webhooks/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """status: None where none came; then `error` says why. `headers` have lower-case names.

    body: the beginning, up to 64 KB with the head. It may be cut off: what counts has come with the head.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    error: str = ""

    @property
    def is_ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def kept_body(self) -> str:
        """What of the body is shown to people: text without NUL, which the database refuses."""
        return self.body[:KEPT_BODY].decode(errors="replace").replace("\0", "\ufffd")


@cache
def trusted() -> ssl.SSLContext:
    """Whose certificates count: the system's authorities and Mozilla's. Reading them takes longer than a call."""
    return httpcore.default_ssl_context()


@cache
def trusted_for_http2() -> ssl.SSLContext:
    """The same; of its own, since httpcore writes into it which protocols are offered."""
    return httpcore.default_ssl_context()


class Sender:
    """Makes calls from any number of threads; connections are used again for a moment. One per process: it does not outlive a fork.

    http2: speaks nothing else, keeps its connection for longer, and serves one thread alone.
    """

    def __init__(self, *, http2: bool = False) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=trusted_for_http2() if http2 else trusted(),
            max_connections=None,
            max_keepalive_connections=MOST_IDLE,
            keepalive_expiry=HTTP2_IDLE_SECONDS if http2 else IDLE_SECONDS,
            http1=not http2,
            http2=http2,
            network_backend=wire.Network(),
        )

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float = SECONDS) -> Answer:
        """The answer to a POST (of JSON, unless the headers say otherwise) that ends after `seconds`, whatever the other side does."""
        return self._call("POST", url, body, {"Content-Type": "application/json", **headers}, seconds)

    def get(self, url: str, headers: Mapping[str, str], *, seconds: float = SECONDS) -> Answer:
        """The answer to a GET, as with `post`."""
        return self._call("GET", url, b"", headers, seconds)

    def _call(self, method: str, url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> Answer:
        until = time.monotonic() + seconds
        try:
            guard.check_url(url)
            return self._ask(method, url, body, headers, until)
        except (guard.AddressRefused, guard.NotResolved) as error:
            return Answer(error=str(error))
        except TimeoutError:
            return Answer(error=f"No answer within {seconds:g} seconds.")
        except wire.TooLong:
            return Answer(error="The answer's head is too long.")
        except ssl.SSLError as error:
            return Answer(error=f"No safe connection: {error.reason or type(error).__name__}."[:300])
        except OSError as error:
            return Answer(error=f"No connection: {error.strerror or type(error).__name__}."[:300])
        except (httpcore.ProtocolError, httpcore.NetworkError, H2Error, UnicodeError, ValueError) as error:
            return Answer(error=f"No proper answer: {error}"[:300])

    def __enter__(self) -> "Sender":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._pool.close()

    def _ask(self, method: str, url: str, body: bytes, headers: Mapping[str, str], until: float) -> Answer:
        sent = {
            "Host": urlsplit(url).netloc,  # httpcore would leave out the brackets of an IPv6 address
            "User-Agent": USER_AGENT,
            "Accept": "*/*",
            "Accept-Encoding": "identity",  # nothing is unpacked: a small answer stays small
            **headers,
        }
        limits = {"timeout": {"connect": until, "read": until, "write": until}}
        stream = self._pool.stream(method, url, headers=list(sent.items()), content=body, extensions=limits)
        with stream as response:
            found = {name.decode("latin1").lower(): value.decode("latin1") for name, value in response.headers}
            return Answer(status=response.status, headers=found, body=_read(response))


def _read(response: httpcore.Response) -> bytes:
    """The body as far as it comes in time and within the size: the status has said already what became of the call."""
    body = bytearray()
    try:
        for part in response.iter_stream():
            body += part
    except (wire.TooLong, OSError, httpcore.ProtocolError, httpcore.NetworkError, H2Error):
        pass
    return bytes(body)
