"""Gadgets in Node.js against robot agents: every version of the client library over every transport, several windows, a server that is killed."""

import base64
import io
import subprocess
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.services.expertflow.conftest import Application, Robots, get
from tests.services.expertflow.programs import LIBRARIES, Gadget

pytestmark = [pytest.mark.node, pytest.mark.socketio]
TRANSPORTS = ["polling", "websocket", "polling,websocket"]
ROBOT = "Robot"  # agents' names begin with it
LINK = {"type": "application/pdf", "name": "Manual", "contentUrl": "https://example.com/manual.pdf"}


@pytest.fixture(scope="session")
def picture() -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(drawn, "PNG")
    return drawn.getvalue()


def test_who_waits_learns_that_nobody_is_there_and_that_somebody_comes(application: Application, robots: Robots):
    robots.leave()
    gadgets = [application.gadget(library) for library in LIBRARIES]
    for gadget in gadgets:
        assert gadget.activity("noAgentAvailable")["conversationId"] == gadget.id
        assert gadget.activities().index("handOff") < gadget.activities().index("noAgentAvailable")
        gadget.send("Hello?")
    robots.come()
    for gadget in gadgets:
        gadget.hear("echo: Hello?")
        assert gadget.activities().count("noAgentAvailable") == 1
        assert types(gadget)["from"]["id"] == gadget.agent()["id"]
        gadget.do(end=True)
        assert gadget.next("ended")["code"] == 200


def types(gadget: Gadget) -> dict[str, Any]:
    """That the agent types, as the visitor sees it. A robot that has just typed elsewhere may not be seen to type here."""
    for number in range(5):
        gadget.send(f"Still there? {number}")
        gadget.hear(f"echo: Still there? {number}")
        if "typing" in gadget.activities():
            break
    return gadget.activity("typing")


def test_visitors_talk_with_agents(application: Application, robots: Robots, picture: bytes, tmp_path: Path):
    """Nine at once: each version over each transport."""
    robots.come()
    ways = list(product(LIBRARIES, TRANSPORTS))
    talks = [
        lambda way=way, number=number: talk(application, *way, f"visitor-{number}", picture)
        for number, way in enumerate(ways)
    ]
    gadgets = together(talks)
    for gadget, way in zip(gadgets, ways, strict=True):
        assert gadget.transport() == way[1].rpartition(",")[2]
    status, paper = application.transcript(gadget.id)
    assert (status, paper[:5]) == (200, b"%PDF-")
    (tmp_path / "paper.pdf").write_bytes(paper)
    text = subprocess.run(["pdftotext", tmp_path / "paper.pdf", "-"], capture_output=True, text=True, check=True).stdout
    assert "Do they come in 43?" in text


def talk(application: Application, library: str, transports: str, account: str, picture: bytes) -> Gadget:
    gadget = application.gadget(
        library, transports, refId=account, lastName="Lind", order={"number": "A100234"}
    ).joined()
    info = gadget.next("info")
    assert info["role"] == "customer"
    assert {one["from"]["type"] for one in info["messages"]} <= {"Bot"}  # the team's greeting
    assert gadget.conversation["participant"]["id"] in [one["id"] for one in info["participant"]]
    agent = gadget.agent()
    assert agent["name"].startswith(ROBOT)
    assert gadget.activities()[0] == "greetings"
    window = application.window(gadget, library, transports).joined()
    assert gadget.send("Do they come in 43? 👞")["code"] == 200
    answer = gadget.hear("echo: Do they come in 43? 👞")
    assert answer["from"]["id"] == agent["id"]
    gadget.do(typing=True)
    assert gadget.next("typed")["code"] == 200
    send_files(gadget, window, picture)
    assert application.transcript(gadget.id)[0] == 404
    end(gadget, window)
    assert gadget.texts("me") == window.texts("me") == texts_of(application, account, "Customer")
    assert gadget.texts(ROBOT) == window.texts(ROBOT) == texts_of(application, account, ROBOT)
    return gadget


def send_files(gadget: Gadget, window: Gadget, picture: bytes) -> None:
    """A picture, which the robot sends back, and a link, which the other window sees as it was sent."""
    data = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    gadget.send("A picture", attachments=[{"type": "image/png", "name": "boot.png", "contentUrl": data}])
    back = gadget.hear("echo: A picture")["attachments"][0]
    assert (back["type"], get(back["contentUrl"])) == ("image/png", (200, picture))
    gadget.send("A link", attachments=[LINK])
    heard = window.hear("A link")["attachments"][0]
    assert {name: heard[name] for name in LINK} == LINK
    gadget.hear("echo: A link")


def end(gadget: Gadget, window: Gadget) -> None:
    """By the visitor over polling, else by the agent."""
    if gadget.name.endswith(" polling"):
        gadget.do(end=True)
        assert gadget.next("ended")["code"] == 200
    else:
        gadget.send("bye")
    for each in (gadget, window):
        each.activity("endOfConversation")
    assert (
        gadget.ask("sendMessage", {"conversationId": gadget.id, "type": "ChatMessage", "text": "Wait"})["code"] >= 400
    )


def texts_of(application: Application, account: str, who: str) -> list[str]:
    """Of the history: the customer's ("Customer"), or those of others by how their names begin."""
    messages = application.history(account)
    return [one["text"] for one in messages if one["from"]["type"] == who or one["from"]["firstName"].startswith(who)]


def test_a_killed_server_loses_and_doubles_nothing(application: Application, robots: Robots, house: Any):
    """Visitors write on while the server dies and returns; each gadget joins again by itself."""
    robots.come()
    gadgets = [application.gadget(library, refId=f"crash-{library}").joined() for library in LIBRARIES]
    windows = [application.window(gadget, "4.8", url=house.urls[-1]).joined() for gadget in gadgets]
    wanted = [f"Message {number}" for number in range(12)]
    is_struck = threading.Event()

    def write(gadget: Gadget) -> None:
        for number, text in enumerate(wanted):
            if number == 5:
                is_struck.wait(60)  # from here on it is dying, or gone
            assert gadget.send(text)["code"] == 200

    with ThreadPoolExecutor(len(gadgets)) as pool:
        writing = [pool.submit(write, gadget) for gadget in gadgets]
        for gadget in gadgets:
            gadget.hear("echo: Message 2")
        is_struck.set()
        house.crash()
        for each in writing:
            each.result(60)
    for gadget, window in zip(gadgets, windows, strict=True):
        window.until(lambda window=window: len(window.told("joined")) > 1)
        for each in (gadget, window):
            each.until(lambda each=each: everything(each.said, wanted))
            assert each.texts("me") == wanted
            # After a crash robots may answer in another order.
            assert sorted(each.texts(ROBOT)) == sorted(f"echo: {text}" for text in wanted)
        assert texts_of(application, f"crash-{gadget.name.split()[0]}", "Customer") == wanted
        gadget.do(end=True)


def everything(said: Iterable[dict[str, Any]], wanted: list[str]) -> bool:
    """Whether an answer to each has come, live or in what joining brings."""
    lines = list(said)
    messages = [line["arrived"] for line in lines if "arrived" in line]
    messages += [message for line in lines if "info" in line for message in line["info"]["messages"]]
    return {f"echo: {text}" for text in wanted} <= {message.get("text") for message in messages}


def together(works: list[Callable[[], Any]]) -> list[Any]:
    """What each returns; they run side by side."""
    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result(120) for future in [pool.submit(work) for work in works]]
