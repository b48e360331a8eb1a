"""The widget for everybody and against anybody: origins, hostile text, proven identities, keys, languages, phones, accessibility."""

import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Frame, Page, expect

from tests.browser.agent import Agent
from tests.browser.conftest import Site
from tests.browser.shop import (
    another_site,
    configure,
    open_panel,
    panel,
    png,
    start_chat,
    stored,
    until,
    wait_for_widget,
    write,
)
from tests.browser.test_desk import SCRIPTS_RUN, XSS, watch_scripts
from tests.plugin_figures import Figures

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AXE = Path(__file__).resolve().parents[2] / "tools/node_modules/axe-core/axe.min.js"


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
    # The page's own focus says nothing: panel and launcher are both within the same element.
    expect(frame.locator(".composer textarea")).to_be_hidden()
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


def test_hostile_text_stays_text(page: Page, agent: Agent, figures: Figures) -> None:
    ran = watch_scripts(page)
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
    figures.count(SCRIPTS_RUN, found=len(ran), tried=len(XSS) * 2 + 1)  # said by both sides; and the first message
    assert not ran


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
    frame.locator(".composer textarea").fill("Ida's own half thought")
    page.wait_for_timeout(500)
    signature = hmac.new(secret.encode(), f"cust-43\n{expires}".encode(), hashlib.sha256).hexdigest()
    page.evaluate("who => ContactCenter.identify(who)", who | {"id": "cust-43", "name": "Otto", "signature": signature})
    expect(frame.get_by_role("button", name="Start the chat")).to_be_visible()
    expect(frame.locator("body")).not_to_contain_text("You know me")
    page.wait_for_timeout(500)
    assert stored(page, "draft") is None
    assert stored(page, "identity") == "cust-43"
    agent.finish()


# What the launcher looks like is hidden from every page, this one too; so the shadow is opened before it is made.
OPEN_SHADOWS = """const attach = Element.prototype.attachShadow;
Element.prototype.attachShadow = function () { return attach.call(this, { mode: "open" }); };"""


def looker(site: Site, new_context: Callable[..., BrowserContext], **options: Any) -> Page:
    """A page whose launcher can be looked at."""
    context = new_context(reduced_motion="reduce", **options)
    context.add_init_script(OPEN_SHADOWS)
    page = context.new_page()
    page.goto(f"{site.url}/demo/")
    return page


@pytest.mark.parametrize("way", ["sent away", "came in by it"])
def test_the_greeting_is_dismissed_for_good(site: Site, new_context: Callable[..., BrowserContext], way: str) -> None:
    page = looker(site, new_context)
    greeting = page.locator(".greeting")
    expect(greeting).to_be_visible()
    if way == "sent away":
        greeting.get_by_role("button", name="Dismiss").click()
        until(page, "document.activeElement.localName === 'contact-center'")
    else:
        greeting.locator(".say").click()
        panel(page)
    expect(greeting).to_have_count(0)
    page.goto(f"{site.url}/demo/boots/")
    expect(page.locator(".launcher")).to_be_visible()
    page.wait_for_timeout(2000)
    expect(greeting).to_have_count(0)


def test_the_launcher_says_what_it_is_for(site: Site, new_context: Callable[..., BrowserContext]) -> None:
    page = looker(site, new_context)
    launcher = page.locator(".launcher")
    expect(launcher).to_have_attribute("title", "Chat with us")
    expect(launcher).to_have_accessible_name("Chat with us")
    page.evaluate("ContactCenter.language('ar')")
    expect(launcher).to_have_accessible_name("تحدث معنا")
    launcher.click()
    panel(page)
    expect(launcher).to_have_attribute("aria-expanded", "true")


def test_on_a_phone_it_fills_the_screen(site: Site, new_context: Callable[..., BrowserContext]) -> None:
    page = new_context(viewport={"width": 390, "height": 780}, is_mobile=True, has_touch=True).new_page()
    page.goto(f"{site.url}/demo/")
    frame = open_panel(page)
    box = frame.frame_element().bounding_box()
    assert box == {"x": 0, "y": 0, "width": 390, "height": 780}
    assert frame.evaluate("document.documentElement.scrollWidth") <= 390
    frame.get_by_role("button", name="Close").click()
    until(page, "document.activeElement.localName === 'contact-center'")


@pytest.mark.axe
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
