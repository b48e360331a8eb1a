"""The two programs in Node.js: a gadget and a connector, each a process that is told what to do line by line."""

import json
import subprocess
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tests.services.site import ROOT

HERE = Path(__file__).parent
MODULES = ROOT / "tools/node_modules"
# By the version; Socket.IO 2 speaks another protocol than 3 and 4.
LIBRARIES = {"2.5": "socket.io-client-2", "3.1": "socket.io-client-3", "4.8": "socket.io-client"}
SECONDS = 40
Line = dict[str, Any]


class Program:
    """`said`: what it told, in order; `name` tells it from others where a test fails."""

    script = ""

    def __init__(self, url: str, library: str = "4.8", transports: str = "", **settings: Any) -> None:
        self.url, self.name, self.channel = url, f"{library} {transports}", settings.get("channel", "web")
        told = {
            "modules": str(MODULES),
            "library": LIBRARIES[library],
            "url": url,
            "transports": transports,
            **settings,
        }
        self.process = subprocess.Popen(
            ["node", str(HERE / self.script), json.dumps(told)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said: list[Line] = []
        self.news = threading.Condition()
        self.listening = threading.Thread(target=self._listen, daemon=True)
        self.listening.start()

    def _listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            with self.news:
                self.said.append(json.loads(line) if line.startswith("{") else {"complained": line})
                self.news.notify_all()
        with self.news:
            self.said.append({"gone": True})
            self.news.notify_all()

    def do(self, **command: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def until(self, is_so: Callable[[], Any], seconds: float = SECONDS) -> Any:
        """What `is_so` returns when it is something; asked again whenever the program tells anything."""
        found: list[Any] = []

        def is_there() -> bool:
            found[:] = [is_so()]
            return bool(found[0]) or {"gone": True} in self.said

        with self.news:
            self.news.wait_for(is_there, seconds)
        assert found[0], f"{self.name}: {json.dumps(self.said[-12:], indent=1)[-6000:]}"
        return found[0]

    def told(self, key: str) -> list[Any]:
        return [line[key] for line in list(self.said) if key in line]

    def next(self, key: str, after: int = 0) -> Any:
        """What it tells under this key for the time number `after`, counted from 0."""
        return self.until(lambda: self.told(key)[after:])[0]

    def stop(self) -> None:
        """It says good-bye to the server, and has complained about nothing."""
        if self.process.poll() is None:
            self.do(stop=True)
            self.process.wait(20)
        self._clear()
        assert self.told("complained") == []

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(20)
        self._clear()

    def _clear(self) -> None:
        self.listening.join(20)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe
            pipe.close()


class Gadget(Program):
    """A page's gadget. `init`: its body of POST init; or `conversation`, for another window of the same customer."""

    script = "gadget.mjs"

    @property
    def conversation(self) -> Line:
        found: Line = self.next("began")
        assert set(found) >= {"conversationId", "participant"}, found
        return found

    @property
    def id(self) -> str:
        return str(self.conversation["conversationId"])

    def joined(self) -> Self:
        assert self.next("joined")["code"] == 200
        return self

    def send(self, text: str = "", **members: Any) -> Line:
        """What acknowledges it: {code, id, …}."""
        own = str(uuid.uuid4())
        self.do(send={"id": own, "text": text, **members})
        return self.until(lambda: [line["sent"] for line in list(self.said) if line.get("id") == own])[0]

    def ask(self, name: str, data: Any) -> Any:
        """An event as it stands; only one at a time."""
        known = len(self.told("answer"))
        self.do(ask=[name, data])
        return self.next("answer", known)

    def activities(self) -> list[str]:
        """The types of those that came, in order."""
        return [one["activityType"] for one in self.told("arrived") if one["type"] == "ActivityMessage"]

    def activity(self, kind: str) -> Line:
        """The first of this type."""
        return self.until(lambda: [one for one in self.told("arrived") if one.get("activityType") == kind])[0]

    def agent(self) -> Line:
        """The agent who has come: before the gadget joined, or while it watches."""
        here = [one for one in self.next("info")["participant"] if one["type"] != "Customer"]
        return here[0] if here else dict(self.activity("participantJoined")["from"])

    def hear(self, text: str, seconds: float = SECONDS) -> Line:
        """The first message with this text that came live."""
        return self.until(lambda: [one for one in self.told("arrived") if one.get("text") == text], seconds)[0]

    def shown(self) -> list[Line]:
        """What the customer sees now: {id, from, text, attachments}."""
        known = len(self.told("shown"))
        self.do(show=True)
        return list(self.next("shown", known))

    def transport(self) -> str:
        """The one that it uses by now."""
        self.shown()
        return str(self.told("transport")[-1])

    def texts(self, who: str) -> list[str]:
        """Of what is seen now: the customer's own ("me"), or those of others by how their names begin."""
        return [one["text"] for one in self.shown() if one["from"].startswith(who)]


class Connector(Program):
    """A messaging network's connector."""

    script = "connector.mjs"

    def registered(self) -> Self:
        assert self.next("registered")["code"] == 200
        return self

    def sms(self, sender: str, text: str, **members: Any) -> str:
        """Somebody writes; its id. `carried` tells when it is stored."""
        own = str(uuid.uuid4())
        self.do(sms={"id": own, "from": sender, "text": text, **members})
        return own

    def carried(self, own: str) -> str:
        """The conversation in which it is stored."""
        return str(
            self.until(lambda: [line for line in list(self.said) if line.get("carried") == own])[0]["conversationId"]
        )

    def handed(self, account: str, by: str = "") -> list[Line]:
        """What it gave the network for this account, in order: {by, to, text, id, attachments}. `by`: how the speaker's name begins."""
        return [one for one in self.told("network") if one["to"] == account and one["by"].startswith(by)]

    def texts(self, account: str, by: str = "") -> list[str]:
        return [one["text"] for one in self.handed(account, by)]

    def hand(self, account: str, text: str, seconds: float = SECONDS) -> Line:
        """The first message with this text that the account gets."""
        return self.until(lambda: [one for one in self.handed(account) if one["text"] == text], seconds)[0]
