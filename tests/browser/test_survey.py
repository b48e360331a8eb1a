"""The rating page as a customer meets it: on a phone, by keyboard, in the dark."""

import json
from collections.abc import Callable
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Site
from tests.browser.test_widget_safety import AXE

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHONE = {"width": 320, "height": 568}


class Integrator:
    """A server that speaks HyperChat to the site."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.keys = site.demo["hyperchat_queue"]

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"x-hyper-appId": self.keys["app_id"], "x-hyper-secret": self.keys["secret"]}
        headers["Content-Type"] = "application/json"
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{self.site.url}/v1/{path}", data, headers, method=method), timeout=30) as answer:
            return json.load(answer)

    def begin(self) -> str:
        user = self.call("POST", "users", {"name": "Mia"})["user"]["id"]
        chat: str = self.call("POST", "chats", {"room": self.keys["room"], "creator": user})["chat"]["id"]
        return chat

    def survey(self, chat: str) -> str:
        url: str = self.call("GET", f"surveys/1?sourceType=ticket&sourceId={chat}")["survey"]["url"]
        return url


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_customer_rates_by_keyboard_on_a_small_phone(
    site: Site, new_context: Callable[..., BrowserContext], scheme: Any
) -> None:
    integrator = Integrator(site)
    chat = integrator.begin()
    page = new_context(viewport=PHONE, color_scheme=scheme).new_page()
    page.goto(integrator.survey(chat))
    expect(page.get_by_role("heading")).to_have_text("The chat is still open")
    integrator.call("DELETE", f"chats/{chat}")
    page.get_by_role("link", name="Look again").click()
    expect(page.get_by_role("heading")).to_have_text("How was the chat?")
    fits(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="4 of 5: Good")).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.type("Quick <b>and</b> kind")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading")).to_have_text("Thank you for telling us")
    expect(page.get_by_role("img", name="4 of 5")).to_be_visible()
    expect(page.get_by_text("Quick <b>and</b> kind")).to_be_visible()
    fits(page)
    page.get_by_role("link", name="Change the rating").click()
    expect(page.get_by_role("radio", name="4 of 5: Good")).to_be_checked()


@pytest.mark.axe
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_state_is_accessible(site: Site, new_context: Callable[..., BrowserContext], scheme: Any) -> None:
    integrator = Integrator(site)
    chat = integrator.begin()
    url = integrator.survey(chat)
    page = new_context(color_scheme=scheme, reduced_motion="reduce", bypass_csp=True).new_page()
    page.goto(url)
    assert violations(page) == []
    integrator.call("DELETE", f"chats/{chat}")
    page.goto(url)
    assert violations(page) == []
    page.get_by_role("radio", name="5 of 5").check(force=True)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading")).to_have_text("Thank you for telling us")
    assert violations(page) == []


def fits(page: Page) -> None:
    """Nothing is wider than the screen, and what is touched is large enough."""
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    for button in page.locator(".button, .mark").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })")
    return [f"{one['id']}: {json.dumps([node['html'][:120] for node in one['nodes']])}" for one in found["violations"]]
