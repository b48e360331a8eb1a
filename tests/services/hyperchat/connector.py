"""A chatbot's bridge to the contact center: it hands persons over to agents and tells them what web hooks say.

It works as the PHP connectors do. Each request and each web hook of a person waits for that person's session, and an event is
answered only after up to seven calls back: whoever makes a request wait for its own web hook stands still here.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .client import SOURCE, Hyper, Refused
from .receiver import Call, chat_of

# All but chats:assign: the request that causes it waits for its answer, and holds the session meanwhile.
EVENTS = (
    "chats:create, chats:join, chats:leave, chats:close, forever:alone, invitations:new, invitations:accept,"
    "messages:new, messages:read, queues:update, system:info, users:join, users:activity"
)
Told = tuple[str, Any]


@dataclass
class Person:
    """Somebody who writes to the chatbot. `told`: what they saw since they asked for an agent."""

    external_id: str
    name: str
    session: threading.Lock = field(default_factory=threading.Lock)
    user_id: str = ""
    chat_id: str = ""  # while the chat goes on
    last_chat_id: str = ""
    told: list[Told] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)

    def hear(self, kind: str, what: Any = None) -> None:
        with self.news:
            self.told.append((kind, what))
            self.news.notify_all()

    def until(self, is_so: Callable[[list[Told]], Any], seconds: float = 30) -> None:
        with self.news:
            assert self.news.wait_for(lambda: is_so(self.told), seconds), self.told

    def heard(self, kind: str) -> list[Any]:
        return [what for told, what in list(self.told) if told == kind]


class Connector:
    """`room`: where it hands persons over to."""

    def __init__(self, hyper: Hyper, room: str) -> None:
        self.hyper = hyper
        self.room = room
        self.persons: dict[str, Person] = {}
        self.is_queueing = hyper.is_queueing()

    def listen_at(self, url: str) -> dict[str, Any]:
        """Have the events sent there; whoever listens there is asked first whether it wants them."""
        webhook: dict[str, Any] = self.hyper.call("POST", "webhooks/", {"events": EVENTS, "target": url})["webhook"]
        return webhook

    # What a person does ----------------------------------------------------------------------------------------------

    def escalate(self, person: Person, history: list[dict[str, Any]] | None = None) -> None:
        """The person wants an agent: who is there? then user, chat and, where chats do not wait in line, a search."""
        self.persons[person.external_id] = person
        with person.session:
            if not self._is_anybody_there():
                person.hear("nobody")
                return
            user = self.hyper.sign_up(person.name, person.external_id, contact="mia@example.com", extraInfo={"tier": 2})
            person.user_id = user["id"]
            chat = self.hyper.begin_chat(self.room, user["id"], history=history or [])
            person.chat_id = person.last_chat_id = chat["id"]
            if self.is_queueing:
                person.hear("in line")
            else:
                agent = self.hyper.assign(chat["id"])
                person.hear("ringing" if agent else "unanswered", agent)

    def _is_anybody_there(self) -> bool:
        return self.hyper.is_online(self.room) if self.is_queueing else self.hyper.available(self.room) > 0

    def say(self, person: Person, text: str) -> None:
        with person.session:
            self.hyper.say(person.chat_id, person.user_id, text)

    def send(self, person: Person, name: str, content: bytes, kind: str) -> dict[str, Any]:
        with person.session:
            return self.hyper.upload(person.chat_id, person.user_id, name, content, kind)

    def leave(self, person: Person) -> None:
        with person.session:
            self.hyper.close(person.chat_id, person.user_id)

    # What web hooks say ----------------------------------------------------------------------------------------------

    def handle(self, call: Call) -> None:
        """Find the person first (two calls), then do what the event says with the session held."""
        data = call.body["data"]
        chat = self.hyper.chat(chat_of(data))
        if chat["source"] != SOURCE or type(chat["source"]) is not int:
            raise AssertionError(f"dropped, for its source is {chat['source']!r}")
        creator = self.hyper.user(chat["creator"])
        person = self.persons[creator["externalId"]]
        with person.session:
            self._tell(person, call.trigger, data)

    def _tell(self, person: Person, trigger: str, data: dict[str, Any]) -> None:
        match trigger:
            case "messages:new":
                self._tell_message(person, data["message"])
            case "invitations:accept":
                person.hear("joined", self.hyper.user(data["userId"])["nickname"])
            case "users:activity":
                if self._is_agent(data["userId"]):
                    person.hear("activity", data["type"])
            case "queues:update":
                person.hear("place", data["data"])  # N people are ahead; real ones show nothing for 0
            case "forever:alone":
                # The server closes nothing by itself: this closes it, and its own web hook tells the person.
                self.hyper.close(chat_of(data))
            case "system:info":
                if person.chat_id:  # one connector forgets its chat at chats:close: too late then
                    person.hear("survey", self.hyper.survey(data["data"]["ticketId"]))
            case "chats:close":
                if data["userId"] == "system" or self._is_agent(data["userId"]):
                    person.hear("closed", data)
                person.chat_id = ""

    def _tell_message(self, person: Person, message: dict[str, Any]) -> None:
        self.hyper.chat(message["chat"])
        if not self._is_agent(message["sender"]):
            return
        if message["type"] == "media":
            content, kind = self.hyper.download(message["message"]["url"])
            person.hear("file", (message["message"].get("name"), kind, content))
        else:
            person.hear("text", message["message"])

    def _is_agent(self, user_id: str) -> bool:
        """Agents have a provider; users and whoever is unknown have none."""
        try:
            return bool(self.hyper.user(user_id)["providerId"])
        except Refused:
            return False
