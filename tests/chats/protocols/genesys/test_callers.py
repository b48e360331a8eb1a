"""Whose contact center a request means, and who may ask what."""

import base64

import pytest
from django.test import RequestFactory

from chats.errors import Forbidden, Unauthorized
from chats.models import Chat
from chats.protocols.genesys.callers import find_seat
from contactcenter.models import Application, ApplicationPassword, Channel, ContactCenter, Registration
from tests.cases import cases
from tests.chats.protocols.genesys.conftest import CONTACT_CENTER_ID, PUBLISHED, Page, is_error, make_place
from tests.conftest import MARKER, make_agent

pytestmark = pytest.mark.django_db
REQUEST = {"operationName": "RequestChat", "nickname": "Mia", "subject": "Parcel"}


def begun_in(**headers):
    """The slug of the center in which a request with these headers begins a chat."""
    answer = Page(**headers).post("chats", REQUEST)
    assert answer.status_code == 200, answer.content
    return Chat.objects.get(foreign__external_id=answer.json()["id"]).center.slug


def refused(**headers):
    answer = Page(**headers).post("chats", REQUEST)
    assert is_error(answer, 403, 3), answer.content
    assert MARKER not in answer.content.decode()
    assert not Chat.objects.exists()
    return answer.json()["statusMessage"]


# The center -----------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_a_contact_center_id_names_the_center(shop, other):
    assert begun_in(ContactCenterId=CONTACT_CENTER_ID) == "acme"
    assert begun_in(ContactCenterId=f"other-{MARKER}") == "globex"
    assert begun_in(contactcenterid=f"  {CONTACT_CENTER_ID} ") == "acme"


def test_an_apikey_names_the_center_where_only_one_has_it(acme, globex):
    make_place(acme, "a", key="key-of-acme")
    make_place(globex, "b", key="key-of-globex")
    assert begun_in(apikey="key-of-globex") == "globex"
    assert begun_in(apikey="key-of-acme") == "acme"


@pytest.mark.both
def test_both_together_name_one_of_several_with_the_published_key(shop, other):
    assert begun_in(ContactCenterId=f"other-{MARKER}", apikey=PUBLISHED) == "globex"


def test_where_several_have_the_key_the_host_decides(shop, other, acme, globex, settings):
    settings.ALLOWED_HOSTS = ["chat.globex.example", "testserver"]
    ContactCenter.objects.filter(pk=globex.center.pk).update(host="chat.globex.example")
    assert begun_in(apikey=PUBLISHED, Host="chat.globex.example:8443") == "globex"
    assert begun_in(Host="chat.globex.example") == "globex"


def test_and_on_no_centers_host_the_installations_default(shop, other, settings):
    settings.DEFAULT_CONTACT_CENTER = "acme"
    assert begun_in(apikey=PUBLISHED) == begun_in() == "acme"
    # Who names a center gets that one.
    assert begun_in(ContactCenterId=f"other-{MARKER}") == "globex"


@pytest.mark.both
def test_the_only_center_needs_no_name(shop, globex):
    assert begun_in() == begun_in(apikey=PUBLISHED) == begun_in(apikey="", ContactCenterId="") == "acme"


def test_of_two_accesses_of_one_center_the_older_one_takes_who_names_none(shop, acme):
    make_place(acme, "second")
    assert begun_in(apikey=PUBLISHED) == "acme"
    assert Chat.objects.get().foreign.registration == shop.registration


def test_where_it_is_not_clear_a_request_is_refused_with_what_to_do(shop, other, settings):
    settings.DEFAULT_CONTACT_CENTER = "nobody"
    assert "ContactCenterId" in refused()
    assert "ContactCenterId" in refused(apikey=PUBLISHED)


@pytest.mark.both
@cases(
    "headers",
    [
        {"ContactCenterId": "nobody"},
        {"apikey": "nobody"},
        {"ContactCenterId": CONTACT_CENTER_ID.upper()},
        {"ContactCenterId": CONTACT_CENTER_ID, "apikey": "nobody"},
        {"ContactCenterId": "nobody", "apikey": PUBLISHED},
        {"ContactCenterId": "x" * 5000},
        {"ContactCenterId": "é"},
        {"apikey": "a\0b"},
        {"apikey": "' OR 1=1 --"},
    ],
)
def test_an_unknown_id_is_refused(shop, settings, headers):
    settings.DEFAULT_CONTACT_CENTER = "acme"  # also where there is a default
    assert refused(**headers) == "This contact center is not known."


@cases("model", [Registration, Application, Channel, ContactCenter])
def test_what_is_switched_off_answers_nobody(shop, model):
    talk = shop.request()
    rows = {Registration: shop.registration, Application: shop.registration.application}
    rows |= {Channel: shop.registration.channel, ContactCenter: shop.registration.center}
    model.objects.filter(pk=rows[model].pk).update(is_active=False)
    assert is_error(shop.page.post("chats", REQUEST), 403, 3)
    assert is_error(Page().post("chats", REQUEST), 403, 3)
    assert is_error(Page().get(f"chats/{talk.id}"), 404, 6)
    assert Chat.objects.count() == 1


def test_an_access_of_another_api_is_none_here(acme, shop):
    Registration.objects.create(
        center=acme.center,
        application=shop.registration.application,
        channel=shop.registration.channel,
        protocol="hyperchat",
        foreign_id="hyper",
        public_key="hyper-key",
    )
    refused(ContactCenterId="hyper")
    refused(apikey="hyper-key")


@cases("path", ["chats/{id}", "chats/{id}/messages", "me/chat/{id}"])
def test_a_chat_is_reached_with_every_name_of_its_center_and_without_one(shop, path):
    talk = shop.request()
    for page in (shop.page, shop.keyed, Page()):
        assert page.get(path.replace("{id}", talk.id)).status_code == 200
    assert is_error(Page(apikey="nobody").get(path.replace("{id}", talk.id)), 403, 3)
    assert is_error(Page(ContactCenterId="nobody").get(path.replace("{id}", talk.id)), 403, 3)


# Credentials ----------------------------------------------------------------------------------------------------------


def basic(name, secret):
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


@pytest.mark.both
@cases("sent", ["Basic YTpi", "Bearer x", "Basic", "x", ""])
def test_customers_operations_with_credentials_are_refused(shop, sent):
    talk = shop.request()
    page = Page(ContactCenterId=CONTACT_CENTER_ID, Authorization=sent)
    assert is_error(page.post("chats", REQUEST), 403, 3)
    assert is_error(page.get(f"chats/{talk.id}"), 403, 3)
    assert is_error(page.get(f"chats/{talk.id}/messages"), 403, 3)
    assert is_error(page.post(f"chats/{talk.id}", {"operationName": "Complete"}), 403, 3)
    assert talk.row.is_open


@pytest.mark.both
@cases(
    ("method", "path"),
    [
        ("GET", "me"), ("GET", "me/"), ("POST", "me"), ("GET", "me/chats"), ("GET", "me/chats/"), ("POST", "me/chats/{id}"),
        ("GET", "me/devices"), ("GET", "me/calls/7"), ("POST", "me/chat/{id}"), ("PUT", "me/chats/{id}"), ("DELETE", "me/chats/{id}/messages"),
    ],
)  # fmt: skip
def test_secure_addresses_want_credentials(shop, method, path):
    talk = shop.request()
    body = {"operationName": "Complete"} if method == "POST" else None
    assert is_error(shop.page.call(method, path.replace("{id}", talk.id), body), 401, 20)
    assert talk.row.is_open


def seat_of(**headers):
    names = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    return find_seat(RequestFactory().get("/", **names))


@pytest.mark.both
def test_an_agent_proves_it_by_an_application_password(ann, shop):
    _, secret = ApplicationPassword.issue(ann.user, "program")
    assert seat_of(authorization=basic("ann", secret)) == ann
    assert seat_of(authorization=basic("Ann@example.com", secret), contactcenterid=CONTACT_CENTER_ID) == ann


@cases(
    "sent",
    [
        "",
        "Bearer x",
        "Basic",
        "Basic !",
        "Basic 4pyT",
        "Basic é",
        basic("ann", "correct horse"),
        basic("ann", ""),
        basic("", "x"),
    ],
)
def test_nothing_else_is_a_proof(ann, shop, sent):
    with pytest.raises(Unauthorized):
        seat_of(authorization=sent)


def test_an_agent_has_a_seat_in_the_center_that_is_named_or_none(ann, shop, other, globex, settings):
    settings.ALLOWED_HOSTS = ["chat.globex.example", "testserver"]
    _, secret = ApplicationPassword.issue(ann.user, "program")
    with pytest.raises(Forbidden):
        seat_of(authorization=basic("ann", secret), contactcenterid=f"other-{MARKER}")
    elsewhere = make_agent(globex, "Second")
    type(elsewhere).objects.filter(pk=elsewhere.pk).update(user=ann.user)
    ContactCenter.objects.filter(pk=globex.center.pk).update(host="chat.globex.example")
    assert seat_of(authorization=basic("ann", secret), contactcenterid=f"other-{MARKER}") == elsewhere
    assert seat_of(authorization=basic("ann", secret), host="chat.globex.example") == elsewhere
    with pytest.raises(Forbidden, match="not clear"):
        seat_of(authorization=basic("ann", secret))
    settings.DEFAULT_CONTACT_CENTER = "acme"
    assert seat_of(authorization=basic("ann", secret)) == ann


def test_a_stranger_has_no_seat(eve, shop):
    _, secret = ApplicationPassword.issue(eve, "program")
    with pytest.raises(Forbidden, match="no seat"):
        seat_of(authorization=basic("eve", secret))
