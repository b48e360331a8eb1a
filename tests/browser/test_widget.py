"""The widget in a real browser, with an agent on the other side of a real server."""

import hashlib
import hmac
import json
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Frame, Page, expect

from tests.browser.agent import Agent
from tests.browser.conftest import Site
from tests.browser.shop import another_site, bubbles, open_panel, panel, png, start_chat, until, wait_for_widget, write
from tests.browser.test_desk import XSS

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AXE = Path(__file__).resolve().parents[2] / "tools/node_modules/axe-core/axe.min.js"
NO_SOCKETS = """window.WebSocket = class {
  constructor() { setTimeout(() => this.onclose({ code: 1006 })); }
  send() {} close() {}
}"""


@pytest.fixture
def agents(site: Site) -> Iterator[Callable[[str], Agent]]:
    made: list[Agent] = []

    def sign_in(username: str) -> Agent:
        made.append(Agent(site.url, username, site.seat(username)["password"]))
        return made[-1]

    yield sign_in
    for agent in made:
        agent.leave()


@pytest.fixture
def agent(agents: Callable[[str], Agent]) -> Agent:
    return agents("maya")


@pytest.fixture
def page(site: Site, new_context: Callable[..., BrowserContext]) -> Iterator[Page]:
    """The demo shop, as a customer who was never there sees it."""
    made = new_context(reduced_motion="reduce").new_page()
    made.goto(f"{site.url}/demo/")
    yield made
    end_chat(made)


def end_chat(page: Page) -> None:
    """Leaves no chat behind that the next test's agent would be offered."""
    page.evaluate(
        """async () => {
          const token = Object.entries(localStorage).find(([name]) => name.endsWith(".token"))?.[1];
          const chat = Object.entries(localStorage).find(([name]) => name.endsWith(".chat"))?.[1];
          if (token && chat) await fetch(`/api/v1/chats/${chat}/close`, { method: "POST", headers: { Authorization: `Bearer ${token}` } });
        }"""
    )


def configure(site: Site, code: str) -> None:
    """Changes the demo center's rows, as its admin would."""
    before = "from contactcenter.models import *; center = ContactCenter.objects.get(slug='acme'); channel = center.channels.get(kind='web');"
    site.manage("shell", "-v", "0", "-c", f"{before} {code}")


def stored(page: Page, name: str) -> str | None:
    entries: dict[str, str] = page.evaluate("({ ...localStorage })")
    return next((value for key, value in entries.items() if key.endswith(f".{name}")), None)


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
    began = time.monotonic()
    agent.say("At once?")
    expect(frame.locator(".in .bubble", has_text="At once?")).to_be_visible()
    assert time.monotonic() - began < 3
    write(frame, "Yes")
    agent.hears("Yes")
    end_chat(page)


def test_another_origin_shows_it_when_allowed_and_not_otherwise(
    site: Site, agent: Agent, new_context: Callable[..., BrowserContext], chromium: Any
) -> None:
    key = site.demo["widget_key"]
    with another_site(site.url, key) as allowed, another_site(site.url, key) as refused:
        configure(site, f"channel.allowed_origins.append({allowed!r}); channel.save()")
        page = new_context(reduced_motion="reduce").new_page()
        page.goto(allowed)
        wait_for_widget(page)
        # The site hides every button and frame that its styles reach; ours they do not reach.
        page.mouse.click(1280 - 48, 720 if page.viewport_size is None else page.viewport_size["height"] - 48)
        frame = panel(page)
        start_chat(frame, "Hello from elsewhere")
        agent.accept()
        agent.say("Hello there")
        expect(frame.locator(".in .bubble", has_text="Hello there")).to_be_visible()
        assert frame.evaluate("getComputedStyle(document.querySelector('.bubble')).outlineStyle") == "none"
        assert stored(page, "token")
        agent.finish()
        stranger = chromium.new_page()
        stranger.goto(refused)
        until(stranger, "window.ContactCenter?.version === 1")
        stranger.wait_for_timeout(1000)
        expect(stranger.locator("contact-center")).to_have_count(0)
        blocked: list[str] = []
        stranger.on("console", lambda message: blocked.append(message.text))
        address = f"{site.url}/widget/frame/?key={key}"
        stranger.evaluate(
            "src => document.body.append(Object.assign(document.createElement('iframe'), { src }))", address
        )
        stranger.wait_for_timeout(1000)
        assert any("frame-ancestors" in text for text in blocked)
        stranger.close()


def test_the_page_cannot_be_spoken_for(page: Page) -> None:
    frame = open_panel(page)
    page.evaluate(
        """() => {
          postMessage({ contactCenter: 1, type: "save", name: "token", value: "planted" }, "*");
          const other = document.createElement("iframe");
          document.body.append(other);
          const message = { contactCenter: 1, type: "saved", name: "token", value: 7 };
          window[0]?.postMessage(message, "*");
        }"""
    )
    page.wait_for_timeout(300)
    assert stored(page, "token") is None
    expect(frame.get_by_role("button", name="Start the chat")).to_be_visible()
    assert page.evaluate("document.querySelector('contact-center').shadowRoot") is None


def test_by_keys_alone(page: Page, agent: Agent) -> None:
    wait_for_widget(page)
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.localName") == "contact-center":
            break
    page.keyboard.press("Enter")
    frame = panel(page)
    expect(frame.locator("[name=name]")).to_be_focused()
    page.keyboard.type("Kim Keys")
    while frame.evaluate("document.activeElement.name") != "message":
        page.keyboard.press("Tab")
        kind = frame.evaluate("document.activeElement.localName")
        if kind == "select":
            page.keyboard.press("ArrowDown")
        elif frame.evaluate("document.activeElement.name") == "email":
            page.keyboard.type("kim@example.com")
    page.keyboard.type("Only keys here")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(frame.locator(".out .bubble")).to_have_text("Only keys here")
    expect(frame.locator(".composer textarea")).to_be_focused()
    agent.accept()
    agent.say("Keys are fine.")
    expect(frame.locator("#announcer p", has_text="Keys are fine.")).to_have_count(1)
    page.keyboard.type("Thanks")
    page.keyboard.press("Enter")
    agent.hears("Thanks")
    page.keyboard.press("Escape")
    until(page, "document.activeElement.localName === 'contact-center'")
    page.keyboard.press("Enter")
    expect(frame.locator(".composer textarea")).to_be_focused()


def test_arabic_runs_from_right_to_left(page: Page, agents: Callable[[str], Agent]) -> None:
    agent = agents("karim")  # speaks it
    wait_for_widget(page)
    page.evaluate("ContactCenter.language('ar')")
    frame = open_panel(page)
    expect(frame.locator("html")).to_have_attribute("dir", "rtl")
    expect(frame.get_by_role("heading")).to_have_text("كيف يمكننا مساعدتك؟")
    box = frame.frame_element().bounding_box()
    assert box
    assert box["x"] < 100
    start_chat(frame, "مرحبا، هل لديكم المقاس 38؟")
    agent.accept()
    assert agent.hears("مرحبا، هل لديكم المقاس 38؟")
    page.evaluate("ContactCenter.language('de')")
    expect(frame.locator(".composer textarea")).to_have_attribute("placeholder", "Nachricht schreiben")


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


def test_hostile_text_stays_text(page: Page, agent: Agent) -> None:
    frame = open_panel(page)
    start_chat(frame, XSS[0], name=XSS[1][:100])
    agent.accept()
    for text in XSS:
        agent.say(text)
        expect(frame.locator(".in .bubble").last).to_have_text(text)
        write(frame, text)
        agent.hears(text)
    assert frame.locator(".bubble :is(img, script, svg, b, iframe)").count() == 0
    assert frame.locator("[onerror], [onload], [onmouseover], a[href^=javascript]").count() == 0
    assert set(frame.locator(".bubble a").evaluate_all("all => all.map(a => a.protocol)")) <= {"https:", "http:"}


def test_files_go_with_a_message(page: Page, agent: Agent) -> None:
    frame = open_panel(page)
    start_chat(frame, "See the picture")
    agent.accept()
    frame.set_input_files(".composer input[type=file]", {"name": "boot.png", "mimeType": "image/png", "buffer": png()})
    expect(frame.locator(".chip")).to_contain_text("boot.png")
    expect(frame.locator(".send")).to_have_attribute("aria-disabled", "false")
    frame.locator(".send").click()
    expect(frame.locator(".out .picture img")).to_have_attribute("src", re.compile("^blob:"))
    expect(frame.locator(".chip")).to_have_count(0)
    carried = next_attachment(agent)
    assert carried["name"] == "boot.png"
    assert carried["content_type"] == "image/png"
    frame.set_input_files(
        ".composer input[type=file]",
        {"name": "evil.html", "mimeType": "text/html", "buffer": b"<script>alert(1)</script>"},
    )
    expect(frame.locator(".chip.failed")).to_be_visible()


def next_attachment(agent: Agent) -> dict[str, Any]:
    while True:
        for event in agent.events.values():
            if event.get("attachments"):
                found: dict[str, Any] = event["attachments"][0]
                return found
        agent.take(15)


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


def test_who_the_site_vouches_for_is_known_to_the_agent(page: Page, site: Site, agent: Agent) -> None:
    secret = site.manage(
        "shell", "-v", "0", "-c",
        "from contactcenter.models import Channel; print(Channel.objects.get(center__slug='acme', kind='web').identity_secret)",
    ).strip()  # fmt: skip
    expires = int(time.time()) + 600
    signature = hmac.new(secret.encode(), f"cust-42\n{expires}".encode(), hashlib.sha256).hexdigest()
    who = {"id": "cust-42", "name": "Ida Known", "email": "ida@example.com", "expires": expires, "signature": signature}
    wait_for_widget(page)
    page.evaluate("who => { ContactCenter.identify(who); ContactCenter.set({ plan: 'pro' }); }", who)
    frame = open_panel(page)
    expect(frame.locator("[name=message]")).to_be_visible()
    until(page, "Object.keys(localStorage).some(name => name.endsWith('.identity'))")
    expect(frame.locator("[name=name]")).to_have_count(0)
    for select in frame.locator("form select").all():
        select.select_option(index=1)
    frame.locator("[name=message]").fill("You know me")
    frame.locator("form button[type=submit]").click()
    expect(frame.locator(".out .bubble")).to_have_text("You know me")
    while not agent.invitations:
        agent.take(15)
    chat = agent.invitations[0]["chat"]
    assert chat["customer"]["is_identified"]
    assert chat["customer"]["name"] == "Ida Known"
    assert chat["data"]["plan"] == "pro"
    agent.accept()


def test_the_greeting_is_dismissed_for_good(page: Page) -> None:
    wait_for_widget(page)
    page.wait_for_timeout(2000)
    # Its cross stands at the end of the bubble above the launcher.
    page.keyboard.press("Shift+Tab")
    page.mouse.click(1280 - 20 - 22, 800 - 88 - 40)
    until(page, "Object.keys(localStorage).some(name => name.endsWith('.greeting'))")


def test_on_a_phone_it_fills_the_screen(site: Site, new_context: Callable[..., BrowserContext]) -> None:
    page = new_context(viewport={"width": 390, "height": 780}, is_mobile=True, has_touch=True).new_page()
    page.goto(f"{site.url}/demo/")
    frame = open_panel(page)
    box = frame.frame_element().bounding_box()
    assert box == {"x": 0, "y": 0, "width": 390, "height": 780}
    assert frame.evaluate("document.documentElement.scrollWidth") <= 390
    frame.get_by_role("button", name="Close").click()
    until(page, "document.activeElement.localName === 'contact-center'")


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed: npm install in tools/")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view_is_accessible(
    site: Site, agent: Agent, new_context: Callable[..., BrowserContext], scheme: Any
) -> None:
    page = new_context(color_scheme=scheme, reduced_motion="reduce").new_page()
    page.goto(f"{site.url}/demo/")
    frame = open_panel(page)
    expect(frame.get_by_role("button", name="Start the chat")).to_be_visible()
    assert violations(frame) == []
    start_chat(frame, "Is this readable?")
    assert violations(frame) == []
    agent.accept()
    agent.say("https://example.com/a is a link")
    expect(frame.locator(".in .bubble a")).to_be_visible()
    frame.get_by_role("button", name="More").click()
    assert violations(frame) == []
    agent.finish()
    expect(frame.locator(".stars")).to_be_visible()
    assert violations(frame) == []
    frame.get_by_role("button", name="Mail the transcript").click()
    assert violations(frame) == []
    page.keyboard.press("Escape")


def violations(frame: Frame) -> list[str]:
    frame.evaluate(AXE.read_text())
    found = frame.evaluate("axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })")
    return [f"{one['id']}: {json.dumps([node['html'][:120] for node in one['nodes']])}" for one in found["violations"]]
