"""What administrators do with carriers: set one up, keep its secrets, try it, send again what was lost, lift a STOP."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chats.actions.receive import Inbound, receive
from chats.carriers import registry
from chats.carriers.provider import Result, Setting
from chats.models import Account, Carrier, Dispatch
from contactcenter.models import AuditEntry, Channel
from tests.chats.carried import hold, say
from tests.chats.networks import SETTINGS, Network, make_carrier, send_all
from tests.conftest import MARKER
from tests.contactcenter.admin_cast import make_admin

pytestmark = [pytest.mark.django_db, pytest.mark.both]
VERIFY = Setting(name="verify_token", label="Verify", kind="secret", default=lambda: "made-by-us", is_required=True)


@pytest.fixture
def desk(acme: SimpleNamespace, client: Client) -> Client:
    client.force_login(make_admin(acme, "Ada").user)
    return client


@pytest.fixture
def network(monkeypatch: Any) -> Network:
    fake = Network()
    for provider in ("twilio", "mail"):
        monkeypatch.setitem(registry.PROVIDERS, provider, fake)
    monkeypatch.setitem(registry.PROVIDERS, "messenger", Network(settings=(*SETTINGS, VERIFY)))
    return fake


@pytest.fixture
def sms(acme: SimpleNamespace) -> Channel:
    return Channel.objects.create(center=acme.center, name="Texts", kind="sms", address="+1555", team=acme.support)


def url(page: str, *args: Any, model: str = "chats_carrier") -> str:
    return reverse(f"admin:{model}_{page}", args=args)


def settings(**changes: Any) -> dict[str, Any]:
    """What the page posts; a field set to None is left out."""
    fields = {"is_active": "on", "setting_account_sid": "AC1", "setting_port": "995", "secret_auth_token": "s3cret"}
    return {name: value for name, value in (fields | changes).items() if value is not None}


def errors_of(answer: Any) -> dict[str, list[str]]:
    return dict(answer.context["adminform"].form.errors)


def test_a_carrier_is_set_up_in_two_steps_and_its_secrets_are_never_shown_again(
    desk: Client, acme: SimpleNamespace, sms: Channel, network: Network
) -> None:
    page = desk.get(url("change", sms.pk, model="contactcenter_channel")).content.decode()
    assert f"{url('add')}?channel={sms.pk}&amp;kind=sms" in page
    form = desk.get(f"{url('add')}?channel={sms.pk}&kind=sms").context["adminform"].form
    assert (form.initial["channel"], form.initial["provider"]) == (str(sms.pk), "twilio")
    answer = desk.post(url("add"), {"channel": str(sms.pk), "provider": "twilio"})
    made = Carrier.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, url("change", made.pk))
    assert (made.center, made.is_active, made.settings) == (
        acme.center,
        False,
        {"account_sid": "", "port": 993, "is_test": False},
    )
    page = desk.get(url("change", made.pk)).content.decode()
    assert f"/carriers/twilio/{sms.key}/messages" in page
    assert set(errors_of(desk.post(url("change", made.pk), {}))) == {"setting_account_sid", "secret_auth_token"}
    odd = desk.post(url("change", made.pk), settings(setting_port="many", setting_account_sid="x" * 501))
    assert set(errors_of(odd)) == {"setting_port", "setting_account_sid"}
    assert desk.post(url("change", made.pk), settings(setting_is_test="on")).status_code == 302
    made.refresh_from_db()
    assert made.is_active
    assert made.settings == {"account_sid": "AC1", "port": 995, "is_test": True}
    assert made.secrets == {"auth_token": "s3cret"}
    # Empty keeps it; what threads write meanwhile is not undone.
    Carrier.objects.update(bookmark={"uid": 7}, error="Old trouble", heard_at=timezone.now())
    assert desk.post(url("change", made.pk), settings(secret_auth_token="", setting_port="1")).status_code == 302
    made.refresh_from_db()
    assert (made.secrets, made.settings["port"], made.settings["is_test"]) == ({"auth_token": "s3cret"}, 1, False)
    assert (made.bookmark, made.error) == ({"uid": 7}, "")
    assert made.heard_at
    assert "s3cret" not in desk.get(url("change", made.pk)).content.decode()
    trail = [entry.changes for entry in AuditEntry.objects.filter(action="changed").order_by("at")]
    assert trail[0]["secret_auth_token"] == ["•••", "•••"]
    assert trail[1]["setting_port"] == [995, 1]
    assert "s3cret" not in str(trail)


def test_what_does_not_fit_is_refused_with_a_sentence(
    desk: Client, acme: SimpleNamespace, globex: SimpleNamespace, sms: Channel, network: Network
) -> None:
    theirs = Channel.objects.create(center=globex.center, name=MARKER, kind="sms", address="+1999")
    bare = Channel.objects.create(center=acme.center, name="No address", kind="sms")
    for channel, provider, field in (
        (sms, "mail", "provider"),
        (sms, "pigeon", "provider"),
        (acme.channel, "twilio", "channel"),
        (theirs, "twilio", "channel"),
        (bare, "twilio", "channel"),
    ):
        answer = desk.post(url("add"), {"channel": str(channel.pk), "provider": provider})
        assert set(errors_of(answer)) == {field}, (channel, provider)
        assert MARKER not in answer.content.decode()
    taken = make_carrier(acme, "twilio", "+1777")
    answer = desk.post(url("add"), {"channel": str(taken.channel_id), "provider": "twilio"})
    assert set(errors_of(answer)) == {"channel"}
    assert Carrier.objects.count() == 1


def test_a_channel_keeps_its_address_in_the_providers_spelling(
    desk: Client, acme: SimpleNamespace, sms: Channel, network: Network
) -> None:
    def post(channel: Channel, **changes: Any) -> Any:
        fields = {"name": channel.name, "kind": channel.kind, "key": channel.key, "is_active": "on"} | changes
        fields |= {f"{rows}-{kind}_FORMS": "0" for rows in ("widget", "form_fields") for kind in ("TOTAL", "INITIAL")}
        return desk.post(url("change", channel.pk, model="contactcenter_channel"), fields)

    assert post(sms, address=" +1 555 7 ").status_code == 302
    sms.refresh_from_db()
    assert sms.address == "+15557"
    assert set(errors_of(post(sms, address="wrong"))) == {"address"}
    assert post(sms, address="").status_code == 302  # nothing is sent from there yet
    carrier = make_carrier(acme, "twilio", "+1777")
    assert set(errors_of(post(carrier.channel, address=""))) == {"address"}
    assert set(errors_of(post(carrier.channel, address="+1777", kind="email"))) == {"kind"}
    assert set(errors_of(post(acme.channel, address="+1"))) == {"address"}
    other = Channel.objects.create(center=acme.center, name="Two", kind="sms")
    assert post(other, address="+1777").status_code == 200  # ours already


def test_the_connection_is_tried_and_what_is_wrong_is_said_and_noted(
    desk: Client, acme: SimpleNamespace, network: Network
) -> None:
    carrier = make_carrier(acme, "twilio", "+1555", settings={"account_sid": "AC1"})
    carrier.keep_secrets({"auth_token": "s3cret"})
    carrier.save()
    page = reverse("admin:chats_carrier_check_connection", args=[carrier.pk])
    assert desk.get(page).status_code == 200
    assert network.checked == []
    network.trouble = "The auth token is wrong."
    assert "The auth token is wrong." in desk.post(page, follow=True).content.decode()
    assert network.checked == [("+1555", {"account_sid": "AC1"}, {"auth_token": "s3cret"})]
    carrier.refresh_from_db()
    assert (carrier.error, carrier.checked_at is None) == ("The auth token is wrong.", False)
    network.trouble = ""
    assert "The connection works." in desk.post(page, follow=True).content.decode()
    carrier.refresh_from_db()
    assert carrier.error == ""
    assert AuditEntry.objects.filter(action="connection checked").count() == 2


def test_a_token_that_we_made_can_be_shown_and_others_have_none(
    desk: Client, acme: SimpleNamespace, network: Network
) -> None:
    channel = Channel.objects.create(center=acme.center, name="Page", kind="facebook", address="4711")
    desk.post(url("add"), {"channel": str(channel.pk), "provider": "messenger"})
    made = Carrier.objects.get()
    page = reverse("admin:chats_carrier_show_made_secret", args=[made.pk])
    assert "made-by-us" not in desk.get(page).content.decode()
    assert "made-by-us" in desk.post(page).content.decode()
    assert AuditEntry.objects.filter(action="show secret").exists()
    other = make_carrier(acme, "twilio", "+1555")
    assert desk.post(reverse("admin:chats_carrier_show_made_secret", args=[other.pk])).status_code == 403


def test_what_was_lost_is_sent_again_and_a_used_carrier_stays(
    desk: Client, acme: SimpleNamespace, ann: Any, network: Network, now: Any
) -> None:
    carrier = make_carrier(acme, "twilio", "+1555")
    assert desk.get(url("delete", carrier.pk)).status_code == 200
    network.answers = [Result(error="No such number.") for _ in range(3)]
    chat = receive(carrier.channel, Inbound(external_id="1", address="+491", text="Hello"), now=now).chat
    seat = hold(chat, ann, now)
    for text in ("One", "Two"):
        say(seat, text, now)
    first = Dispatch.objects.order_by("number").first()
    page = reverse("admin:chats_dispatch_send_one_again", args=[first.pk])
    assert "It has arrived" in desk.post(page, follow=True).content.decode()
    send_all(timezone.now())
    rows = url("changelist", model="chats_dispatch")
    for query, count in (
        ("state=failed", 2),
        ("state=pending", 0),
        ("state=sent", 0),
        ("error__isempty=0", 2),
        ("error__isempty=1", 0),
        ("fate__exact=lost", 0),
        (f"channel__id__exact={carrier.channel_id}", 2),
    ):
        assert desk.get(f"{rows}?{query}").context["cl"].result_count == count, query
    assert f"channel__id__exact={carrier.channel_id}&amp;state=failed" in desk.get(url("changelist")).content.decode()
    assert "The message is sent again." in desk.post(page, follow=True).content.decode()
    chosen = [str(row.pk) for row in Dispatch.objects.all()]
    again = {"action": "send_chosen_again", "_selected_action": chosen, "index": "0"}
    assert "Messages sent again: 1" in desk.post(rows, again, follow=True).content.decode()
    assert AuditEntry.objects.filter(action="sent again").count() == 2
    assert desk.post(url("delete", carrier.pk), {"post": "yes"}).status_code == 403


def test_a_stop_is_lifted_with_a_line_in_the_audit_log(desk: Client, acme: SimpleNamespace, now: Any) -> None:
    carrier = make_carrier(acme, "twilio", "+1555")
    receive(carrier.channel, Inbound(external_id="1", address="+491", text="Hello"), now=now)
    account = Account.objects.get()
    page = reverse("admin:chats_account_lift_stop", args=[account.pk])
    assert desk.post(page).status_code == 403
    Account.objects.update(stopped_at=now)
    rows = url("changelist", model="chats_account")
    counts = [desk.get(f"{rows}?stopped={value}").context["cl"].result_count for value in "01"]
    assert counts == [0, 1]
    assert desk.get(page).status_code == 200
    account.refresh_from_db()
    assert account.stopped_at
    assert desk.post(page, follow=True).status_code == 200
    account.refresh_from_db()
    assert account.stopped_at is None
    assert AuditEntry.objects.get(action="stop lifted").changes["stopped_at"][1] is None
