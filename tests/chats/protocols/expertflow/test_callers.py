"""Whose contact center a request means, who may speak for an account, and that no center reaches another's."""

import pytest

from chats.models import Chat, Connector
from contactcenter.models import Application, Channel, ContactCenter, Registration
from tests.chats.protocols.expertflow.conftest import HISTORY, INIT, OTHERS_SECRET, SECRET, Page, is_error, make_place
from tests.conftest import MARKER

pytestmark = pytest.mark.django_db
BODY = {"firstName": "Mia", "channel": "sms", "refId": "+491"}


def begun_in(path=INIT, body=BODY, **headers):
    """The center in which a request begins a chat, and whether it was proven."""
    answer = Page(**headers).call("POST", path, body)
    assert answer.status_code == 200, answer.content
    chat = Chat.objects.get(foreign__external_id=answer.json()["conversationId"])
    return chat.center.slug, chat.foreign.connector is not None


def refused(status, path=INIT, body=BODY, **headers):
    answer = Page(**headers).call("POST", path, body)
    assert is_error(answer, status), answer.content
    return answer.json()["message"]


# The center -----------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_a_center_is_named_in_the_body_the_address_or_a_header(desk, other):
    for name in ("contactCenterId", "ContactCenterId", "CONTACTCENTERID"):
        assert begun_in(body=BODY | {name: "acme-chat"}) == ("acme", False)
        assert begun_in(f"{INIT}?{name}=other-{MARKER}") == ("globex", False)
    assert begun_in(contactcenterid=f"other-{MARKER}") == ("globex", False)
    assert begun_in(ContactCenterId="acme") == begun_in(ContactCenterId=" acme-chat ") == ("acme", False)
    # What the body names goes first.
    assert begun_in(body=BODY | {"contactCenterId": "acme"}, ContactCenterId="globex") == ("acme", False)


def test_who_names_none_means_the_only_one_the_hosts_or_the_default(desk, globex, settings):
    assert begun_in() == begun_in(body=BODY | {"contactCenterId": ""}) == ("acme", False)
    make_place(globex, "late", OTHERS_SECRET)
    assert "contactCenterId" in refused(403)
    settings.DEFAULT_CONTACT_CENTER = "acme"
    assert begun_in() == ("acme", False)
    settings.ALLOWED_HOSTS = ["chat.globex.example", "testserver"]
    ContactCenter.objects.filter(pk=globex.center.pk).update(host="chat.globex.example")
    assert begun_in(Host="chat.globex.example:8443") == ("globex", False)


def test_an_unknown_center_and_one_that_is_switched_off_are_refused(desk, acme):
    for named in ("nobody", "ACME-CHAT", "é", "x" * 5000, "a\0b", "' OR 1=1 --"):
        assert refused(403, ContactCenterId=named)
    for named in ("nobody", 5, ["acme"], {"id": "acme"}, True):
        assert refused(403, body=BODY | {"contactCenterId": named})
    rows = {Registration: desk.registration, Application: desk.registration.application}
    rows |= {Channel: desk.registration.channel, ContactCenter: acme.center}
    for model, row in rows.items():
        for headers in ({}, {"ContactCenterId": "acme-chat"}, {"Authorization": f"Bearer {SECRET}"}):
            model.objects.filter(pk=row.pk).update(is_active=False)
            refused(403, **headers)
            model.objects.filter(pk=row.pk).update(is_active=True)
    Registration.objects.update(protocol=Registration.Protocol.GENESYS)
    refused(403)
    assert not Chat.objects.exists()


# The secret -----------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_a_secret_is_shown_as_a_header_in_the_address_or_in_the_body(desk):
    for proven in (
        begun_in(Authorization=f"Bearer {SECRET}"),
        begun_in(Authorization=f"bearer  {SECRET} "),
        begun_in(f"{INIT}?secret={SECRET}"),
        begun_in(f"{INIT}?applicationSecret={SECRET}"),
        begun_in(body=BODY | {"secret": SECRET}),
        begun_in(body=BODY | {"ApplicationSecret": SECRET}),
    ):
        assert proven == ("acme", True)
    assert Chat.objects.count() == 1


def test_a_wrong_secret_opens_nothing_not_even_what_none_would(desk, other, settings):
    for shown in ("wrong", SECRET[:-1], SECRET.upper(), OTHERS_SECRET, "é", "x" * 500):
        refused(401, ContactCenterId="acme", Authorization=f"Bearer {shown}")
        refused(401, body=BODY | {"contactCenterId": "acme", "secret": shown})
    for shown in (5, ["x"], {"a": SECRET}):
        refused(401, body=BODY | {"contactCenterId": "acme", "secret": shown})
    assert not Chat.objects.exists()
    assert not Connector.objects.exists()
    # Guesses are counted, and a right one is none.
    for _ in range(30):
        answer = Page(ContactCenterId="acme", Authorization="Bearer wrong").init()
    assert is_error(answer, 429)
    assert begun_in(ContactCenterId="acme", Authorization=f"Bearer {SECRET}") == ("acme", True)


def test_of_two_accesses_of_one_center_the_one_whose_secret_is_shown_is_meant(desk, acme):
    second = make_place(acme, "second", "the-second-secret")
    begun_in(ContactCenterId="acme", Authorization="Bearer the-second-secret")
    begun_in(ContactCenterId="acme")
    begun_in(ContactCenterId="second")
    found = Chat.objects.order_by("started_at").values_list("foreign__registration", flat=True)
    assert list(found) == [second.registration.pk, desk.registration.pk, second.registration.pk]


# Two centers ----------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_the_same_account_is_somebody_else_in_another_center(desk, other, ann, gil):
    mine, theirs = desk.carried("+491"), other.carried("+491", firstName=MARKER)
    assert mine.id != theirs.id
    assert mine.row.customer != theirs.row.customer
    assert (mine.row.center, theirs.row.center) == (desk.registration.center, other.registration.center)
    theirs.held_by(gil).closed_by(gil)
    mine.held_by(ann).closed_by(ann)
    # By id, by account, by secret: nothing of the one is reached as the other.
    for page in (desk.page, desk.program):
        assert is_error(page.get(f"/api/customer/transcript/{theirs.id}/pdf"), 404)
        assert is_error(page.get(f"/api/customer/transcript/{theirs.id}/email"), 404)
        again = page.init(channel="sms", refId="+491", participantId=theirs.me)
        assert MARKER not in again.content.decode()
        assert again.json()["conversationId"] not in (mine.id, theirs.id)
    for named in ("globex", f"other-{MARKER}"):
        answer = Page(ContactCenterId=named, Authorization=f"Bearer {SECRET}").get(f"{HISTORY}?refId=%2B491")
        assert is_error(answer, 401)
    assert desk.past("%2B491").json()["messages"] == []
