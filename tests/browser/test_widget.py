"""The widget in a real browser, with an agent on the other side of a real server."""

import re
import signal
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Frame, Page, expect

from tests.browser.agent import Agent
from tests.browser.conftest import Site
from tests.browser.shop import (
    bubbles,
    configure,
    end_chat,
    open_panel,
    panel,
    start_chat,
    stored,
    until,
    wait_for_widget,
    write,
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NO_SOCKETS = """window.WebSocket = class {
  constructor() { setTimeout(() => this.onclose({ code: 1006 })); }
  send() {} close() {}
}"""


def test_a_chat_from_the_launcher_to_the_rating(page: Page, agent: Agent) -> None:
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.on("websocket", lambda wire: seen.append(wire.url))
    wait_for_widget(page)
    page.mouse.click(1280 - 48, 800 - 48)
    frame = panel(page)
    start_chat(frame, "Do you have the boots in 38?")
    agent.accept()
    expect(frame.locator(".header .title")).to_have_text("Maya Lindgren")
    agent.hears("Do you have the boots in 38?")
    agent.send({"type": "typing", "chat": agent.chat, "active": True})
    expect(frame.locator(".is-typing")).to_be_visible()
    agent.say("Yes, in brown.")
    expect(frame.locator(".in .bubble", has_text="Yes, in brown.")).to_be_visible()
    expect(frame.locator(".is-typing")).to_have_count(0)
    write(frame, "And in green?")
    agent.hears("And in green?")
    expect(frame.locator(".out .meta").last).to_contain_text(re.compile("Sent|Delivered|Read"))
    agent.finish()
    expect(frame.locator(".quiet").last).to_have_text("The chat has ended")
    frame.get_by_label("4 stars of 5").check(force=True)
    frame.get_by_placeholder("What could we do better?").fill("Nothing")
    frame.get_by_role("button", name="Send the rating").click()
    expect(frame.locator(".thanks")).to_be_visible()
    frame.get_by_role("button", name="Mail the transcript").click()
    frame.locator("dialog [name=email]").fill("mia@example.com")
    frame.get_by_role("button", name="Send", exact=True).click()
    expect(frame.locator("dialog")).to_contain_text("The transcript goes to mia@example.com")
    frame.locator("dialog").get_by_role("button", name="Close").click()
    frame.get_by_role("button", name="Start a new chat").click()
    expect(frame.get_by_role("button", name="Start the chat")).to_be_visible()
    token = stored(page, "token")
    assert token
    assert len(token) >= 43
    assert not [url for url in seen if token in url]


def test_the_chat_survives_page_loads_and_tells_what_is_unread(page: Page, site: Site, agent: Agent) -> None:
    start_chat(open_panel(page), "I look around meanwhile")
    agent.accept()
    page.goto(f"{site.url}/demo/boots/")
    wait_for_widget(page)
    page.evaluate("() => { window.counts = []; ContactCenter.on('unread', ({ count }) => counts.push(count)); }")
    frame = panel_in_background(page)
    agent.say("Take your time.")
    until(page, "counts.at(-1) >= 1")
    page.evaluate("ContactCenter.open()")
    expect(frame.locator(".in .bubble", has_text="Take your time.")).to_be_visible()
    until(page, "counts.at(-1) === 0")
    texts = bubbles(frame)
    assert texts.count("I look around meanwhile") == texts.count("Take your time.") == 1


def panel_in_background(page: Page) -> Frame:
    for _ in range(100):
        found = [frame for frame in page.frames if "/widget/frame/" in frame.url]
        if found:
            return found[0]
        page.wait_for_timeout(100)
    raise AssertionError("A running chat did not load the panel.")


def test_two_windows_show_one_chat(page: Page, site: Site, agent: Agent) -> None:
    other = page.context.new_page()
    other.goto(f"{site.url}/demo/help/")
    second = open_panel(other)
    expect(second.get_by_role("button", name="Start the chat")).to_be_visible()
    first = open_panel(page)
    start_chat(first, "From the first window")
    expect(second.locator(".out .bubble", has_text="From the first window")).to_be_visible()
    agent.accept()
    write(second, "From the second window")
    expect(first.locator(".out .bubble", has_text="From the second window")).to_be_visible()
    assert agent.hears_all(2) == ["From the first window", "From the second window"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_after_a_restart_every_message_stands_once(page: Page, site: Site, agent: Agent, number: int) -> None:
    frame = open_panel(page)
    start_chat(frame, "one")
    agent.accept()
    agent.say("two")
    expect(frame.locator(".in .bubble", has_text="two")).to_be_visible()
    site.stop(number)
    expect(frame.locator(".link-state")).to_contain_text("Connecting again")
    write(frame, "three, written without a connection")
    expect(frame.locator(".out .meta").last).to_contain_text("Is sent when we are connected")
    site.start()
    agent.connect()
    agent.hears("three, written without a connection")
    agent.say("four")
    expect(frame.locator(".in .bubble", has_text="four")).to_be_visible(timeout=40_000)
    page.reload()
    frame = open_panel(page)
    expect(frame.locator(".in .bubble", has_text="four")).to_be_visible()
    said = ("one", "two", "three, written without a connection", "four")
    assert [text for text in bubbles(frame) if text in said] == list(said)
    assert agent.texts() == ["one", "three, written without a connection"]


def test_long_polls_carry_the_chat_where_no_websocket_gets_through(
    site: Site, agent: Agent, new_context: Callable[..., BrowserContext]
) -> None:
    context = new_context()
    context.add_init_script(NO_SOCKETS)
    page = context.new_page()
    page.goto(f"{site.url}/demo/")
    frame = open_panel(page)
    start_chat(frame, "No sockets here")
    agent.accept()
    agent.say("We can hear you.")
    expect(frame.locator(".in .bubble", has_text="We can hear you.")).to_be_visible(timeout=15_000)
    agent.say("At once?")
    # Well before a poll would end that did not hear of it.
    expect(frame.locator(".in .bubble", has_text="At once?")).to_be_visible(timeout=8_000)
    write(frame, "Yes")
    agent.hears("Yes")
    end_chat(page)


def test_outside_hours_a_message_can_be_left(page: Page, site: Site) -> None:
    hours = "center.teams.update(always_open={}); OpeningHours.objects.filter(center=center).delete()"
    configure(site, hours.format("False"))
    try:
        page.reload()
        frame = open_panel(page)
        expect(frame.get_by_role("heading")).to_have_text("We are closed at the moment")
        frame.locator("[name=message]").fill("Please call me back")
        frame.get_by_role("button", name="Send the message").click()
        expect(frame.locator(".field-error:visible")).to_have_text("Please fill this in.")
        frame.locator("[name=email]").fill("mia@example.com")
        frame.get_by_role("button", name="Send the message").click()
        expect(frame.get_by_role("heading")).to_have_text("Thank you. Your message has arrived.")
    finally:
        configure(site, hours.format("True"))
    said = "from chats.models import OfflineMessage; print(OfflineMessage.objects.filter(text='Please call me back').count())"
    assert site.manage("shell", "-v", "0", "-c", said).strip() == "1"


def test_a_search_that_found_nobody_says_so_and_takes_a_message(page: Page, site: Site) -> None:
    configure(site, "center.teams.update(mode='direct', search_seconds=2)")
    try:
        frame = open_panel(page)
        start_chat(frame, "Is anybody there?")
        expect(frame.locator(".standing")).to_contain_text("Nobody is free just now", timeout=20_000)
        frame.get_by_role("button", name="Search again").click()
        expect(frame.locator(".standing")).to_contain_text("Looking for somebody")
        expect(frame.get_by_role("button", name="Leave a message")).to_be_visible(timeout=20_000)
        frame.get_by_role("button", name="Leave a message").click()
        expect(frame.locator("[name=message]")).to_have_value("Is anybody there?")
        frame.get_by_role("button", name="Send the message").click()
        expect(frame.get_by_role("heading")).to_have_text("Thank you. Your message has arrived.")
    finally:
        configure(site, "center.teams.update(mode='queue', search_seconds=60)")


def test_who_waits_learns_the_place_in_the_queue(page: Page, site: Site, new_context: Any) -> None:
    other = new_context().new_page()
    other.goto(f"{site.url}/demo/")
    start_chat(open_panel(other), "I was first", name="Fay First")
    frame = open_panel(page)
    start_chat(frame, "I am second")
    expect(frame.locator(".standing")).to_contain_text("1 person ahead of you")
    end_chat(other)
    expect(frame.locator(".standing")).to_contain_text("You are next")


def test_what_was_typed_is_never_lost(page: Page, site: Site, agent: Agent) -> None:
    frame = open_panel(page)
    frame.locator("[name=message]").fill("half a question")
    page.wait_for_timeout(500)
    page.goto(f"{site.url}/demo/help/")
    frame = open_panel(page)
    expect(frame.locator("[name=message]")).to_have_value("half a question")
    start_chat(frame, "a whole question")
    frame.locator(".composer textarea").fill("half an answer")
    page.wait_for_timeout(500)
    page.reload()
    expect(open_panel(page).locator(".composer textarea")).to_have_value("half an answer")
