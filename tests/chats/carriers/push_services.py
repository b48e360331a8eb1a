"""Google's and Apple's push services on loopback, by TLS: they check what the vendors check, and refuse what those refuse."""

import contextlib
import json
import re
import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, RequestReceived, StreamEnded

from tests.chats.outbox.receiver import Call, Receiver

PROJECT, EMAIL = "acme-apps", "push@acme-apps.iam.gserviceaccount.com"
KEY_ID, TEAM_ID, BUNDLE = "ABC123DEFG", "DEF123GHIJ", "example.acme.app"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
GOOGLE_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
APPLE_KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
IPHONE = "a1b2" * 16
ANDROID = "droid-1:APA91b"


def pem(key: Any) -> str:
    made: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made.decode()


def make_certificate(folder: Path) -> Path:
    """For 127.0.0.1, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "push")]), datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "push.pem"
    file.write_bytes(pem(key).encode() + made.public_bytes(Encoding.PEM))
    return file


def server_context(certificate: Path, *protocols: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(list(protocols))
    return context


class Google:
    """Its token endpoint and messages:send. taken: messages; says: what it answers instead; asked: how many tokens were given."""

    def __init__(self, certificate: Path) -> None:
        self.receiver = Receiver(self.answer)
        server = self.receiver.server
        server.socket = server_context(certificate, "http/1.1").wrap_socket(server.socket, server_side=True)
        self.says: list[Any] = []
        self.taken: list[dict[str, Any]] = []
        self.checked: list[dict[str, Any]] = []
        self.good: set[str] = set()
        self.asked = 0
        self.may_answer = threading.Event()
        self.may_answer.set()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.receiver.port}"

    def account(self, **fields: Any) -> str:
        """As the console gives it."""
        found = {"type": "service_account", "project_id": PROJECT, "private_key_id": "k1", "client_email": EMAIL}
        return json.dumps({**found, "private_key": pem(GOOGLE_KEY), "token_uri": f"{self.url}/token", **fields})

    def sends(self) -> list[Call]:
        return [call for call in self.receiver.calls if call.path != "/token"]

    def answer(self, call: Call) -> Any:
        if call.path == "/token":
            return told(*self._token(call))
        assert self.may_answer.wait(30)
        return told(*(self.says.pop(0) if self.says else self._take(call)))

    def _token(self, call: Call) -> tuple[int, Any]:
        form = {name: values[0] for name, values in parse_qs(call.body.decode(), strict_parsing=True).items()}
        try:
            assert form["grant_type"] == GRANT
            said = jwt.decode(
                form["assertion"], GOOGLE_KEY.public_key(), ["RS256"], audience=f"{self.url}/token", issuer=EMAIL
            )
            assert said["scope"] == SCOPE
            assert said["exp"] - said["iat"] <= 3600
        except (AssertionError, KeyError, jwt.PyJWTError) as error:
            return 400, {"error": "invalid_grant", "error_description": f"Invalid JWT: {error!r}"}
        self.asked += 1
        self.good.add(f"ya29.{self.asked}")
        return 200, {"access_token": f"ya29.{self.asked}", "expires_in": 3599, "token_type": "Bearer"}

    def _take(self, call: Call) -> tuple[int, Any]:
        if call.headers.get("authorization", "").removeprefix("Bearer ") not in self.good:
            return 401, problem(401, "UNAUTHENTICATED")
        if call.path != f"/v1/projects/{PROJECT}/messages:send":
            return 404, problem(404, "NOT_FOUND")
        body = call.json
        message = body.get("message", {})
        if why := wrong_in(message):
            return 400, problem(400, "INVALID_ARGUMENT", why)
        (self.checked if body.get("validate_only") else self.taken).append(message)
        return 200, {"name": f"projects/{PROJECT}/messages/{len(self.taken)}"}


def wrong_in(message: Any) -> str:
    """What v1 says to it (rest/v1/projects.messages)."""
    extra = set(message) - {"token", "topic", "condition", "notification", "data", "android", "apns", "webpush"}
    if extra or len({"token", "topic", "condition"} & set(message)) != 1:
        return f"Unknown name {extra}"
    data, shown, android = (message.get(name, {}) for name in ("data", "notification", "android"))
    if not all(isinstance(value, str) for value in data.values()):
        return "Invalid value at 'message.data' (TYPE_STRING)"
    if any(re.match(r"from$|message_type$|google|gcm", name, re.IGNORECASE) for name in data):
        return "Invalid data payload key"
    if set(shown) - {"title", "body", "image"} or not all(isinstance(value, str) for value in shown.values()):
        return "Invalid value at 'message.notification'"
    if set(android) - {"collapse_key", "priority", "ttl", "notification", "data"}:
        return "Unknown name at 'message.android'"
    return "" if len(json.dumps(message, ensure_ascii=False).encode()) <= 4096 else "Android message is too big"


def problem(status: int, word: str, message: str = "", code: str = "", **more: Any) -> dict[str, Any]:
    kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
    details = [{"@type": kind, "errorCode": code}] if code else []
    return {"error": {"code": status, "message": message or word, "status": word, "details": details, **more}}


UNREGISTERED = (404, problem(404, "NOT_FOUND", "Requested entity was not found.", "UNREGISTERED"))


def told(status: int, body: Any, **headers: str) -> tuple[int, dict[str, str], bytes]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return status, {"Content-Type": "application/json", **headers}, content


class Apple:
    """HTTP/2 alone. taken: (device, headers, body); says: (status, reason) answered instead; connections: how many came."""

    def __init__(self, certificate: Path) -> None:
        self.context = server_context(certificate, "h2")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.says: list[tuple[int, str]] = []
        self.taken: list[tuple[str, dict[str, str], Any]] = []
        self.tokens: list[str] = []
        self.devices = {IPHONE}
        self.connections = 0
        self.open: list[ssl.SSLSocket] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        threading.Thread(target=self._run, daemon=True).start()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def hang_up(self) -> None:
        """On everybody, as a server that is stopped."""
        for connection in self.open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.hang_up()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=[plain], daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.closing(plain):
            connection = self.context.wrap_socket(plain, server_side=True)
            with contextlib.closing(connection):
                if connection.selected_alpn_protocol() == "h2":
                    self.connections += 1
                    self.open.append(connection)
                    self._talk(connection)

    def _talk(self, connection: ssl.SSLSocket) -> None:
        talk = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        talk.initiate_connection()
        connection.sendall(talk.data_to_send())
        heads: dict[int, dict[str, str]] = {}
        bodies: dict[int, bytes] = {}
        while data := connection.recv(65536):
            assert self.may_answer.wait(30)
            for event in talk.receive_data(data):
                if isinstance(event, RequestReceived):
                    heads[event.stream_id], bodies[event.stream_id] = dict(event.headers), b""
                elif isinstance(event, DataReceived):
                    bodies[event.stream_id] += event.data
                    talk.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, StreamEnded):
                    status, reason = self._answer(heads[event.stream_id], bodies[event.stream_id])
                    head = [(":status", str(status)), ("apns-id", heads[event.stream_id].get("apns-id", "x"))]
                    talk.send_headers(event.stream_id, head, end_stream=not reason)
                    if reason:
                        talk.send_data(event.stream_id, json.dumps({"reason": reason}).encode(), end_stream=True)
                elif isinstance(event, ConnectionTerminated):
                    return
            connection.sendall(talk.data_to_send())

    def _answer(self, head: dict[str, str], body: bytes) -> tuple[int, str]:
        device = head[":path"].removeprefix("/3/device/")
        self.tokens.append(head.get("authorization", ""))
        if self.says:
            return self.says.pop(0)
        if why := refusal_of(head):
            return 403, why
        if head[":method"] != "POST" or "/" in device:
            return 404, "BadPath"
        if len(body) > 4096:
            return 413, "PayloadTooLarge"
        if device not in self.devices:
            return 400, "BadDeviceToken"
        if head.get("apns-topic") != BUNDLE:
            return 400, "DeviceTokenNotForTopic"
        for name, form in (("apns-id", r"[0-9a-f-]{36}"), ("apns-priority", r"10|5|1"), ("apns-expiration", r"\d+")):
            if not re.fullmatch(form, head.get(name, "")):
                return 400, f"Bad {name}"
        if head.get("apns-push-type") != "alert" or len(head.get("apns-collapse-id", "")) > 64:
            return 400, "InvalidPushType"
        self.taken.append((device, head, json.loads(body)))
        return 200, ""


def refusal_of(head: dict[str, str]) -> str:
    token = head.get("authorization", "").removeprefix("bearer ")
    try:
        assert jwt.get_unverified_header(token)["kid"] == KEY_ID
        said = jwt.decode(token, APPLE_KEY.public_key(), ["ES256"], issuer=TEAM_ID)
    except (AssertionError, KeyError, jwt.PyJWTError):
        return "InvalidProviderToken"
    return "" if time.time() - 3600 < said["iat"] <= time.time() else "ExpiredProviderToken"
