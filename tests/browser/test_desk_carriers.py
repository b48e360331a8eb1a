"""Chats that travel by networks, on the desk: writing first, going on by another channel, what was lost, when nothing can be written."""

import json
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from tests.browser.conftest import Site
from tests.browser.desk import bubble, close, finish_all, sign_in, write
from tests.browser.networks import OUR_NUMBER, SID, TOKEN, Network, a_network

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with a_network() as playing:
        yield playing


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    running = Site(tmp_path_factory.mktemp("site"), WEBHOOK_ALLOWED_NETWORKS="127.0.0.0/8")
    yield running
    running.stop()


def run(site: Site, code: str) -> str:
    return site.manage("shell", "-v", "0", "-c", f"from tests.browser.networks import *; {code}").strip()


@pytest.fixture(scope="module")
def key(site: Site, network: Network) -> str:
    """Of the SMS channel."""
    return run(site, f"print(build('{network.url}'))")


@pytest.fixture
def desk(site: Site, key: str, new_context: Callable[..., BrowserContext]) -> Iterator[Page]:
    page = new_context().new_page()
    sign_in(page, site)
    yield page
    finish_all(page)


def tell(site: Site, path: str, form: dict[str, str]) -> None:
    """As the network tells it, signed."""
    url = f"{site.url}/carriers/twilio/{path}"
    signature = RequestValidator(TOKEN).compute_signature(url, form)
    httpx.post(url, data=form, headers={"X-Twilio-Signature": signature}, timeout=30).raise_for_status()


def hear(site: Site, desk: Page, kind: str, address: str, text: str, **more: str | float) -> str:
    """The chat in which this came in, open on the desk."""
    chat = run(site, f"print(hear('{kind}', '{address}', '{text}', **{json.dumps(more)}))")
    desk.locator(f'.row[data-chat="{chat}"]').click()
    expect(bubble(desk, text)).to_be_visible()
    return chat


def test_an_agent_writes_first_and_the_answers_come_into_the_chat(
    desk: Page, site: Site, network: Network, key: str
) -> None:
    expect(desk.get_by_role("button", name="New message")).to_be_visible()
    desk.keyboard.press("c")
    form, send = desk.locator("dialog"), desk.locator("dialog .button-primary")
    form.get_by_label("Texts").check()
    expect(send).to_be_disabled()
    form.get_by_label("Phone").fill("12")
    form.get_by_label("Message").fill("Your parcel is here")
    expect(form.locator("#reach-count")).to_have_text("19 of 160 characters · 1 message")
    send.click()
    expect(form.locator("#reach-address-error")).to_contain_text("phone number")
    expect(form.get_by_label("Phone")).to_be_focused()
    # Whoever closes it by mistake finds it again.
    desk.keyboard.press("Escape")
    desk.get_by_role("button", name="New message").click()
    form.get_by_label("Phone").fill("+49 1511 2000001")
    form.get_by_label("Message").press("Tab")
    send.click()
    expect(form).to_have_count(0)
    expect(bubble(desk, "Your parcel is here")).to_be_visible()
    expect(desk.locator("#composer")).to_be_focused()
    sent = desk.locator(".group-out .sent").last
    expect(sent).to_have_text("Sent")
    sid = network.has_sent("Your parcel is here")
    [form_sent] = [one for one in network.sent if one["Body"] == "Your parcel is here"]
    assert (form_sent["From"], form_sent["To"]) == (OUR_NUMBER, "+4915112000001")
    tell(site, f"{key}/status", {"MessageSid": sid, "MessageStatus": "delivered", "AccountSid": SID})
    expect(sent).to_have_text("Delivered")
    incoming = {"AccountSid": SID, "From": "+4915112000001", "To": OUR_NUMBER, "NumMedia": "0"}
    tell(site, f"{key}/messages", incoming | {"MessageSid": "SM" + "a" * 32, "Body": "Thank you"})
    expect(bubble(desk, "Thank you")).to_be_visible()
    desk.locator("#composer").fill("ł" * 71)
    expect(desk.locator("#composer-count")).to_have_text("71 of 134 characters · 2 messages")
    desk.locator("#composer").fill("x" * 1601)
    expect(desk.locator("#composer-count")).to_have_text("1 character too many")
    desk.locator("#composer").press("Enter")
    expect(desk.locator("#composer")).to_have_value("x" * 1601)
    tell(site, f"{key}/messages", incoming | {"MessageSid": "SM" + "b" * 32, "Body": "STOP"})
    expect(desk.locator(".composer-closed")).to_contain_text("wants no more messages here")
    expect(desk.locator("#composer")).to_have_count(0)
    close(desk)
    desk.get_by_role("button", name="Write to").click()
    expect(form.get_by_label("Phone")).to_have_value("+4915112000001")
    form.get_by_label("Message").fill("Are you sure?")
    send.click()
    expect(form.get_by_role("alert").last).to_contain_text("wants no more messages there")
    desk.keyboard.press("Escape")


def test_what_did_not_arrive_is_said_and_sent_again(desk: Page, site: Site, network: Network, key: str) -> None:
    hear(site, desk, "sms", "+4915112000002", "Where is it?", name="Mia Berger")
    network.refusals.append((21612, "Not reachable"))
    write(desk, "It left on Monday")
    lost = desk.locator(".lost")
    expect(lost).to_contain_text("Not delivered:")
    expect(desk.locator('[data-type="message.failed"]')).to_contain_text("Not delivered:")
    expect(desk.locator(".group-out .sent", has_text="Sent")).to_have_count(0)
    desk.reload()
    expect(lost).to_contain_text("Not delivered:")
    lost.get_by_role("button", name="Try again").click()
    expect(desk.get_by_text("On its way again")).to_be_visible()
    expect(lost).to_have_count(0)
    write(desk, "It comes tomorrow")
    sid = network.has_sent("It left on Monday")
    tell(site, f"{key}/status", {"MessageSid": sid, "MessageStatus": "delivered", "AccountSid": SID})
    expect(desk.get_by_text("On its way again")).to_have_count(0)
    assert network.texts().count("It left on Monday") == 1


def test_a_chat_goes_on_by_mail(desk: Page, site: Site, network: Network) -> None:
    chat = hear(site, desk, "sms", "+4915112000003", "Please write to me", name="Jonas Weber")
    run(
        site,
        f"from chats.models import Customer; Customer.objects.filter(chats='{chat}').update(email='jonas@example.com')",
    )
    desk.keyboard.press("g")
    form = desk.locator("dialog")
    expect(form.locator(".option")).to_have_count(1)
    expect(form.get_by_label("jonas@example.com")).to_be_focused()
    desk.keyboard.press("Enter")
    line = desk.locator('[data-type="chat.moved"]')
    expect(line).to_contain_text("From now on by Email:")
    expect(line).to_contain_text("jonas@example.com")
    expect(desk.locator(".thread-channel")).to_have_text("Email")
    expect(desk.locator("#composer")).to_be_focused()
    write(desk, "Here it is")
    expect(desk.locator(".group-out .sent").last).to_have_text("Not delivered yet")


def test_a_window_that_closes_is_told_before_and_closes_the_reply_alone(desk: Page, site: Site) -> None:
    hear(site, desk, "facebook", "99887766", "Are you open today?", name="Lea Sommer", hours_ago=23.5)
    expect(desk.locator(".composer-soon")).to_contain_text("You can write here until")
    desk.locator("#composer").fill("Yes, until six")
    run(site, "Account.objects.filter(address='99887766').update(last_inbound_at=timezone.now() - timedelta(hours=25))")
    expect(desk.locator(".composer-closed")).to_contain_text("24 hours after the customer’s last message")
    desk.keyboard.press("Escape")
    desk.get_by_role("tab", name="Private note").click()
    expect(desk.locator("#composer")).to_have_value("Yes, until six")
    desk.locator("#composer").press("Enter")
    expect(desk.locator(".bubble-note")).to_have_text("Yes, until six")
