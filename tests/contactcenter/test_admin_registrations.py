"""What administrators do with foreign accesses: bring a vendor's ids and keys along, or have new ones made."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from agents.models import Agent
from chats.actions.hooks import add_webhook
from contactcenter.models import Application, AuditEntry, Channel, Registration, RegistrationTeam, hash_secret
from tests.cases import cases
from tests.conftest import MARKER
from tests.contactcenter.admin_cast import make_admin, make_operator

pytestmark = [pytest.mark.django_db, pytest.mark.both]
PUBLISHED = "N18TFGbKpn0zaGLXDFZhPWpTcB2eyx44"
VENDORS = {"foreign_id": "SJxhWlqWH", "public_key": "dk-4711", "secret": "issued-by-the-vendor"}


@pytest.fixture
def desk(acme: SimpleNamespace, client: Client) -> Client:
    client.force_login(make_admin(acme, "Ada").user)
    return client


@pytest.fixture
def shop(acme: SimpleNamespace) -> Application:
    return Application.objects.create(center=acme.center, name="Shop", allowed_origins=["https://shop.example"])


@pytest.fixture
def entrance(acme: SimpleNamespace) -> Channel:
    return Channel.objects.create(center=acme.center, name="Chat API", kind=Channel.Kind.API)


def url(page: str, *args: Any) -> str:
    return reverse(f"admin:contactcenter_registration_{page}", args=args)


def form(application: Application, channel: Channel, *rooms: tuple[Any, str], **changes: Any) -> dict[str, Any]:
    """What the page posts; a field set to None is left out."""
    fields = {"application": application.pk, "channel": channel.pk, "protocol": "hyperchat", "uses_queue": "on"}
    fields |= {"is_active": "on", "secret": "", "rooms-TOTAL_FORMS": len(rooms), "rooms-INITIAL_FORMS": 0}
    for number, (team, name) in enumerate(rooms):
        fields |= {f"rooms-{number}-team": team.pk, f"rooms-{number}-foreign_id": name}
    return {name: str(value) for name, value in (fields | VENDORS | changes).items() if value is not None}


def make(shop: Application, channel: Channel, **fields: Any) -> Registration:
    return Registration.objects.create(center=shop.center, application=shop, channel=channel, **fields)


# What a vendor issued -------------------------------------------------------------------------------------------------


def test_ids_keys_and_rooms_of_a_vendor_are_kept_as_they_are(
    desk: Client, acme: SimpleNamespace, shop: Application, entrance: Channel
) -> None:
    rooms = [(acme.support, "1"), (acme.sales, "room 2".replace(" ", "_"))]
    answer = desk.post(url("add"), form(shop, entrance, *rooms, uses_queue=None))
    assert answer.status_code == 302
    kept = Registration.objects.get()
    assert (kept.center, kept.application, kept.channel) == (acme.center, shop, entrance)
    assert (kept.foreign_id, kept.public_key, kept.uses_queue) == ("SJxhWlqWH", "dk-4711", False)
    assert (kept.secret_hash, kept.secret_hint) == (hash_secret("issued-by-the-vendor"), "issu")
    assert dict(kept.rooms.values_list("foreign_id", "team__key")) == {"1": "support", "room_2": "sales"}
    assert set(kept.rooms.values_list("center", flat=True)) == {acme.center.pk}


def test_a_secret_that_nobody_brings_is_made_and_shown_once(desk: Client, shop: Application, entrance: Channel) -> None:
    answer = desk.post(url("add"), form(shop, entrance, secret=""))
    assert "no-store" in answer["Cache-Control"]
    shown = re.findall(r'id="secret">([0-9a-f]{48})<', answer.content.decode())[0]
    kept = Registration.objects.get()
    assert kept.secret_hash == hash_secret(shown)
    assert shown not in desk.get(url("change", kept.pk)).content.decode()


def test_the_secret_is_kept_where_none_is_entered_and_replaced_where_one_is(
    desk: Client, shop: Application, entrance: Channel
) -> None:
    kept = make(shop, entrance)
    kept.renew_secret()
    before = kept.secret_hash
    page = url("change", kept.pk)
    assert desk.post(page, form(shop, entrance, secret="", foreign_id="other")).status_code == 302
    kept.refresh_from_db()
    assert (kept.secret_hash, kept.foreign_id) == (before, "other")
    assert desk.post(page, form(shop, entrance, secret="the-next-secret")).status_code == 302
    kept.refresh_from_db()
    assert kept.secret_hash == hash_secret("the-next-secret")


def test_a_secret_is_renewed_on_request(desk: Client, shop: Application, entrance: Channel) -> None:
    kept = make(shop, entrance)
    page = url("renew_secret", kept.pk)
    assert "stops working at once" in desk.get(page).content.decode()
    answer = desk.post(page).content.decode()
    kept.refresh_from_db()
    assert kept.secret_hash == hash_secret(re.findall(r'id="secret">([0-9a-f]{48})<', answer)[0])
    assert AuditEntry.objects.filter(action="renew secret").count() == 1


@cases("secret", ["short", "has blanks in it", "ends-with-ü-here", "x" * 201])
def test_secrets_that_no_client_could_send_are_refused(
    desk: Client, shop: Application, entrance: Channel, secret: str
) -> None:
    answer = desk.post(url("add"), form(shop, entrance, secret=secret))
    assert answer.status_code == 200
    assert secret not in answer.content.decode()
    assert not Registration.objects.exists()


def test_secrets_stand_in_no_page_and_no_line_of_the_audit_log(
    desk: Client, shop: Application, entrance: Channel
) -> None:
    desk.post(url("add"), form(shop, entrance))
    kept = Registration.objects.get()
    page = url("change", kept.pk)
    desk.post(page, form(shop, entrance, secret="the-next-secret"))
    entries = str(list(AuditEntry.objects.values()))
    shown = (
        desk.get(page).content.decode()
        + desk.get(reverse("admin:contactcenter_auditentry_changelist")).content.decode()
    )
    for secret in ["issued-by-the-vendor", "the-next-secret", kept.secret_hash]:
        assert secret not in entries
        assert secret not in shown
    assert AuditEntry.objects.get(action="changed").changes["secret"] == ["•••", "•••"]


# Mistakes -------------------------------------------------------------------------------------------------------------


def test_a_taken_id_is_refused_and_whose_it_is_stays_untold(
    desk: Client, globex: SimpleNamespace, shop: Application, entrance: Channel
) -> None:
    theirs = Application.objects.create(center=globex.center, name=f"Shop {MARKER}")
    make(theirs, globex.channel, foreign_id="SJxhWlqWH")
    answer = desk.post(url("add"), form(shop, entrance))
    body = answer.content.decode()
    assert answer.status_code == 200
    assert "This application id is taken." in body
    assert MARKER not in body
    assert Registration.objects.count() == 1


def test_ones_own_id_is_not_taken(desk: Client, shop: Application, entrance: Channel) -> None:
    kept = make(shop, entrance, foreign_id="SJxhWlqWH")
    assert desk.post(url("change", kept.pk), form(shop, entrance, secret="")).status_code == 302


def test_a_room_or_a_team_twice_is_a_sentence_and_no_crash(
    desk: Client, acme: SimpleNamespace, shop: Application, entrance: Channel
) -> None:
    for rooms in [[(acme.support, "1"), (acme.sales, "1")], [(acme.support, "1"), (acme.support, "2")]]:
        answer = desk.post(url("add"), form(shop, entrance, *rooms))
        assert answer.status_code == 200
        assert "duplicate" in answer.content.decode()
    assert not RegistrationTeam.objects.exists()


@cases("field", ["foreign_id", "public_key"])
def test_ids_are_without_blanks(desk: Client, shop: Application, entrance: Channel, field: str) -> None:
    answer = desk.post(url("add"), form(shop, entrance, **{field: "a b"}))
    assert answer.status_code == 200
    assert "without blanks" in answer.content.decode()


def test_nothing_of_another_center_can_be_linked(
    desk: Client, globex: SimpleNamespace, acme: SimpleNamespace, shop: Application, entrance: Channel
) -> None:
    theirs = Application.objects.create(center=globex.center, name=f"Shop {MARKER}")
    for wrong in [
        form(theirs, entrance),
        form(shop, globex.channel),
        form(shop, entrance, (globex.support, "1")),
    ]:
        answer = desk.post(url("add"), wrong)
        assert answer.status_code == 200
        assert MARKER not in answer.content.decode()
    assert not Registration.objects.exists()


def test_an_operators_access_has_links_of_its_center_alone(
    client: Client, globex: SimpleNamespace, shop: Application, entrance: Channel
) -> None:
    client.force_login(make_operator())
    page = reverse("operator:contactcenter_registration_add")
    assert client.post(page, form(shop, entrance, center=globex.center.pk)).status_code == 200
    assert not Registration.objects.exists()
    assert client.post(page, form(shop, entrance, center=shop.center_id)).status_code == 302
    assert Registration.objects.get().center_id == shop.center_id


# What the pages say ---------------------------------------------------------------------------------------------------


def test_the_page_says_where_clients_point_to_and_which_origins_may(
    desk: Client, shop: Application, entrance: Channel, settings: Any
) -> None:
    settings.BASE_URL = "https://chat.example.com"
    body = desk.get(url("change", make(shop, entrance).pk)).content.decode()
    assert "https://chat.example.com/v1<" in body
    assert "https://shop.example" in body
    assert reverse("admin:contactcenter_application_change", args=[shop.pk]) in body


def test_a_channel_of_the_kind_api_is_chosen_to_begin_with(desk: Client, entrance: Channel) -> None:
    body = desk.get(url("add")).content.decode()
    assert re.search(rf'<option value="{entrance.pk}" selected', body)


def test_the_spoken_api_of_one_that_exists_does_not_change(desk: Client, shop: Application, entrance: Channel) -> None:
    kept = make(shop, entrance)
    desk.post(url("change", kept.pk), form(shop, entrance, protocol="genesys"))
    kept.refresh_from_db()
    assert kept.protocol == "hyperchat"


def test_one_in_use_is_switched_off_instead_of_deleted(
    desk: Client, shop: Application, entrance: Channel, now: Any
) -> None:
    used, unused = make(shop, entrance), make(shop, entrance)
    add_webhook(shop, url="https://a.example/", events=["chats:create"], registration=used, now=now)
    assert desk.post(url("delete", used.pk), {"post": "yes"}).status_code == 403
    assert desk.post(url("delete", unused.pk), {"post": "yes"}).status_code == 302
    assert desk.post(
        url("changelist"), {"action": "delete_selected", "_selected_action": [str(used.pk)], "post": "yes"}
    ).status_code in (200, 302, 403)
    assert list(Registration.objects.all()) == [used]


def test_agents_and_strangers_see_nothing(client: Client, ann: Agent, eve: Any, shop: Application) -> None:
    for person in [ann.user, eve]:
        client.force_login(person)
        assert client.get(url("changelist"), follow=True).status_code == 403


# Genesys --------------------------------------------------------------------------------------------------------------


def genesys(shop: Application, entrance: Channel, *rooms: tuple[Any, str], **changes: Any) -> dict[str, Any]:
    ids = {"protocol": "genesys", "foreign_id": "6f5f2a0e-3c53-4f35-8a2b-1d1b6b6c2a11", "public_key": PUBLISHED}
    return form(shop, entrance, *rooms, **(ids | {"secret": None, "uses_queue": None} | changes))


def test_a_contact_center_id_an_apikey_and_endpoints_are_entered_without_any_secret(
    desk: Client, acme: SimpleNamespace, shop: Application, entrance: Channel
) -> None:
    answer = desk.post(url("add"), genesys(shop, entrance, (acme.sales, "SalesQueue")))
    assert answer.status_code == 302
    kept = Registration.objects.get()
    assert (kept.foreign_id, kept.public_key) == ("6f5f2a0e-3c53-4f35-8a2b-1d1b6b6c2a11", PUBLISHED)
    assert (kept.secret_hash, kept.secret_hint) == ("", "")
    assert dict(kept.rooms.values_list("foreign_id", "team__key")) == {"SalesQueue": "sales"}


def test_several_centers_may_have_the_published_apikey(
    desk: Client, globex: SimpleNamespace, shop: Application, entrance: Channel
) -> None:
    theirs = Application.objects.create(center=globex.center, name="Theirs")
    make(theirs, globex.channel, protocol="genesys", public_key=PUBLISHED)
    assert desk.post(url("add"), genesys(shop, entrance)).status_code == 302
    assert Registration.objects.filter(public_key=PUBLISHED).count() == 2


def test_one_id_may_be_known_to_two_apis(desk: Client, shop: Application, entrance: Channel) -> None:
    make(shop, entrance, foreign_id="same")
    assert desk.post(url("add"), genesys(shop, entrance, foreign_id="same")).status_code == 302
    assert Registration.objects.filter(foreign_id="same").count() == 2


def test_the_page_calls_things_as_the_vendor_does(
    desk: Client, shop: Application, entrance: Channel, settings: Any
) -> None:
    settings.BASE_URL = "https://chat.example.com"
    body = desk.get(url("change", make(shop, entrance, protocol="genesys").pk)).content.decode()
    assert "ContactCenterId" in body
    assert "apikey" in body
    assert "https://chat.example.com/api<" in body
    for meaningless in ("Secret", "secret begins with", "Renew secret", 'name="uses_queue"', "domain key"):
        assert meaningless.lower() not in re.sub(r"<(style|script).*?</\1>", "", body, flags=re.S).lower(), meaningless
    hyper = desk.get(url("change", make(shop, entrance).pk)).content.decode()
    assert "ContactCenterId" not in hyper
    assert "Renew secret" in hyper


def test_what_means_nothing_there_is_not_changed_by_a_request_that_says_it(
    desk: Client, shop: Application, entrance: Channel
) -> None:
    kept = make(shop, entrance, protocol="genesys")
    answer = desk.post(url("change", kept.pk), genesys(shop, entrance))
    assert answer.status_code == 302
    assert desk.post(url("renew_secret", kept.pk)).status_code == 403
    kept.refresh_from_db()
    assert (kept.uses_queue, kept.secret_hash, kept.public_key) == (True, "", PUBLISHED)


def test_a_new_one_says_what_each_api_wants(desk: Client, entrance: Channel) -> None:
    body = desk.get(url("add")).content.decode()
    for said in ("HyperChat&#x27;s application id, Genesys&#x27; ContactCenterId", "Genesys&#x27; apikey"):
        assert said in body or said.replace("&#x27;", "'") in body
