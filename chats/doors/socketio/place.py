"""Where a connection comes from, as its handshake said it."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any

from django.core.handlers.wsgi import WSGIRequest

SECURE = frozenset({"https", "wss"})
SHOWN = ("authorization", "contactcenterid")  # headers by which clients say who they are


@dataclass(frozen=True)
class Place:
    """`origin`: the page's, empty for what is no browser. `query`: as the handshake's address named it. `headers`: those of SHOWN that it has."""

    address: str
    host: str
    origin: str
    is_secure: bool
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    def request(self) -> WSGIRequest:
        """What asks about requests is asked about the connection with: its address, host and origin."""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/",
            "QUERY_STRING": self.query,
            "REMOTE_ADDR": self.address,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "443" if self.is_secure else "80",
            "HTTP_HOST": self.host,
            "wsgi.url_scheme": "https" if self.is_secure else "http",
            "wsgi.input": BytesIO(),
        }
        environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers}
        return WSGIRequest(environ | ({"HTTP_ORIGIN": self.origin} if self.origin else {}))


def place_of(scope: Any) -> Place:
    """Of an ASGI scope whose host was checked."""
    client = scope.get("client") or ("", 0)
    return Place(
        address=str(client[0]),
        host=header(scope, b"host"),
        origin=header(scope, b"origin"),
        is_secure=scope.get("scheme") in SECURE,
        query=scope.get("query_string", b"").decode("latin1"),
        headers=tuple((name, value) for name in SHOWN if (value := header(scope, name.encode()))),
    )


def header(scope: Any, name: bytes) -> str:
    """A header of the handshake; empty when it is absent or came more than once."""
    found = [value for key, value in scope["headers"] if key == name]
    return str(found[0].decode("latin1")) if len(found) == 1 else ""


def has_header(scope: Any, name: bytes) -> bool:
    return any(key == name for key, _ in scope["headers"])
