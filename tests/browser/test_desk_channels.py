"""A chat that a connector carries, on the desk: links, addressees, what the customer's side whispers, what is not delivered yet."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, Request, Route, expect

from tests.browser.conftest import Site
from tests.browser.desk import bubble, finish_all, sign_in, write

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ELSEWHERE = "**://*.example*/**"


def run(site: Site, code: str) -> str:
    return site.manage("shell", "-v", "0", "-c", f"from tests.browser.carrying import *; {code}").strip()


@pytest.fixture
def asked() -> list[Request]:
    """What was asked of hosts that are not ours."""
    return []


@pytest.fixture
def desk(site: Site, new_context: Callable[..., BrowserContext], asked: list[Request]) -> Iterator[Page]:
    def answer(route: Route) -> None:
        asked.append(route.request)
        route.fulfill(body="a page elsewhere", content_type="text/html")

    context = new_context()
    context.route(ELSEWHERE, answer)
    page = context.new_page()
    sign_in(page, site)
    yield page
    finish_all(page)


@pytest.fixture
def chat(site: Site, desk: Page) -> str:
    """Made in another process, whose announcements do not reach the server: the desk finds it at the next look."""
    made = run(site, "print(make())")
    desk.locator(f'.row[data-chat="{made}"]').click()
    expect(bubble(desk, "Here is the receipt")).to_be_visible()
    return made


def test_a_link_is_a_card_that_is_opened_by_hand_alone(desk: Page, chat: str, asked: list[Request]) -> None:
    cards = desk.locator(".group-in:not(.group-note) a.linked")
    expect(cards).to_have_count(2)
    expect(cards.first).to_contain_text("receipt.png")
    expect(cards.first).to_contain_text("files.example.com · external link")
    expect(cards.last.locator("b")).to_have_text("xn--bnk-6cd.example:8443")
    assert {card.get_attribute("rel") for card in cards.all()} == {"noopener noreferrer"}
    expect(desk.locator(".group-to")).to_have_text("to Maya Lindgren")
    assert asked == []
    cards.first.focus()
    with desk.context.expect_page() as opened:
        desk.keyboard.press("Enter")
    expect(opened.value.locator("body")).to_have_text("a page elsewhere")
    assert opened.value.evaluate("[window.opener, document.referrer]") == [None, ""]
    assert [request.url for request in asked] == ["https://files.example.com/receipt.png?of=20931"]
    opened.value.close()


def test_a_whisper_of_the_customers_side_is_nobodys_message(desk: Page, chat: str) -> None:
    whisper = desk.locator(".group-whisper")
    expect(whisper.locator(".group-head")).to_contain_text("From the customer’s side, for staff alone")
    expect(whisper.locator(".bubble-note")).to_contain_text("Likely fraud")
    expect(whisper.locator("a.linked")).to_have_count(1)
    expect(desk.locator(".bubble-in", has_text="Likely fraud")).to_have_count(0)
    expect(desk.locator(f'.row[data-chat="{chat}"] .row-text')).to_have_text("Here is the receipt")


def test_own_parameters_of_any_shape_are_read_like_a_list(desk: Page, chat: str) -> None:
    pane = desk.locator("aside.customer")
    expect(pane.locator(".fact", has_text="Channel").first).to_contain_text("SMS by connector")
    expect(pane.locator(".fact", has_text="Account")).to_contain_text("+49 170 1234567")
    own = pane.locator("dl.pairs").first
    expect(own.locator("dd", has_text="boot-42").last).to_be_visible()
    expect(own).not_to_contain_text("{")
    text = own.locator("details div")
    expect(text).to_be_hidden()
    own.locator("summary").click()
    expect(text).to_be_visible()


def test_what_waits_for_a_connector_is_told_until_it_has_it(desk: Page, chat: str, site: Site) -> None:
    row, sent = desk.locator(f'.row[data-chat="{chat}"]'), desk.locator(".group-out .sent").last
    expect(row.locator(".row-meta")).to_contain_text("SMS")
    expect(desk.locator(".thread-channel")).to_have_text("SMS by connector")
    banner = desk.locator(".undelivered")
    expect(banner).to_contain_text("SMS is not connected since")
    write(desk, "It is on its way")
    expect(sent).to_have_text("Not delivered yet")
    run(site, f"come('{chat}')")
    expect(banner).to_have_count(0)
    expect(sent).to_have_text("Delivered")
    desk.reload()
    row.click()
    expect(sent).to_have_text("Delivered")
    run(site, f"go('{chat}')")
    write(desk, "Are you there?")
    expect(banner).to_be_visible()
    expect(sent).to_have_text("Not delivered yet")
