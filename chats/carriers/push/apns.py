"""Apple's push service by HTTP/2 with a provider token (developer.apple.com, "Sending notification requests to APNs").

Apple takes a token for an hour, and minds one that is renewed within 20 minutes: tokens begin at the same moments in every process of ours.
"""

import base64
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from chats.outbox.sending import Answer, Sender

from .tokens import Tokens
from .verdict import Letter, NotSetUp, Verdict, fields_of, no_answer, plain, told, wait_of
from .words import EXPIRES, apns_body, bytes_of

BASE = "https://api.push.apple.com"
DEVELOPMENT_BASE = "https://api.sandbox.push.apple.com"
RENEWED = 2400  # seconds
NAME = "APNs"
TOKEN = re.compile(r"[0-9A-Fa-f]{1,200}")
BUNDLE = re.compile(r"[A-Za-z0-9.\-]{1,155}")
KEY_ID = re.compile(r"[A-Za-z0-9]{1,20}")
NOBODYS = "0" * 64
GONE = frozenset({"BadDeviceToken", "Unregistered", "ExpiredToken"})
# What says of a token that is nobody's that we are known.
KNOWN = frozenset({"BadDeviceToken", "DeviceTokenNotForTopic", "MissingTopic"})
OUTDATED = "ExpiredProviderToken"

tokens = Tokens()


@dataclass(frozen=True)
class Signer:
    """A key of Apple's, read. Raises NotSetUp where it is none."""

    key: EllipticCurvePrivateKey
    key_id: str
    team_id: str
    credentials: str

    @staticmethod
    def of(settings: Mapping[str, Any], secrets: Mapping[str, str]) -> "Signer":
        text = secrets.get("apns_key", "")
        key_id, team_id = (str(settings.get(name) or "").strip() for name in ("apns_key_id", "apns_team_id"))
        # A field of one line takes the line ends away.
        inner = re.sub(r"-----[A-Z ]+-----|\s", "", text)
        try:
            key = load_der_private_key(base64.b64decode(inner, validate=True), None)
        except (ValueError, TypeError):
            raise NotSetUp(f"{NAME}: the key is not the .p8 file that Apple gives.") from None
        if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
            raise NotSetUp(f"{NAME}: the key is not the .p8 file that Apple gives.")
        if not KEY_ID.fullmatch(key_id) or not KEY_ID.fullmatch(team_id):
            raise NotSetUp(f"{NAME}: enter the key's id and the team's id.")
        return Signer(key, key_id, team_id, f"{key_id} {team_id} {inner}")

    def token(self, *, but: str = "") -> str:
        """The current one. but: one that Apple calls outdated, since our clock is wrong or the process slept."""
        return tokens.get(self.credentials, lambda: self._make(is_late=bool(but)), but=but)

    def _make(self, *, is_late: bool) -> tuple[str, float]:
        now = int(time.time())
        begun = now if is_late else now - now % RENEWED
        token = jwt.encode({"iss": self.team_id, "iat": begun}, self.key, "ES256", headers={"kid": self.key_id})
        return token, begun + RENEWED - now


class Lines:
    """Connections to Apple, one a thread and kept: several threads on one would read and write TLS at once, which OpenSSL does not bear."""

    def __init__(self) -> None:
        self._mine = threading.local()

    @property
    def sender(self) -> Sender:
        if not hasattr(self._mine, "sender"):
            self._mine.sender = Sender(http2=True)
        found: Sender = self._mine.sender
        return found


lines = Lines()


def send(letter: Letter, seconds: float) -> Verdict:
    """Tell one device."""
    device = fields_of(letter.push.get("apns"))
    token, is_development = plain(device.get("token")), device.get("environment") == "development"
    if not TOKEN.fullmatch(token):
        return Verdict(error=f"{NAME}: the device has no token.", is_gone=True)
    if "environment" not in device:
        is_development = bool(letter.settings.get("apns_development"))
    topic = plain(device.get("bundleId")) or str(letter.settings.get("apns_bundle_id") or "")
    if not BUNDLE.fullmatch(topic):
        return Verdict(error=f"{NAME}: the app's bundle id is not known.")
    headers = {
        "apns-topic": topic,
        "apns-push-type": "alert",
        "apns-priority": "10",
        "apns-expiration": str(int(time.time()) + EXPIRES),
        "apns-id": letter.id,
        # A second try of one that had arrived replaces the first.
        "apns-collapse-id": letter.id,
    }
    door = _Door(letter.settings, letter.secrets, lines.sender, time.monotonic() + seconds)
    return verdict_of(door.post(token, apns_body(letter), headers, is_development))


def check(settings: Mapping[str, Any], secrets: Mapping[str, str], seconds: float) -> str:
    """What is wrong as a sentence, or nothing: Apple is told of a device that is nobody's, and minds only that."""
    topic = str(settings.get("apns_bundle_id") or "")
    headers = {"apns-push-type": "alert"} | ({"apns-topic": topic} if BUNDLE.fullmatch(topic) else {})
    body = {"aps": {"alert": {"title": "-", "body": "-"}}}
    with Sender(http2=True) as sender:
        door = _Door(settings, secrets, sender, time.monotonic() + seconds)
        answer = door.post(NOBODYS, body, headers, bool(settings.get("apns_development")))
    if isinstance(answer, Answer) and _reason(answer) in KNOWN:
        return ""
    return verdict_of(answer).error


@dataclass(frozen=True)
class _Door:
    settings: Mapping[str, Any]
    secrets: Mapping[str, str]
    sender: Sender
    until: float  # of time.monotonic(): then whatever is under way ends

    def post(self, token: str, body: Any, headers: dict[str, str], is_development: bool) -> "Answer | NotSetUp":
        name, default = ("apns_development_url", DEVELOPMENT_BASE) if is_development else ("apns_url", BASE)
        url = f"{str(self.settings.get(name) or default).rstrip('/')}/3/device/{token}"
        sent = bytes_of(body)
        try:
            signer = Signer.of(self.settings, self.secrets)
        except NotSetUp as wrong:
            return wrong
        mine = signer.token()
        answer = self._call(url, sent, headers, mine)
        if answer.status == 403 and _reason(answer) == OUTDATED:
            answer = self._call(url, sent, headers, signer.token(but=mine))
        return answer

    def _call(self, url: str, body: bytes, headers: dict[str, str], token: str) -> Answer:
        left = max(self.until - time.monotonic(), 0.1)
        return self.sender.post(url, body, {**headers, "authorization": f"bearer {token}"}, seconds=left)


def verdict_of(answer: Answer | NotSetUp) -> Verdict:
    """What follows from an answer ("Handling notification responses from APNs")."""
    if isinstance(answer, NotSetUp):
        return Verdict(error=str(answer), is_account=True)
    if answer.is_ok:
        return Verdict(external_id=plain(answer.headers.get("apns-id"))[:255])
    if answer.status is None:
        return no_answer(answer)
    reason = _reason(answer)
    return Verdict(
        error=f"{NAME}: {reason or f'status {answer.status}'}"[:300],
        again=answer.status == 429 or answer.status >= 500,
        wait=wait_of(answer),
        is_gone=answer.status == 410 or (answer.status == 400 and reason in GONE),
        is_account=answer.status in (401, 403),
    )


def _reason(answer: Answer) -> str:
    return plain(told(answer).get("reason"))
