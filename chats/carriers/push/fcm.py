"""Firebase Cloud Messaging, HTTP v1 (firebase.google.com/docs/reference/fcm/rest/v1/projects.messages).

A service account signs for an access token (RFC 7523), which is good for about an hour.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from chats.outbox.sending import Answer, Sender

from .tokens import Tokens
from .verdict import Letter, NotSetUp, Verdict, fields_of, no_answer, plain, told, wait_of
from .words import bytes_of, fcm_message

BASE = "https://fcm.googleapis.com"
TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SIGNED_FOR = 3600  # seconds, the most that Google takes
EARLY = 60  # seconds before its end a token is replaced
NAME = "FCM"

tokens = Tokens()


class Refused(Exception):
    """No access token: the verdict says why."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.error)
        self.verdict = verdict


@dataclass(frozen=True)
class Project:
    """Google's account file, read. Raises NotSetUp where it is none."""

    project_id: str
    email: str
    key: RSAPrivateKey
    key_id: str
    token_url: str

    @staticmethod
    def of(text: str) -> "Project":
        try:
            found = fields_of(json.loads(text))
            key = load_pem_private_key(str(found.get("private_key", "")).encode(), None)
        except (ValueError, TypeError, RecursionError):
            raise NotSetUp(f"{NAME}: the service account is not the JSON file that Google gives.") from None
        names = [plain(found.get(name)) for name in ("project_id", "client_email")]
        if not all(names) or not isinstance(key, RSAPrivateKey):
            raise NotSetUp(f"{NAME}: the service account is not the JSON file that Google gives.")
        key_id, url = plain(found.get("private_key_id")), plain(found.get("token_uri")) or TOKEN_URL
        return Project(names[0], names[1], key, key_id, url)


def send(letter: Letter, sender: Sender, seconds: float) -> Verdict:
    """Tell one device. A token that has ended before its time is replaced once."""
    device = plain(fields_of(letter.push.get("fcm")).get("registrationId"))
    if not device:
        return Verdict(error=f"{NAME}: the device has no token.", is_gone=True)
    door = _Door(letter.settings, letter.secrets, sender, time.monotonic() + seconds)
    return door.send({"message": fcm_message(letter, device)})


def check(settings: Mapping[str, Any], secrets: Mapping[str, str], sender: Sender, seconds: float) -> str:
    """What is wrong as a sentence, or nothing: a token is asked for, and a message that Google looks at and sends to nobody."""
    tokens.forget()
    message = {"topic": "connection-check", "notification": {"title": "-", "body": "-"}}
    verdict = _Door(settings, secrets, sender, time.monotonic() + seconds).send(
        {"validate_only": True, "message": message}
    )
    return verdict.error


@dataclass(frozen=True)
class _Door:
    settings: Mapping[str, Any]
    secrets: Mapping[str, str]
    sender: Sender
    until: float  # of time.monotonic(): then whatever is under way ends

    def send(self, body: dict[str, Any]) -> Verdict:
        try:
            project = Project.of(self.secrets.get("fcm_account", ""))
            token = self._token(project)
            answer = self._call(project, token, body)
            if answer.status == 401:
                answer = self._call(project, self._token(project, but=token), body)
        except NotSetUp as wrong:
            return Verdict(error=str(wrong), is_account=True)
        except Refused as refused:
            return refused.verdict
        return verdict_of(answer)

    def _call(self, project: Project, token: str, body: dict[str, Any]) -> Answer:
        base = str(self.settings.get("fcm_url") or BASE).rstrip("/")
        url = f"{base}/v1/projects/{quote(project.project_id, safe='')}/messages:send"
        headers = {"Authorization": f"Bearer {token}"}
        return self.sender.post(url, bytes_of(body), headers, seconds=self._left)

    def _token(self, project: Project, *, but: str = "") -> str:
        return tokens.get(self.secrets["fcm_account"], lambda: self._fetch(project), but=but)

    def _fetch(self, project: Project) -> tuple[str, float]:
        """A new access token and for how many seconds. Raises Refused."""
        form = urlencode({"grant_type": GRANT, "assertion": _assertion(project)}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self.sender.post(project.token_url, form, headers, seconds=self._left)
        said = told(answer)
        token, seconds = plain(said.get("access_token")), said.get("expires_in")
        if answer.is_ok and token.isascii() and token.isprintable() and token:
            good_for = seconds if isinstance(seconds, int) and 0 < seconds <= 86400 else SIGNED_FOR
            return token, max(good_for - EARLY, 1)
        if answer.status is None:
            raise Refused(no_answer(answer))
        words = plain(said.get("error_description")) or plain(said.get("error")) or f"status {answer.status}"
        again = answer.status == 429 or answer.status >= 500
        raise Refused(Verdict(error=f"{NAME}: no access token: {words}"[:300], again=again, is_account=not again))

    @property
    def _left(self) -> float:
        return max(self.until - time.monotonic(), 0.1)


def _assertion(project: Project) -> str:
    now = int(time.time())
    claims = {"iss": project.email, "scope": SCOPE, "aud": project.token_url, "iat": now, "exp": now + SIGNED_FOR}
    return jwt.encode(claims, project.key, "RS256", headers={"kid": project.key_id} if project.key_id else None)


def verdict_of(answer: Answer) -> Verdict:
    """What follows from an answer (fcm/docs/reference/…/ErrorCode)."""
    said = told(answer)
    if answer.is_ok:
        return Verdict(external_id=plain(said.get("name"))[:255])
    if answer.status is None:
        return no_answer(answer)
    error = fields_of(said.get("error"))
    words = plain(error.get("message")) or f"status {answer.status}"
    code = _code(error)
    return Verdict(
        error=f"{NAME}: {words}"[:300],
        again=answer.status == 429 or answer.status >= 500,
        wait=wait_of(answer),
        is_gone=(answer.status == 404 and code == "UNREGISTERED") or (answer.status == 400 and _is_of_token(error)),
        # Also a device of another Firebase project: more likely the wrong account was entered than every app is strange.
        is_account=answer.status in (401, 403) or (answer.status == 404 and code != "UNREGISTERED"),
    )


def _details(error: dict[str, Any]) -> list[dict[str, Any]]:
    found = error.get("details")
    return [fields_of(one) for one in found] if isinstance(found, list) else []


def _code(error: dict[str, Any]) -> str:
    """FCM's own word, which is more exact than Google's status."""
    return next((plain(one["errorCode"]) for one in _details(error) if "errorCode" in one), "")


def _is_of_token(error: dict[str, Any]) -> bool:
    """Whether a 400 is about the device, not about what is said to it."""
    for one in _details(error):
        fields = one.get("fieldViolations")
        if any(
            fields_of(each).get("field") == "message.token" for each in (fields if isinstance(fields, list) else [])
        ):
            return True
    return "registration token" in plain(error.get("message")).lower()
