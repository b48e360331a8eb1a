"""A real server with the demo's data, and a real browser."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.agent import Agent
from tests.browser.customer import Customer
from tests.browser.desk import finish_all, set_status, sign_in
from tests.browser.shop import end_chat
from tests.services.site import Site

ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    running = Site(tmp_path_factory.mktemp("site"))
    yield running
    running.stop()


def chromium_path() -> str | None:
    """The system's browser; None = the one that Playwright brought."""
    return next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS.split())
        yield browser
        browser.close()


class Complaints(list[str]):
    """What pages said to their consoles that no page of ours should say."""


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    """Errors of scripts, refusals by the content security policy and dialogs fail the test at its end."""
    found = Complaints()
    yield found
    assert not found


@pytest.fixture
def new_context(chromium: Browser, complaints: Complaints) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browser contexts (persons at their own machines) whose pages report to `complaints`."""
    contexts: list[BrowserContext] = []

    def listen(page: Page) -> None:
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on(
            "console",
            lambda message: complaints.append(message.text) if "Content Security Policy" in message.text else None,
        )

    def make(**options: Any) -> BrowserContext:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 800}, "locale": "en", **options})
        context.set_default_timeout(30_000)
        context.on("page", listen)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()


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


@pytest.fixture
def customers(site: Site) -> Iterator[Callable[..., Customer]]:
    made: list[Customer] = []

    def make(name: str = "Mia Berger") -> Customer:
        made.append(Customer(site.url, site.demo["widget_key"], name))
        return made[-1]

    yield make
    for customer in made:
        customer.close()


@pytest.fixture
def desk(site: Site, new_context: Callable[..., BrowserContext]) -> Iterator[Page]:
    """Maya's desk, online, with no chat on it."""
    page = new_context().new_page()
    sign_in(page, site)
    set_status(page, "Online")
    yield page
    finish_all(page)
    set_status(page, "Offline")
