"""A foreign access that is an API space of the Chat API, and inbound rules, in the admin."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from chats.actions.rules import rules_for
from chats.models import InboundRule
from contactcenter.models import ApiSpace, Application, AuditEntry, Channel, Registration, hash_secret
from tests.cases import cases
from tests.chats.carriers.test_ways import channel_of
from tests.conftest import MARKER
from tests.contactcenter.admin_cast import make_admin, make_operator

pytestmark = [pytest.mark.django_db, pytest.mark.both]


@pytest.fixture
def desk(acme: SimpleNamespace, client: Client) -> Client:
    client.force_login(make_admin(acme, "Ada").user)
    return client


def url(page: str, *args: object, model: str = "contactcenter_registration", site: str = "admin") -> str:
    return reverse(f"{site}:{model}_{page}", args=args)


def form(acme: SimpleNamespace, **changes: Any) -> dict[str, str]:
    application, _ = Application.objects.get_or_create(center=acme.center, name="Apps")
    channel, _ = Channel.objects.get_or_create(center=acme.center, name="App", kind=Channel.Kind.APP)
    fields = {
        "application": application.pk, "channel": channel.pk, "protocol": "comapi", "foreign_id": "2b3c4d5e",
        "public_key": "unused", "is_active": "on", "secret": "", "rooms-TOTAL_FORMS": 1, "rooms-INITIAL_FORMS": 0,
        "rooms-0-team": acme.sales.pk, "rooms-0-foreign_id": "Customer_Services",
    }  # fmt: skip
    return {name: str(value) for name, value in (fields | changes).items()}


def made(desk: Client, acme: SimpleNamespace) -> Registration:
    assert desk.post(url("add"), form(acme, secret="an-access-token-of-acme")).status_code == 302
    return Registration.objects.get(center=acme.center)


def change(acme: SimpleNamespace, space: ApiSpace, **changes: Any) -> dict[str, str]:
    """What the page of an existing one posts."""
    own = {
        "id": space.pk, "registration": space.registration_id, "user_name": space.user_name, "account_number": 1,
        "password": "", "new_shared_secret": "", "issuer": "", "audience": "", "id_claim": "sub",
        "allows_anonymous": "on",
    }  # fmt: skip
    fields = {f"space-0-{name}": value for name, value in (own | changes).items() if value is not None}
    counts = {"space-TOTAL_FORMS": 1, "space-INITIAL_FORMS": 1, "rooms-TOTAL_FORMS": 0}
    return form(acme, **fields, **counts)


def test_a_new_space_gets_an_access_token_that_is_shown_once_and_a_page_of_its_own(
    desk: Client, acme: SimpleNamespace, settings: Any
) -> None:
    settings.BASE_URL = "https://chat.example"
    answer = desk.post(url("add"), form(acme)).content.decode()
    registration = Registration.objects.get()
    token = re.findall(r'id="secret">([0-9a-f]{48})<', answer)[0]
    assert registration.secret_hash == hash_secret(token)
    assert registration.rooms.get().foreign_id == "Customer_Services"
    body = desk.get(url("change", registration.pk)).content.decode()
    asked = set(re.findall(r'name="([\w-]+)"', body))
    own = {"user_name", "password", "new_shared_secret", "issuer", "audience", "id_claim", "account_number"}
    assert {f"space-0-{name}" for name in own | {"allows_anonymous"}} <= asked
    assert {"secret", "foreign_id"} <= asked
    assert not {"public_key", "uses_queue", "demands_secret"} & asked
    for said in ("apiSpaceId", "Access token", ">https://chat.example<", "/cpaas", "Customer_Services", token[:4]):
        assert said in body, said
    assert token not in body


def test_what_a_vendor_issued_is_entered_and_shown_no_more(desk: Client, acme: SimpleNamespace) -> None:
    registration = made(desk, acme)
    space = ApiSpace.objects.get()
    entered = {"user_name": "apiuser-42", "password": "a-password-of-acme", "new_shared_secret": "a-shared-secret"}
    entered |= {"issuer": "https://acme.example", "id_claim": "userId", "account_number": 39, "allows_anonymous": None}
    page = url("change", registration.pk)
    assert desk.post(page, change(acme, space, **entered)).status_code == 302
    space.refresh_from_db()
    assert (space.user_name, space.issuer, space.id_claim) == ("apiuser-42", "https://acme.example", "userId")
    assert (space.account_number, space.allows_anonymous) == (39, False)
    assert (space.password_hash, space.shared_secret) == (hash_secret("a-password-of-acme"), "a-shared-secret")
    assert desk.post(page, change(acme, space, user_name="apiuser-43")).status_code == 302
    kept = ApiSpace.objects.get()
    assert (kept.password_hash, kept.shared_secret) == (space.password_hash, "a-shared-secret")
    shown = desk.get(page).content.decode() + str(list(AuditEntry.objects.values()))
    for secret in ("a-password-of-acme", "a-shared-secret", "an-access-token-of-acme", kept.password_hash):
        assert secret not in shown


@cases("name", ["password", "new_shared_secret"])
@cases("secret", ["short", "has blanks in it", "ends-with-ü-here", "x" * 201])
def test_secrets_that_no_client_could_send_are_refused(
    desk: Client, acme: SimpleNamespace, name: str, secret: str
) -> None:
    registration = made(desk, acme)
    space = ApiSpace.objects.get()
    answer = desk.post(url("change", registration.pk), change(acme, space, **{name: secret}))
    assert answer.status_code == 200
    assert secret not in answer.content.decode()
    kept = ApiSpace.objects.get()
    assert (kept.password_hash, kept.shared_secret) == (space.password_hash, space.shared_secret)


def test_a_password_and_a_shared_secret_are_renewed_and_shown_once(desk: Client, acme: SimpleNamespace) -> None:
    registration = made(desk, acme)
    shown = {}
    for page in ("renew_password", "renew_shared_secret"):
        assert "Make a new one?" in desk.get(url(page, registration.pk)).content.decode()
        answer = desk.post(url(page, registration.pk))
        assert "no-store" in answer["Cache-Control"]
        shown[page] = re.findall(r'id="secret">([\w-]+)<', answer.content.decode())[0]
    space = ApiSpace.objects.get()
    assert space.password_hash == hash_secret(shown["renew_password"])
    assert space.shared_secret == shown["renew_shared_secret"]
    assert AuditEntry.objects.filter(action__in=["renew password", "renew shared secret"]).count() == 2
    assert not any(secret in str(list(AuditEntry.objects.values())) for secret in shown.values())


def test_a_user_name_is_one_of_the_whole_server_and_whose_it_is_stays_untold(
    desk: Client, acme: SimpleNamespace, globex: SimpleNamespace
) -> None:
    application = Application.objects.create(center=globex.center, name=f"Apps {MARKER}")
    theirs = Registration.objects.create(
        center=globex.center, application=application, channel=globex.channel, protocol="comapi"
    )
    ApiSpace.objects.create(center=globex.center, registration=theirs, user_name="taken")
    registration = made(desk, acme)
    space = ApiSpace.objects.get(registration=registration)
    for name in ("taken", "with:colon", "with blank"):
        answer = desk.post(url("change", registration.pk), change(acme, space, user_name=name))
        assert answer.status_code == 200
        assert MARKER not in answer.content.decode()
    for page in ("renew_password", "renew_shared_secret"):
        assert desk.post(url(page, theirs.pk)).status_code == 404
    stolen = change(acme, ApiSpace.objects.get(registration=theirs), password="a-password-of-acme")
    desk.post(url("change", registration.pk), stolen)
    assert ApiSpace.objects.get(registration=theirs).password_hash == ""


def test_operators_may_and_other_protocols_have_no_space(client: Client, acme: SimpleNamespace) -> None:
    client.force_login(make_operator())
    add = url("add", site="operator")
    posted = form(acme, center=acme.center.pk, secret="an-access-token-of-acme")
    assert client.post(add, posted).status_code == 302
    assert Registration.objects.get().rooms.get().team == acme.sales
    registration = Registration.objects.get()
    page = url("change", registration.pk, site="operator")
    assert "space-0-user_name" in client.get(page).content.decode()
    assert client.post(page, change(acme, ApiSpace.objects.get(), issuer="x")).status_code == 302
    other = Registration.objects.create(
        center=acme.center, application=registration.application, channel=registration.channel, protocol="hyperchat"
    )
    assert "space-0" not in client.get(url("change", other.pk, site="operator")).content.decode()
    assert client.post(url("renew_password", other.pk, site="operator")).status_code == 403


# Inbound rules --------------------------------------------------------------------------------------------------------


def rule_form(**changes: Any) -> dict[str, str]:
    fields = {"channel": "sms", "inbound": "*", "keyword": "help", "action": "replyMessage", "team": "", "reply": "Ok"}
    return {name: str(value) for name, value in (fields | {"properties": ""} | changes).items()}


def rule_url(page: str, *args: object) -> str:
    return url(page, *args, model="chats_inboundrule")


def test_rules_are_made_by_hand_and_followed(desk: Client, acme: SimpleNamespace) -> None:
    sms = channel_of(acme.center, "sms", "twilio", "+15550001", acme.support)
    assert desk.post(rule_url("add"), rule_form()).status_code == 302
    start = rule_form(action="startChat", team=acme.sales.pk, reply="", inbound=" +15550001 ")
    assert desk.post(rule_url("add"), start).status_code == 302
    note = rule_form(action="profileUpdate", reply="", properties="plan = gold\nname=Mia = Mai\n")
    assert desk.post(rule_url("add"), note).status_code == 302
    found = rules_for(sms, "Help")
    assert [rule.action for rule in found] == ["replyMessage", "startChat", "profileUpdate"]
    assert found[2].action_data["profileUpdate"] == [
        {"propertyName": "plan", "propertyValue": "gold"},
        {"propertyName": "name", "propertyValue": "Mia = Mai"},
    ]
    assert {rule.created_by for rule in found} == {"interactive:ada@example.com"}
    page = desk.get(rule_url("change", found[0].pk)).content.decode()
    assert ">Ok</textarea>" in page.replace("\n", "")


@cases(
    "field, changes",
    [
        ("team", {"action": "startChat"}),
        ("reply", {"reply": " "}),
        ("properties", {"action": "profileUpdate"}),
        ("properties", {"properties": "gold"}),
        ("properties", {"properties": "= gold"}),
        ("channel", {"channel": "fax"}),
        ("inbound", {"inbound": ""}),
    ],
)
def test_a_rule_that_could_do_nothing_is_refused_at_its_field(desk: Client, field: str, changes: Any) -> None:
    answer = desk.post(rule_url("add"), rule_form(**changes))
    assert answer.status_code == 200
    assert list(answer.context["adminform"].form.errors) == [field]
    assert not InboundRule.objects.exists()


def test_what_a_program_said_beside_it_stays_until_it_is_changed(desk: Client, acme: SimpleNamespace) -> None:
    parts = [{"type": "text/plain", "data": "Ok"}, {"type": "image/png", "url": "https://shop.example/a.png"}]
    made = InboundRule.objects.create(
        center=acme.center, channel="sms", action="replyMessage", action_data={"messageParts": parts}
    )
    page = rule_url("change", made.pk)
    text = "Ok\nhttps://shop.example/a.png"
    assert desk.post(page, rule_form(reply=text, keyword="other")).status_code == 302
    made.refresh_from_db()
    assert (made.keyword, made.action_data) == ("other", {"messageParts": parts})
    assert desk.post(page, rule_form(reply="New")).status_code == 302
    made.refresh_from_db()
    assert made.action_data == {"messageParts": [{"type": "text/plain", "data": "New"}]}
