"""The desk beyond answering: supervisors, customers' records, messages from outside hours, an agent's own settings."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Site
from tests.browser.customer import Customer
from tests.browser.desk import bubble, close, finish_all, set_status, sign_in, take, write

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# What the browser would show and play, counted instead; the page believes that it is hidden while `away` is set.
ALERTS = """
window.called = []; window.bells = 0; window.away = false;
window.Notification = class { static permission = "granted"; constructor(title) { window.called.push(title); } };
Object.defineProperty(document, "hidden", { get: () => window.away });
OscillatorNode.prototype.start = () => { window.bells += 1; };
OscillatorNode.prototype.stop = () => {};
"""


@pytest.fixture
def supervisor(site: Site, new_context: Callable[..., BrowserContext]) -> Page:
    """Noah's desk. He is away: chats are offered to others."""
    page = new_context().new_page()
    sign_in(page, site, "noah")
    set_status(page, "Away")
    return page


def open_row(page: Page, tab: str, name: str) -> None:
    page.locator(".tab", has_text=tab).click()
    page.locator(".row", has_text=name).click()


def test_a_supervisor_gives_a_waiting_chat_to_somebody(
    site: Site, supervisor: Page, customers: Callable[..., Customer], new_context: Callable[..., BrowserContext]
) -> None:
    sofia = new_context().new_page()
    sign_in(sofia, site, "sofia")
    set_status(sofia, "Away")
    wanda = customers("Wanda Waits")
    wanda.start("Is anybody there?")
    open_row(supervisor, "Team queue", "Wanda Waits")
    supervisor.get_by_role("button", name="Transfer").click()
    dialog = supervisor.locator("dialog")
    dialog.get_by_role("radio", name="Sofía Reyes").check()
    dialog.get_by_label("Note for whoever takes over").fill("Knows our tents")
    dialog.get_by_role("button", name="Transfer").click()
    open_row(sofia, "Mine", "Wanda Waits")
    expect(sofia.locator(".group-note")).to_contain_text("Knows our tents")
    write(sofia, "Sofía here.")
    wanda.hears("Sofía here.")
    assert "Knows our tents" not in str(wanda.frames)
    finish_all(sofia)


def test_a_supervisor_reads_along_and_writes_to_the_team_alone(
    desk: Page, supervisor: Page, customers: Callable[..., Customer]
) -> None:
    mia = customers("Ida Watched")
    take(desk, mia, "Hello from Ida")
    open_row(supervisor, "All", "Ida Watched")
    expect(bubble(supervisor, "Hello from Ida")).to_be_visible()
    expect(supervisor.locator(".thread-banner")).to_contain_text("Maya Lindgren is in this chat")
    mia.say("Are you still there?")
    expect(bubble(supervisor, "Are you still there?")).to_be_visible()
    expect(supervisor.get_by_role("tab", name="Reply")).to_have_count(0)
    write(supervisor, "Give her a discount")
    expect(desk.locator(".group-note", has_text="Give her a discount")).to_contain_text("Noah Okafor")
    write(desk, "Yes, I am.")
    mia.hears("Yes, I am.")
    expect(bubble(supervisor, "Yes, I am.")).to_be_visible()
    assert "discount" not in str(mia.frames)


def test_a_blocked_customer_is_out_until_unblocked(desk: Page, customers: Callable[..., Customer]) -> None:
    mia = customers("Bo Rude")
    take(desk, mia)
    desk.get_by_role("button", name="Block this customer").click()
    desk.locator("dialog").get_by_label("Why").fill("Insults")
    desk.locator("dialog").get_by_role("button", name="Block this customer").click()
    expect(desk.locator(".banner-danger")).to_have_text("This customer is blocked")
    expect(desk.locator(".thread-banner")).to_be_visible()
    mia.send({"type": "start", "ref": "again", "client_id": uuid.uuid4().hex, "text": "Hey"})
    assert mia.wait(lambda frame: frame.get("ref") == "again")["code"] == "blocked"
    desk.get_by_role("button", name="Unblock this customer").click()
    desk.locator("dialog").get_by_role("button", name="Unblock this customer").click()
    expect(desk.locator(".banner-danger")).to_have_count(0)
    take(desk, mia, "Sorry for that")


def test_a_closed_chat_is_reopened(desk: Page, customers: Callable[..., Customer]) -> None:
    mia = customers("Rea Open")
    take(desk, mia)
    close(desk)
    expect(desk.locator("#composer")).to_have_count(0)
    desk.get_by_role("button", name="Reopen").click()
    expect(desk.locator("#composer")).to_be_visible()
    write(desk, "One more thing.")
    mia.hears("One more thing.")


def test_a_customers_details_are_changed_everywhere(desk: Page, customers: Callable[..., Customer]) -> None:
    take(desk, customers("Edi Tme"))
    desk.get_by_role("button", name="Edit customer").click()
    dialog = desk.locator("dialog")
    dialog.get_by_label("Name").fill("Edith Meyer")
    dialog.get_by_label("Email").fill("edith@example.com")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    notes = desk.get_by_role("textbox", name="Notes")
    notes.press_sequentially("Prefers green")
    with desk.expect_response(lambda answer: answer.request.method == "PATCH" and answer.ok):
        notes.blur()
    for where in (".thread-who b", ".customer h2", ".row b"):
        expect(desk.locator(where)).to_have_text("Edith Meyer")
    expect(desk.locator(".line-quiet", has_text="Customer details changed")).to_have_count(1)
    desk.reload()
    expect(desk.locator(".customer h2")).to_have_text("Edith Meyer")
    expect(desk.locator(".customer")).to_contain_text("edith@example.com")
    expect(desk.get_by_role("textbox", name="Notes")).to_have_value("Prefers green")


def test_two_records_of_one_person_become_one(desk: Page, customers: Callable[..., Customer]) -> None:
    take(desk, customers("Zelda Before"), "From last year")
    finish_all(desk)
    take(desk, customers("Zelda Now"), "From today")
    expect(desk.locator(".customer")).to_contain_text("This is the first one.")
    desk.get_by_role("button", name="Merge with another record").click()
    dialog = desk.locator("dialog")
    dialog.get_by_role("searchbox").fill("Nobody of this name")
    expect(dialog).to_contain_text("Nobody else is found")
    dialog.get_by_role("searchbox").fill("zelda")
    dialog.locator(".option", has_text="Zelda Before").click()
    expect(dialog.get_by_label("Zelda Now")).to_be_checked()
    expect(dialog).to_contain_text("The chats of Zelda Before move to Zelda Now")
    dialog.get_by_label("Zelda Before").check()
    expect(dialog).to_contain_text("The chats of Zelda Now move to Zelda Before")
    dialog.get_by_role("button", name="Merge", exact=True).click()
    expect(dialog).to_have_count(0)
    for where in (".thread-who b", ".customer h2", ".row b"):
        expect(desk.locator(where)).to_have_text("Zelda Before")
    desk.locator(".earlier-item").click()
    expect(bubble(desk, "From last year")).to_be_visible()


def test_two_records_with_open_chats_stay_two(desk: Page, customers: Callable[..., Customer]) -> None:
    take(desk, customers("Otto Open"))
    take(desk, customers("Otto Other"))
    desk.get_by_role("button", name="Merge with another record").click()
    dialog = desk.locator("dialog")
    dialog.get_by_role("searchbox").fill("otto open")
    dialog.locator(".option", has_text="Otto Open").click()
    dialog.get_by_role("button", name="Merge", exact=True).click()
    expect(desk.locator(".toast")).to_contain_text("Both customers have a chat open")
    desk.keyboard.press("Escape")
    expect(desk.locator(".thread-who b")).to_have_text("Otto Other")


def test_half_a_note_comes_back_as_a_note(desk: Page, customers: Callable[..., Customer]) -> None:
    mia = customers("Nora Tell")
    take(desk, mia)
    desk.get_by_role("tab", name="Private note").click()
    desk.locator("#composer").fill("Do not tell her that")
    desk.reload()
    expect(desk.locator("#composer")).to_have_value("Do not tell her that")
    desk.locator("#composer").press("Enter")
    expect(desk.locator(".group-note")).to_contain_text("Do not tell her that")
    desk.get_by_role("tab", name="Reply").click()
    write(desk, "All is well.")
    mia.hears("All is well.")
    assert "Do not tell" not in str(mia.frames)


def test_a_message_from_outside_hours_is_read_and_handled(
    desk: Page, site: Site, customers: Callable[..., Customer]
) -> None:
    body = {
        "client_id": uuid.uuid4().hex,
        "name": "Nia Night",
        "email": "nia@example.com",
        "text": "Call me <b>now</b>",
    }
    headers = {"Authorization": f"Bearer {customers().token}", "Origin": site.url}
    httpx.post(f"{site.url}/api/v1/widget/offline-messages", json=body, headers=headers, timeout=30).raise_for_status()
    desk.get_by_role("tab", name="Offline messages").click()
    desk.locator(".row", has_text="Nia Night").click()
    expect(desk.locator(".thread .bubble")).to_have_text("Call me <b>now</b>")
    expect(desk.get_by_role("link", name="nia@example.com")).to_have_attribute("href", "mailto:nia@example.com")
    desk.get_by_role("button", name="Mark as done").click()
    expect(desk.locator(".row", has_text="Nia Night")).to_have_count(0)
    desk.reload()
    desk.get_by_role("tab", name="Offline messages").click()
    expect(desk.locator(".list .blank")).to_be_visible()


def test_sounds_and_notifications_are_the_agents_choice(
    site: Site, new_context: Callable[..., BrowserContext], customers: Callable[..., Customer]
) -> None:
    context = new_context()
    context.add_init_script(ALERTS)
    page = context.new_page()
    sign_in(page, site)
    set_status(page, "Online")
    page.evaluate("away = true")
    customers("Loud One").start("Hello")
    expect(page.locator(".invitation")).to_be_visible()
    expect(page).to_have_title(re.compile(r"^\(1\) New chat"))
    assert page.evaluate("called") == ["New chat for you"]
    assert page.evaluate("bells") > 0
    page.locator(".invitation").get_by_role("button", name="Accept").click()
    choose(page, "Sounds are on")
    choose(page, "Notifications are on")
    page.reload()
    expect(page.locator(".link-live")).to_be_visible()
    page.locator("body").click(position={"x": 5, "y": 5})
    page.evaluate("away = true")
    customers("Quiet One").start("Hello")
    expect(page.locator(".invitation")).to_be_visible()
    page.wait_for_timeout(300)
    assert page.evaluate("[called.length, bells]") == [0, 0]
    page.locator(".invitation").get_by_role("button", name="Accept").click()
    choose(page, "Notifications are off")
    choose(page, "Sounds are off")
    page.evaluate("away = false")
    finish_all(page)
    set_status(page, "Offline")


def choose(page: Page, word: str) -> None:
    menu = page.locator("summary[aria-label=Menu]")
    menu.click()
    page.get_by_role("button", name=word).click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name=word)).to_be_hidden()


def test_who_signs_out_in_one_window_is_out_in_the_other(site: Site, new_context: Callable[..., Any]) -> None:
    context = new_context()
    first, second = context.new_page(), context.new_page()
    sign_in(first, site, "karim")
    second.goto(f"{site.url}/desk/")
    expect(second.locator(".link-live")).to_be_visible()
    first.locator("summary[aria-label=Menu]").click()
    first.get_by_role("button", name="Sign out").click()
    expect(second.locator(".strip")).to_contain_text("You were signed out", timeout=4_000)
