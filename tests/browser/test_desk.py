"""The desk in a real browser, with customers on the other side of a real server."""

import re
import signal
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Site
from tests.browser.customer import Customer
from tests.browser.desk import bubble, close, finish_all, set_status, sign_in, take, write
from tests.plugin_figures import Figures

pytestmark = [pytest.mark.browser, pytest.mark.slow]

XSS = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "javascript:alert(1)",
    '"><svg onload=alert(1)>',
    "${alert(1)} {{7*7}} <b>bold</b>",
    'https://example.com/"onmouseover="alert(1)',
    "<a href='javascript:alert(1)'>x</a>",
    "\u202eright to left\u202c",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "&lt;img src=x onerror=alert(1)&gt; [x](javascript:alert(1))",
    "<style>@import 'data:text/css,*{color:red}'</style></textarea><details open ontoggle=alert(1)>",
]

SCRIPTS_RUN = "scripts in texts that ran or were stopped by the policy alone"


def watch_scripts(page: Page) -> list[str]:
    """What a text of XSS would do if it were taken for markup, and what only the browser's policy kept from running."""
    ran: list[str] = []
    page.on("dialog", lambda dialog: (ran.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda said: ran.append(said.text) if "Content Security Policy" in said.text else None)
    return ran


def test_a_chat_from_invitation_to_close(desk: Page, customers: Callable[..., Customer]) -> None:
    mia = customers()
    take(desk, mia, "Do you have the boots in 38?")
    expect(desk.locator(".slots")).to_contain_text("1 of")
    write(desk, "Yes, we do.")
    mia.hears("Yes, we do.")
    expect(desk.locator(".group-out .sent").last).to_be_visible()
    mia.send({"type": "typing", "chat": mia.chat["id"], "active": True, "text": "And in gre"})
    expect(desk.locator(".typing-text")).to_have_text("And in gre")
    mia.say("And in green?")
    expect(bubble(desk, "And in green?")).to_be_visible()
    expect(desk.locator(".typing-text")).to_have_count(0)
    close(desk)
    mia.wait(lambda frame: any(event["type"] == "chat.closed" for event in frame.get("events", [])))
    assert mia.texts() == ["Do you have the boots in 38?", "Yes, we do.", "And in green?"]


def test_a_private_note_stays_with_the_team(desk: Page, customers: Callable[..., Customer]) -> None:
    mia = customers()
    take(desk, mia)
    desk.get_by_role("tab", name="Private note").click()
    write(desk, "NOTE-MARKER: be generous")
    note = desk.locator(".group-note", has_text="NOTE-MARKER")
    expect(note).to_contain_text("Only your team sees this")
    desk.get_by_role("tab", name="Reply").click()
    write(desk, "One moment.")
    mia.hears("One moment.")
    assert "NOTE-MARKER" not in str(mia.frames)


def test_keys_do_what_help_says(desk: Page, customers: Callable[..., Customer]) -> None:
    mia = customers("Kim Keys")
    mia.start("Keys, please")
    expect(desk.locator(".invitation")).to_be_visible()
    desk.locator("body").press("a")
    expect(desk.locator(".thread-who b")).to_have_text("Kim Keys")
    desk.locator("body").press("n")
    expect(desk.locator("#composer")).to_be_focused()
    expect(desk.locator(".composer-note")).to_be_visible()
    desk.keyboard.press("Escape")
    desk.keyboard.press("?")
    expect(desk.locator("dialog")).to_contain_text("Next and previous chat")
    desk.keyboard.press("Escape")
    expect(desk.locator("dialog")).to_have_count(0)
    desk.keyboard.press("Control+k")
    expect(desk.locator(".palette input")).to_be_focused()
    desk.keyboard.type("dark")
    desk.keyboard.press("Enter")
    expect(desk.locator("html")).to_have_attribute("data-theme", "dark")
    expect(desk.locator("dialog")).to_have_count(0)
    desk.keyboard.press("t")
    expect(desk.locator("dialog")).to_contain_text("Transfer this chat")
    desk.keyboard.press("Escape")
    expect(desk.locator("dialog")).to_have_count(0)
    desk.keyboard.press("e")
    expect(desk.locator("dialog")).to_contain_text("Close this chat")
    desk.keyboard.press("Escape")


def test_a_declined_chat_rings_elsewhere(
    desk: Page, site: Site, customers: Callable[..., Customer], new_context: Any
) -> None:
    other = new_context().new_page()
    sign_in(other, site, "noah")
    mia = customers("Dee Cline")
    mia.start("Anyone?")
    expect(desk.locator(".invitation")).to_be_visible()
    set_status(other, "Online")
    desk.locator(".invitation").get_by_role("button", name="Decline").click()
    expect(desk.locator(".invitation")).to_have_count(0)
    other.locator(".invitation").get_by_role("button", name="Accept").click()
    expect(bubble(other, "Anyone?")).to_be_visible()
    finish_all(other)
    set_status(other, "Offline")


def test_a_transfer_with_a_note(desk: Page, site: Site, customers: Callable[..., Customer], new_context: Any) -> None:
    mia = customers("Tess Handover")
    take(desk, mia)
    other = new_context().new_page()
    sign_in(other, site, "noah")
    set_status(other, "Online")
    desk.get_by_role("button", name="Transfer").click()
    dialog = desk.locator("dialog")
    dialog.get_by_role("radio", name="Noah Okafor").check()
    dialog.get_by_label("Note for whoever takes over").fill("Knows about boots")
    dialog.get_by_role("button", name="Transfer").click()
    expect(desk.locator(".row")).to_have_count(0)
    other.locator(".invitation").get_by_role("button", name="Accept").click()
    expect(other.locator(".group-note")).to_contain_text("Knows about boots")
    write(other, "Noah here.")
    mia.hears("Noah here.")
    assert "Knows about boots" not in str(mia.frames)
    finish_all(other)
    set_status(other, "Offline")


def test_canned_replies_by_slash(desk: Page, customers: Callable[..., Customer]) -> None:
    mia = customers()
    take(desk, mia)
    desk.locator("#composer").fill("/")
    expect(desk.locator(".slash-item").first).to_be_visible()
    desk.locator("#composer").press("Enter")
    expect(desk.locator("#composer")).to_have_value(re.compile(".{5,}"))
    text = desk.locator("#composer").input_value()
    assert "{" not in text
    desk.locator("#composer").press("Enter")
    mia.hears(text.strip())


def test_a_file_both_ways(desk: Page, customers: Callable[..., Customer]) -> None:
    mia = customers()
    take(desk, mia)
    desk.set_input_files(
        ".composer input[type=file]", {"name": "note.txt", "mimeType": "text/plain", "buffer": b"plain words"}
    )
    expect(desk.locator(".upload-done")).to_contain_text("note.txt")
    desk.locator(".composer-foot .button-primary").click()
    expect(desk.locator(".group-out .file")).to_contain_text("note.txt")
    mia.wait(lambda frame: any(event.get("attachments") for event in frame.get("events", [])))


def test_a_draft_and_the_place_survive_a_reload(desk: Page, customers: Callable[..., Customer]) -> None:
    take(desk, customers("Rae Load"))
    desk.locator("#composer").fill("half a thought")
    desk.reload()
    expect(desk.locator(".thread-who b")).to_have_text("Rae Load")
    expect(desk.locator("#composer")).to_have_value("half a thought")
    desk.locator("#composer").fill("")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_after_a_restart_every_event_stands_once_and_in_order(
    desk: Page, site: Site, customers: Callable[..., Customer], number: int
) -> None:
    mia = customers("Ray Start")
    take(desk, mia, "one")
    write(desk, "two")
    mia.hears("two")
    site.stop(number)
    expect(desk.locator(".link-stale")).to_be_visible()
    write(desk, "three, written without a connection")
    expect(desk.locator(".group-pending")).to_contain_text("three")
    site.start()
    mia.connect()
    expect(desk.locator(".link-live")).to_be_visible(timeout=40_000)
    mia.hears("three, written without a connection")
    mia.say("four")
    expect(bubble(desk, "four")).to_be_visible()
    expect(desk.locator(".group-pending")).to_have_count(0)
    texts = [re.sub(r"\s+", " ", text).strip() for text in desk.locator(".bubble[data-position]").all_inner_texts()]
    texts.remove(next(text for text in texts if text.startswith("Hi, and thanks")))  # the team's greeting
    assert texts == ["one", "two", "three, written without a connection", "four"] == mia.texts()
    positions = [
        int(place) for place in desk.locator("[data-position]").evaluate_all("all => all.map(e => e.dataset.position)")
    ]
    assert positions == sorted(set(positions))


def test_a_refused_message_says_so_and_can_be_discarded(desk: Page, customers: Callable[..., Customer]) -> None:
    mia = customers("Clo Sing")
    take(desk, mia)
    desk.evaluate("document.getElementById('composer').maxLength = 20000")
    write(desk, "x" * 10_001)
    expect(desk.locator(".group-failed")).to_contain_text("Not sent")
    desk.locator(".group-failed").get_by_role("button", name="Discard").click()
    expect(desk.locator(".group-failed")).to_have_count(0)


def test_hostile_text_stays_text(desk: Page, customers: Callable[..., Customer], figures: Figures) -> None:
    ran = watch_scripts(desk)
    for text in XSS:
        mia = customers(text[:100])
        mia.start(text, subject=text, data={text[:40]: text})
        expect(desk.locator(".invitation")).to_be_visible()
        desk.locator(".invitation").get_by_role("button", name="Accept").click()
        expect(desk.locator(".thread-who b")).to_have_text(text)
        expect(desk.locator(".bubble-in").first).to_have_text(text)
        assert desk.locator(".bubble img, .bubble script, .bubble svg, .bubble b, a[href^=javascript]").count() == 0
        assert desk.locator("[onerror], [onload], [onmouseover]").count() == 0
        finish_all(desk)
    figures.count(SCRIPTS_RUN, found=len(ran), tried=len(XSS) * 5)  # name, message, subject, name and value of the data
    assert not ran


def test_the_queue_can_be_picked_from(desk: Page, customers: Callable[..., Customer]) -> None:
    set_status(desk, "Away")
    pat = customers("Pat Pick")
    pat.start("I can wait")
    desk.locator(".tab", has_text="Team queue").click()
    desk.locator(".row", has_text="Pat Pick").click()
    expect(bubble(desk, "I can wait")).to_be_visible()
    desk.get_by_role("button", name="Take this chat").click()
    write(desk, "Picked.")
    pat.hears("Picked.")


def test_why_this_agent_is_told_in_plain_words(desk: Page, customers: Callable[..., Customer]) -> None:
    take(desk, customers("Wai Nott"))
    desk.locator(".why").first.click()
    expect(desk.locator("dialog")).to_contain_text("Maya Lindgren was chosen")
    desk.keyboard.press("Escape")


def test_on_a_phone_one_column_at_a_time(site: Site, desk: Page, customers: Callable[..., Customer]) -> None:
    take(desk, customers("Pho Ne"))
    desk.set_viewport_size({"width": 390, "height": 844})
    expect(desk.locator(".list")).to_be_hidden()
    desk.locator(".thread-who").click()
    expect(desk.locator(".customer")).to_be_visible()
    desk.locator(".customer").get_by_role("button", name="Back").click()
    expect(desk.locator("#composer")).to_be_visible()
    desk.go_back()
    expect(desk.locator(".list")).to_be_visible()
    assert desk.evaluate("document.documentElement.scrollWidth") <= 390
    desk.set_viewport_size({"width": 1280, "height": 800})


def test_who_is_signed_out_is_told_and_loses_no_word(site: Site, new_context: Callable[..., BrowserContext]) -> None:
    context = new_context()
    page = context.new_page()
    sign_in(page, site, "sofia")
    context.clear_cookies()
    site.stop()
    site.start()
    expect(page.locator(".strip")).to_contain_text("You were signed out", timeout=40_000)
    page.locator(".strip a").click()
    expect(page.locator("[name=login]")).to_be_visible()


ERASE = """
from django.utils import timezone
from chats.actions.erase import erase_customer
from chats.models import Customer
from contactcenter.models import User
erase_customer(Customer.objects.get(pk="{customer}"), by=User.objects.first(), now=timezone.now())
"""


def test_nothing_that_an_erased_customer_said_stays_on_a_desk(
    site: Site, desk: Page, customers: Callable[..., Customer]
) -> None:
    mia = customers()
    take(desk, mia, "My card ends in 4242.")
    write(desk, "I am looking, Mia.")
    mia.hears("I am looking, Mia.")
    panel = desk.locator(".customer")
    expect(panel.get_by_role("button", name="Block this customer")).to_be_visible()
    customer = desk.evaluate(
        "async (id) => (await (await fetch(`/api/v1/chats/${id}`)).json()).customer.id", mia.chat["id"]
    )
    site.manage("shell", "-c", ERASE.format(customer=customer))
    expect(desk.locator(".bubble-erased")).to_have_count(3)  # with the greeting
    expect(panel.get_by_text("This customer was erased")).to_be_visible()
    for words in ("4242", "I am looking", mia.name):
        expect(desk.get_by_text(words)).to_have_count(0)
    for button in ("Block this customer", "Merge with another record", "Reopen"):
        expect(desk.get_by_role("button", name=button)).to_have_count(0)
    expect(panel.locator("textarea")).to_have_count(0)
