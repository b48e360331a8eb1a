"""A foreign access that speaks Expertflow's customer channel, in the admin."""

import re
from types import SimpleNamespace

import pytest
from django.test import Client
from django.urls import reverse

from chats.actions.connectors import make_connector
from contactcenter.models import Application, Channel, Registration, hash_secret
from tests.contactcenter.admin_cast import make_admin

pytestmark = [pytest.mark.django_db, pytest.mark.both]


@pytest.fixture
def desk(acme: SimpleNamespace, client: Client) -> Client:
    client.force_login(make_admin(acme, "Ada").user)
    return client


def url(page: str, *args: object) -> str:
    return reverse(f"admin:contactcenter_registration_{page}", args=args)


def form(acme: SimpleNamespace, **changes: str) -> dict[str, str]:
    application, _ = Application.objects.get_or_create(center=acme.center, name="Messaging")
    channel, _ = Channel.objects.get_or_create(center=acme.center, name="Chat API", kind=Channel.Kind.API)
    fields = {
        "application": application.pk, "channel": channel.pk, "protocol": "expertflow", "foreign_id": "acme-1",
        "public_key": "unused", "is_active": "on", "secret": "", "rooms-TOTAL_FORMS": 1, "rooms-INITIAL_FORMS": 0,
        "rooms-0-team": acme.sales.pk, "rooms-0-foreign_id": "Sales",
    }  # fmt: skip
    return {name: str(value) for name, value in (fields | changes).items()}


def fields_of(desk: Client, *page: object) -> set[str]:
    return set(re.findall(r'name="(\w+)"', desk.get(url(*page)).content.decode()))


def test_its_secret_is_made_and_shown_and_connectors_must_show_it_unless_an_admin_says_otherwise(
    desk: Client, acme: SimpleNamespace, settings
) -> None:
    settings.BASE_URL, settings.DEBUG, settings.EMBEDDED = "https://chat.example", False, False
    answer = desk.post(url("add"), form(acme))
    made = Registration.objects.get()
    shown = re.findall(r'id="secret">([0-9a-f]{48})<', answer.content.decode())[0]
    assert made.secret_hash == hash_secret(shown)
    assert made.demands_secret
    assert made.rooms.get().foreign_id == "Sales"
    body = desk.get(url("change", made.pk)).content.decode()
    assert ">https://chat.example<" in body
    assert "?secret=" in body
    open_to_all = form(acme) | {"rooms-INITIAL_FORMS": "0", "rooms-TOTAL_FORMS": "0"}
    assert desk.post(url("change", made.pk), open_to_all).status_code == 302
    made.refresh_from_db()
    assert not made.demands_secret, "its box was left empty"


def test_a_page_asks_for_what_its_api_knows(desk: Client, acme: SimpleNamespace) -> None:
    desk.post(url("add"), form(acme))
    expertflow = Registration.objects.get()
    asked = fields_of(desk, "change", expertflow.pk)
    assert {"demands_secret", "secret", "foreign_id"} <= asked
    assert not {"public_key", "uses_queue"} & asked
    for protocol in ("hyperchat", "genesys"):
        other = Registration.objects.create(
            center=acme.center, application=expertflow.application, channel=expertflow.channel, protocol=protocol
        )
        assert "demands_secret" not in fields_of(desk, "change", other.pk)
    assert "demands_secret" not in fields_of(desk, "add")


def test_one_with_connectors_leads_to_them_and_is_switched_off_not_deleted(desk: Client, acme: SimpleNamespace) -> None:
    desk.post(url("add"), form(acme))
    made = Registration.objects.get()
    make_connector(made, "sms")
    assert f"connector/?registration__id__exact={made.pk}" in desk.get(url("change", made.pk)).content.decode()
    assert desk.post(url("delete", made.pk), {"post": "yes"}).status_code == 403
    assert Registration.objects.exists()
