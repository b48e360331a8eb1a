"""What administrators do for apps that are closed: enter Google's and Apple's files, and see which phones were told."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from chats.models import Carrier, PushNotice
from contactcenter.models import AuditEntry, Channel
from tests.conftest import MARKER
from tests.contactcenter.admin_cast import furnish, make_admin

pytestmark = [pytest.mark.django_db, pytest.mark.both]
ACCOUNT = json.dumps({"type": "service_account", "private_key": "-----BEGIN-----\nhush-hush\n"}, indent=2)
KEY = "-----BEGIN PRIVATE KEY-----\nhush-hush\n-----END PRIVATE KEY-----\n"


@pytest.fixture
def desk(acme: SimpleNamespace, client: Client) -> Client:
    client.force_login(make_admin(acme, "Ada").user)
    return client


@pytest.fixture
def app(acme: SimpleNamespace) -> Channel:
    return Channel.objects.create(center=acme.center, name="App", kind="app", team=acme.support)


def url(page: str, *args: Any, model: str = "chats_carrier") -> str:
    return reverse(f"admin:{model}_{page}", args=args)


def test_an_apps_channel_gets_a_carrier_without_an_address_and_its_files_are_never_shown(
    desk: Client, app: Channel
) -> None:
    own = url("change", app.pk, model="contactcenter_channel")
    page = desk.get(own).content.decode()
    assert f"{url('add')}?channel={app.pk}&amp;kind=app" in page
    assert "apps that are closed are not told" in page
    form = desk.get(f"{url('add')}?channel={app.pk}&kind=app").context["adminform"].form
    assert (form.initial["provider"], app in form.fields["channel"].queryset) == ("push", True)
    assert desk.post(url("add"), {"channel": str(app.pk), "provider": "push"}).status_code == 302
    made = Carrier.objects.get()
    assert (made.is_active, made.settings["fcm_url"]) == (False, "https://fcm.googleapis.com")
    page = desk.get(url("change", made.pk)).content.decode()
    assert page.count("<textarea") == 2
    given = {"is_active": "on", "secret_fcm_account": ACCOUNT, "secret_apns_key": KEY, "setting_apns_team_id": "T1"}
    assert desk.post(url("change", made.pk), given).status_code == 302
    made.refresh_from_db()
    assert {name: value.split() for name, value in made.secrets.items()} == {
        "fcm_account": ACCOUNT.split(),
        "apns_key": KEY.split(),
    }
    assert (made.is_active, made.settings["apns_team_id"]) == (True, "T1")
    assert desk.post(url("change", made.pk), {"setting_apns_team_id": "T2"}).status_code == 302
    made.refresh_from_db()
    assert len(made.secrets) == 2
    for shown in (desk.get(url("change", made.pk)).content.decode(), str(list(AuditEntry.objects.values()))):
        assert "hush-hush" not in shown
    assert url("change", made.pk) in desk.get(own).content.decode()
    too_long = desk.post(url("change", made.pk), {"secret_fcm_account": "x" * 20_001})
    assert set(too_long.context["adminform"].form.errors) == {"secret_fcm_account"}


def test_an_app_has_no_address_of_our_own(desk: Client, app: Channel) -> None:
    own = url("change", app.pk, model="contactcenter_channel")
    form = desk.get(own).context["adminform"].form
    said = {name: form.initial.get(name) or "" for name in form.fields} | {"address": "+1555", "team": str(app.team_id)}
    said |= {"allowed_origins": ""}
    for prefix in ("widget", "form_fields"):
        said |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    for carried in (False, True):
        if carried:
            Carrier.objects.create(center=app.center, channel=app, provider="push")
        answer = desk.post(own, said)
        assert answer.status_code == 200, carried
        assert len(answer.context["adminform"].form.errors["address"]) == 1, carried
        assert desk.post(own, said | {"address": ""}).status_code == 302, carried


def test_phones_that_were_not_told_are_listed_with_the_reason_and_never_another_centers(
    client: Client, acme: SimpleNamespace, globex: SimpleNamespace
) -> None:
    mine = furnish(acme, make_admin(acme, "Ada"), "mine")
    theirs = furnish(globex, make_admin(globex, "Gus"), MARKER)
    notice: PushNotice = mine.rows["chats.pushnotice"]
    carrier = Carrier.objects.create(center=acme.center, channel=notice.channel, provider="push")
    client.force_login(mine.admin.user)
    for state, count in (("failed", 1), ("pending", 0), ("sent", 0), ("skipped", 0)):
        page = client.get(url("changelist", model="chats_pushnotice"), {"state": state})
        assert page.context["cl"].result_count == count, state
        assert MARKER not in page.content.decode()
    shown = client.get(url("change", notice.pk, model="chats_pushnotice")).content.decode()
    assert "No mine" in shown
    assert "phone mine" in shown
    link = f"{url('changelist', model='chats_pushnotice')}?channel__id__exact={notice.channel_id}&amp;state=failed"
    assert link.replace("&amp;", "&") in client.get(url("change", carrier.pk)).content.decode().replace("&amp;", "&")
    strange = theirs.rows["chats.pushnotice"]
    assert client.get(url("change", strange.pk, model="chats_pushnotice")).status_code in (302, 404)
