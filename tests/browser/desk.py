"""An agent's browser: signing in, taking chats, writing, putting everything away again."""

from typing import TYPE_CHECKING, Any

from playwright.sync_api import Page, expect

from tests.browser.customer import Customer

if TYPE_CHECKING:
    from tests.browser.conftest import Site


def sign_in(page: Page, site: "Site", username: str = "maya") -> None:
    page.goto(f"{site.url}/desk/")
    page.fill("[name=login]", username)
    page.fill("[name=password]", site.seat(username)["password"])
    page.click("button[type=submit]")
    expect(page.locator(".link-live")).to_be_visible()


def set_status(page: Page, word: str) -> None:
    page.locator(".status").click()
    page.get_by_role("menuitemradio", name=word).click()
    expect(page.locator(".status-word")).to_have_text(word)


def finish_all(page: Page) -> None:
    page.locator(".tab", has_text="Mine").click()
    rows = page.locator(".row")
    while count := rows.count():
        rows.first.click()
        expect(rows.first).to_have_attribute("aria-current", "true")
        if page.get_by_role("button", name="Close chat").is_visible():
            close(page)
        page.get_by_role("button", name="Put away").click()
        # Drawn at the next frame: until then the row still stands there.
        expect(rows).to_have_count(count - 1)


def close(page: Page) -> None:
    page.get_by_role("button", name="Close chat").first.click()
    page.locator("dialog").get_by_role("button", name="Close chat").click()
    expect(page.locator(".thread-banner")).to_be_visible()


def take(page: Page, customer: Customer, text: str = "Hello, is anybody there?", **start: Any) -> None:
    customer.start(text, **start)
    invitation = page.locator(".invitation", has_text=customer.name)
    expect(invitation).to_be_visible()
    invitation.get_by_role("button", name="Accept").click()
    expect(page.locator(".thread-who b")).to_have_text(customer.name)
    expect(bubble(page, text)).to_be_visible()


def bubble(page: Page, text: str) -> Any:
    return page.locator(".bubble", has_text=text)


def write(page: Page, text: str) -> None:
    page.locator("#composer").fill(text)
    page.locator("#composer").press("Enter")
