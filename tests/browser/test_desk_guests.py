"""A colleague comes into a chat: asked from the transfer dialog, shown as a guest, heard by the customer, gone again."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Site
from tests.browser.customer import Customer
from tests.browser.desk import bubble, close, finish_all, set_status, sign_in, take, write

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def colleague(site: Site, new_context: Callable[..., BrowserContext]) -> Page:
    """Sofía's desk. She is away: no chats are offered to her, but she may be asked to join one."""
    page = new_context().new_page()
    sign_in(page, site, "sofia")
    set_status(page, "Away")
    return page


def ask_in(desk: Page) -> None:
    desk.keyboard.press("Escape")
    desk.locator(".thread-who").focus()
    desk.keyboard.press("t")
    desk.get_by_role("button", name="Invite Sofía Reyes to join").click()
    expect(desk.locator("dialog")).to_have_count(0)
    expect(desk.locator(".line-quiet", has_text="Sofía Reyes was asked to join").last).to_be_visible()


def test_a_colleague_joins_writes_and_leaves(desk: Page, colleague: Page, customers: Callable[..., Customer]) -> None:
    mia = customers("Gesa Together")
    take(desk, mia, "A tent and a legal question")
    ask_in(desk)
    card = colleague.locator(".invitation-guest")
    expect(card).to_contain_text("Gesa Together")
    expect(card).to_contain_text("Maya Lindgren")
    colleague.keyboard.press("a")
    expect(card).to_have_count(0)
    expect(colleague.locator(".thread-banner")).to_contain_text("You are a guest here. Maya Lindgren has this chat.")
    expect(colleague.locator(".row", has_text="Gesa Together").locator(".tag")).to_have_text("Guest")
    expect(colleague.get_by_role("button", name="Close chat")).to_have_count(0)
    write(colleague, "About the law: yes.")
    mia.hears("About the law: yes.")
    expect(bubble(desk, "About the law: yes.")).to_be_visible()
    expect(desk.locator(".thread-guests")).to_contain_text("Sofía Reyes")
    mia.say("Thank you both")
    expect(bubble(colleague, "Thank you both")).to_be_visible()
    colleague.get_by_role("button", name="Leave").click()
    expect(colleague.locator(".row", has_text="Gesa Together")).to_have_count(0)
    expect(desk.locator(".line-quiet", has_text="Sofía Reyes left")).to_be_visible()
    expect(desk.locator(".thread-guests")).to_have_count(0)
    write(desk, "Anything else?")
    mia.hears("Anything else?")


def test_a_colleague_says_no_and_one_who_stays_sees_the_end(
    desk: Page, colleague: Page, customers: Callable[..., Customer]
) -> None:
    mia = customers("Hanne Alone")
    take(desk, mia, "Hello from Hanne")
    ask_in(desk)
    colleague.locator(".invitation-guest").get_by_role("button", name="No").click()
    expect(colleague.locator(".invitation-guest")).to_have_count(0)
    expect(desk.locator(".line-quiet", has_text="Sofía Reyes did not join")).to_be_visible()
    ask_in(desk)
    colleague.locator(".invitation-guest").get_by_role("button", name="Join").click()
    expect(bubble(colleague, "Hello from Hanne")).to_be_visible()
    colleague.reload()
    expect(colleague.locator(".thread-banner")).to_contain_text("You are a guest here")
    close(desk)
    expect(colleague.locator(".thread-banner")).to_contain_text("This chat has ended")
    finish_all(colleague)
