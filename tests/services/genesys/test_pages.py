"""Pages of each kind over HTTP against robot agents: request, wait, talk, type, complete; two windows at once; a server that is killed."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.services.genesys.client import Heard, Page, Refused, TransportPage, Unheard
from tests.services.genesys.conftest import Robots

CUSTOMER, AGENT, SYSTEM = "Customer", "Agent", "External"


def texts(heard: list[Heard], who: str) -> list[str]:
    return [one.text for one in heard if (one.type, one.who) == ("Text", who)]


def test_a_page_asks_waits_talks_and_completes(house: Any, robots: Robots, page: Page):
    page.request("Mia", endpoint=house.demo["genesys"]["endpoint"], userData={"order": "A100234"})
    assert page.state() == "WaitingForAgent"
    page.until("ParticipantJoined", SYSTEM)
    robots.come()
    page.until("ParticipantJoined", AGENT)
    assert page.state() == "Chatting"
    page.typing()
    page.say("Hello")
    page.until("Text", AGENT, "echo: Hello")
    own = [one.type for one in page.heard if one.who == CUSTOMER]
    assert own == ["ParticipantJoined", "TypingStarted", "TypingStopped", "Text"]
    theirs = [one.type for one in page.heard if one.who == AGENT]
    assert theirs == ["ParticipantJoined", "TypingStarted", "TypingStopped", "Text"]
    page.complete()
    assert page.state() == "Idle"
    transcript = page.transcript()
    assert transcript[: len(page.heard)] == page.heard
    assert [one.index for one in transcript] == list(range(1, len(transcript) + 1))
    assert (transcript[-1].type, transcript[-1].who) == ("ParticipantLeft", CUSTOMER)
    for operation in ("SendMessage", "Complete"):
        with pytest.raises(Refused):
            page.do(operation, text="Still there?")
    assert page.transcript() == transcript
    if isinstance(page, TransportPage):
        assert page.has_ended()


def test_an_agent_ends_it_and_the_page_learns_it(robots: Robots, page: Page):
    robots.come()
    page.request("Mia")
    page.until("ParticipantJoined", AGENT)
    page.say("bye")
    page.until("ParticipantLeft", CUSTOMER)
    assert page.state() == "Idle"


def test_two_windows_of_one_chat_hear_the_same(robots: Robots, page: Page, urls: list[str]):
    robots.come()
    page.request("Mia")
    windows = [page.again(urls[0]), page.again(urls[-1])]
    with ThreadPoolExecutor(2) as pool:
        waits = [pool.submit(window.until, "Text", AGENT, "echo: 4") for window in windows]
        for number in range(5):
            page.say(str(number))
        for wait in waits:
            wait.result(120)
    shortest = min(len(window.heard) for window in windows)
    assert windows[0].heard[:shortest] == windows[1].heard[:shortest]
    assert texts(windows[0].heard, CUSTOMER) == [str(number) for number in range(5)]
    page.complete()
    for window in windows:
        window.close()


@pytest.mark.parametrize("page", ["apikey", "ContactCenterId"], indirect=True)
def test_two_pollers_without_an_index_share_what_is_new(page: Page, urls: list[str]):
    """Each message goes to one of them, and none is lost between. The third transport has no cursor."""
    page.request("Mia")
    has_ended = threading.Event()

    def poll(window: Page) -> list[int]:
        found: list[int] = []
        while True:
            is_last = has_ended.is_set()
            answer = window.send("GET", f"{window.chats}/{window.id}/messages")
            found += [message["index"] for message in answer["messages"]]
            if is_last:
                return found

    windows = [page.again(urls[0]), page.again(urls[-1])]
    with ThreadPoolExecutor(2) as pool:
        polls = [pool.submit(poll, window) for window in windows]
        for number in range(20):
            page.say(f"Message {number}")
        page.complete()
        has_ended.set()
        heard = [each.result(60) for each in polls]
    assert all(found == sorted(found) for found in heard)
    assert sorted(heard[0] + heard[1]) == [one.index for one in page.transcript()]
    for window in windows:
        window.close()


def test_a_killed_server_loses_nothing_that_it_answered(robots: Robots, page: Page, crash: Callable[[], None]):
    robots.come()
    page.request("Mia")
    page.until("ParticipantJoined", AGENT)
    is_over = threading.Event()

    def talk() -> int:
        """Say numbers until told to stop; how many were not answered."""
        number = unheard = 0
        while not is_over.is_set():
            number += 1
            try:
                page.say(f"Message {number}")
            except Unheard:
                unheard += 1
            is_over.wait(0.25)  # within the pace that customers may keep, however slow the listener is
        return unheard

    listener = page.again()
    with ThreadPoolExecutor(1) as pool:
        talking = pool.submit(talk)
        listener.until("Text", CUSTOMER, "Message 5")
        crash()
        before = len(page.acknowledged)
        while len(page.acknowledged) < before + 5:
            is_over.wait(0.1)
        is_over.set()
        assert talking.result(60) > 0
    for text in page.acknowledged:  # after a crash the robot's answers may come in another order
        listener.until("Text", AGENT, f"echo: {text}")
    said = texts(listener.heard, CUSTOMER)
    assert [text for text in said if text in set(page.acknowledged)] == page.acknowledged
    assert len(set(said)) == len(said)
    page.complete()
    listener.close()
