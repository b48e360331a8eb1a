"""Pages as they were written for Genesys: they know a base URL, send what its documentation says, and look at statusCode and messages.

Page (customer chat API) and TransportPage (eServices) have one face: request, say, typing, complete, poll. A request that finds no server is made again if
it only reads; what was said and not answered counts as not said.
"""

import threading
from dataclasses import dataclass
from typing import Any

import httpx

PATIENCE = 60  # seconds


@dataclass(frozen=True)
class Heard:
    """One message: `who` is Customer, Agent or External on either transport."""

    index: int
    type: str
    who: str
    text: str = ""


class Refused(Exception):
    """statusCode was not 0."""


class Unheard(Exception):
    """Nobody answered."""


class Page:
    """The customer chat API: the chat's id is the proof. `headers`: apikey or ContactCenterId."""

    chats = "/api/v2/chats"

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self.http = httpx.Client(base_url=url, headers=headers, timeout=40)
        self.id = ""
        self.heard: list[Heard] = []
        self.acknowledged: list[str] = []

    def again(self, url: str = "") -> "Page":
        """The same chat in another window, which has heard nothing yet."""
        other = type(self)(url or str(self.http.base_url), dict(self.http.headers))
        other.id = self.id
        return other

    def close(self) -> None:
        self.http.close()

    # What pages do ----------------------------------------------------------------------------------------------------

    def request(self, nickname: str, **parameters: Any) -> None:
        # As the stock browser client writes it: with a slash.
        body = {"operationName": "RequestChat", "nickname": nickname, "subject": "Parcel", **parameters}
        begun = self.send("POST", f"{self.chats}/", body)
        assert begun["path"] == f"{self.chats}/{begun['id']}"
        self.id = begun["id"]

    def do(self, operation: str, **parameters: Any) -> None:
        self.send("POST", f"{self.chats}/{self.id}", {"operationName": operation, **parameters})

    def say(self, text: str) -> None:
        self.do("SendMessage", text=text)
        self.acknowledged.append(text)

    def typing(self) -> None:
        self.do("SendStartTypingNotification")

    def complete(self) -> None:
        self.do("Complete")

    def state(self) -> str:
        chat = self.send("GET", f"{self.chats}/{self.id}")["chat"]
        assert bool(chat["capabilities"]) == (chat["state"] != "Idle")
        return str(chat["state"])

    def read(self, position: int, wait: int = 0) -> list[dict[str, Any]]:
        """Messages from a position on."""
        query = f"?index={position}" + (f"&wait={wait}" if wait else "")
        messages: list[dict[str, Any]] = self.send("GET", f"{self.chats}/{self.id}/messages{query}")["messages"]
        return messages

    # What they keep ---------------------------------------------------------------------------------------------------

    def poll(self, wait: int = 0) -> list[Heard]:
        """What is new since the last poll; numbers have no holes."""
        new = [self.heard_of(message) for message in self.read(len(self.heard) + 1, wait)]
        self.heard += new
        assert [one.index for one in self.heard] == list(range(1, len(self.heard) + 1))
        return new

    def transcript(self) -> list[Heard]:
        return [self.heard_of(message) for message in self.read(1)]

    def heard_of(self, message: dict[str, Any]) -> Heard:
        assert isinstance(message["from"]["participantId"], str)
        return Heard(message["index"], message["type"], message["from"]["type"], message.get("text", ""))

    def until(self, type: str, who: str, text: str = "", *, wait: int = 2) -> Heard:
        """Poll until this was heard."""
        for _ in range(PATIENCE * 5):
            for one in self.heard:
                if (one.type, one.who) == (type, who) and text in ("", one.text):
                    return one
            try:
                if not self.poll(wait):
                    threading.Event().wait(0.2)
            except Unheard:
                threading.Event().wait(0.2)
        raise AssertionError(f"never heard: {type} {who} {text}; but {self.heard}")

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer where its statusCode is 0. Raises Refused, Unheard."""
        try:
            answer = self.http.request(method, path, json=body)
        except httpx.TransportError as error:
            raise Unheard from error
        said: dict[str, Any] = answer.json()
        if said["statusCode"] != 0:
            assert set(said) == {"statusCode", "statusMessage"}
            assert answer.status_code >= 400
            raise Refused(said["statusMessage"])
        assert answer.status_code == 200
        return said


class TransportPage(Page):
    """eServices: keys as proof, messages by POST. `headers` hold nothing; the tenant is in the body."""

    chats = "/eservices/api/v2/chats"
    tenant = "acme"
    proof: dict[str, Any]

    def again(self, url: str = "") -> "Page":
        other = super().again(url)
        assert isinstance(other, TransportPage)
        other.proof = self.proof
        return other

    def request(self, nickname: str, **parameters: Any) -> None:
        body = {"tenantName": self.tenant, "nickname": nickname, "subject": "Parcel", **parameters}
        begun = self.send("POST", self.chats, body)
        self.id = begun["chatId"]
        self.proof = {name: begun[name] for name in ("userId", "secureKey", "alias", "tenantName")}

    def do(self, operation: str, **parameters: Any) -> None:
        self.send("POST", f"{self.chats}/{self.id}", {"operationName": operation, **self.proof, **parameters})

    def read(self, position: int, wait: int = 0) -> list[dict[str, Any]]:
        body = {**self.proof, "transcriptPosition": position}
        messages: list[dict[str, Any]] = self.send("POST", f"{self.chats}/{self.id}/messages", body)["messages"]
        return messages

    def has_ended(self) -> bool:
        return bool(self.send("POST", f"{self.chats}/{self.id}/messages", self.proof)["chatEnded"])

    def heard_of(self, message: dict[str, Any]) -> Heard:
        assert type(message["utcTime"]) is type(message["from"]["participantId"]) is int
        kind = {"Message": "Text"}.get(message["type"], message["type"])
        who = {"Client": "Customer"}.get(message["from"]["type"], message["from"]["type"])
        return Heard(message["index"], kind, who, message.get("text", ""))
