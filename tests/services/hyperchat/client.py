"""A HyperChat client as chatbot connectors have one: it looks at the bodies of answers alone, never at a status.

Its oddities are theirs: a slash after collections, no key where the first steps want none, the closer of a chat in the query,
and after an upload the old form goes out again with every read and delete.
"""

import json
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

LIBRARY = "version=0.2.13&language=PHP&language_version=8.2&os=Linux&os_version=6.1"
SOURCE = 3  # the channel "Chat"; compared with === when a chat is read again


class Refused(Exception):
    """The body held an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.code: Any = error["code"]
        self.message: str = error["message"]


@dataclass
class Hyper:
    """One application at one server: `server` is its address with /v1 and without a slash."""

    server: str
    app_id: str
    secret: str
    last_form: tuple[bytes, str] | None = None  # body and content type of the last upload

    # Is anybody there? With the application id alone.

    def is_queueing(self) -> bool:
        return bool(self.call("GET", "settings/", secretly=False)["settings"]["queue"]["active"])

    def available(self, room: str, **query: str) -> int:
        """How many agents could take a chat of the room now. PHP reads a property: the member must be an object."""
        agents = self.call("GET", "agents/available", query={"roomIds": room, **query}, secretly=False)["agents"]
        assert isinstance(agents, dict), agents
        return int(agents.get(room, 0))

    def is_online(self, room: str) -> bool:
        return self.call("GET", "agents/online", query={"roomId": room}, secretly=False)["agentsOnline"] is True

    # Users and chats

    def sign_up(self, name: str, external_id: str, **facts: Any) -> dict[str, Any]:
        """The user of this external id: a new one, or the one that is there, with the facts brought up to date."""
        body = {"name": name, "externalId": external_id, **facts}
        try:
            made: dict[str, Any] = self.call("POST", "users/", body, secretly=False)["user"]
            return made
        except Refused as refused:
            if (type(refused.code), refused.code) != (int, 409):  # as PHP compares with ===: "409" would not do
                raise
        found = self.find_user(external_id)
        assert found is not None
        changed: dict[str, Any] = self.call("PUT", f"users/{found['id']}", body)["user"]
        return changed

    def find_user(self, external_id: str) -> dict[str, Any] | None:
        users = self.call("GET", "users/", query={"externalId": external_id})["users"]
        return users[0] if users else None

    def user(self, user_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"users/{user_id}")["user"]
        return found

    def begin_chat(self, room: str, creator: str, **facts: Any) -> dict[str, Any]:
        body = {"room": int(room), "creator": creator, "source": SOURCE, "lang": "en", **facts}
        begun: dict[str, Any] = self.call("POST", "chats/", body)["chat"]
        return begun

    def chat(self, chat_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", f"chats/{chat_id}")["chat"]
        return found

    def assign(self, chat_id: str) -> dict[str, Any] | None:
        """The agent whom the chat is offered to; None when nobody was found."""
        return self.call("GET", f"chats/{chat_id}/assign").get("agent") or None

    def say(self, chat_id: str, sender: str, text: str) -> dict[str, Any]:
        body = {"chatId": chat_id, "sender": sender, "message": text}
        said: dict[str, Any] = self.call("POST", f"chats/{chat_id}/messages", body)["message"]
        return said

    def close(self, chat_id: str, user_id: str = "") -> None:
        self.call("DELETE", f"chats/{chat_id}", query={"userId": user_id} if user_id else None)

    def survey(self, ticket_id: str) -> str:
        query = {"sourceType": "ticket", "sourceId": ticket_id}
        return str(self.call("GET", "surveys/1", query=query)["survey"]["url"])

    # Files

    def upload(self, chat_id: str, sender: str, name: str, content: bytes, kind: str) -> dict[str, Any]:
        """Into the chat, as a message of the sender's: {id, name, size, senderId}."""
        self.last_form = _form({"chatId": chat_id, "senderId": sender}, name, content, kind)
        media: dict[str, Any] = self.call("POST", "media/")["media"]
        return media

    def download(self, url: str) -> tuple[bytes, str]:
        """The bytes and their type; `url` as a media message has it. The keys stand in the address: it is handed to others."""
        keys = urlencode({"appId": self.app_id, "secret": self.secret})
        with urllib.request.urlopen(f"{self.server}{url}?{keys}", timeout=30) as answer:
            return answer.read(), answer.headers.get_content_type()

    # The wire

    def call(
        self, method: str, path: str, body: Any = None, *, query: dict[str, str] | None = None, secretly: bool = True
    ) -> dict[str, Any]:
        """The answer's object. Raises Refused when it holds an error."""
        headers = {"x-hyper-appid": self.app_id, "X-Inbenta-Hyperchat-Client-Lib": LIBRARY}
        if secretly:
            headers["x-hyper-secret"] = self.secret
        data = None if body is None else json.dumps(body).encode()
        if body is not None:
            headers["Content-Type"] = "application/json"
        elif self.last_form:
            data, headers["Content-Type"] = self.last_form
        address = f"{self.server}/{path}" + (f"?{urlencode(query)}" if query else "")
        request = urllib.request.Request(address, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                found = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            found = json.loads(error.read())
        if "error" in found:
            raise Refused(found["error"])
        return dict(found)


def _form(fields: dict[str, str], name: str, content: bytes, kind: str) -> tuple[bytes, str]:
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}' for key, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="media"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'
    body = "\r\n".join([*parts, head]).encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"
