"""Profiles: free-form JSON beside our own fields; whose they are, and what cannot be kept."""

import threading

import pytest
from django.db import connection
from django.utils import timezone

from chats.actions.customers import update_customer
from chats.actions.profiles import ensure_profile
from chats.models import Customer, ForeignCustomer
from contactcenter.models import RegistrationTeam
from tests.cases import cases

from .conftest import TEAM

pytestmark = [pytest.mark.django_db, pytest.mark.both]

MIA = {"name": "Mia Berger", "email": "mia@shop.example", "phoneNumber": "+4930123", "shoe": {"size": 38}}


def test_a_profile_is_made_read_replaced_and_merged(space):
    made = space.put("profiles/mia", MIA | {"id": "other", "_createdBy": "eve"})
    assert made.status_code == 200, made.content
    shown = made.json()
    assert {key: shown[key] for key in MIA} == MIA
    assert (shown["id"], shown["_createdBy"]) == ("mia", f"access:{space.application.pk}")
    customer = ForeignCustomer.objects.get(external_id="mia").customer
    assert (customer.name, customer.email, customer.phone) == ("Mia Berger", "mia@shop.example", "+4930123")

    app = space.app("mia")
    merged = app.patch("profiles/mia", {"shoe": None, "hat": "L"}).json()
    assert (merged.get("shoe"), merged["hat"], merged["name"]) == (None, "L", "Mia Berger")
    assert merged["_updatedBy"] == "session:mia"
    assert space.basic.put("profiles/mia", {"hat": "M"}).status_code == 200
    read = app.get("profiles/mia").json()
    assert (read["hat"], read.get("email"), read.get("name")) == ("M", None, None)
    customer.refresh_from_db()
    assert (customer.name, customer.email) == ("", "")


def test_what_staff_change_is_seen_and_what_is_no_email_stays_in_the_profile(space):
    app = space.app("mia", name="")
    app.put("profiles/mia", {"firstName": "Mia", "lastName": "Berger", "email": "no email", "phoneNumber": "1" * 40})
    customer = Customer.objects.get(pk=app.profile.customer_id)
    assert (customer.name, customer.email, customer.phone) == ("Mia Berger", "", "")
    update_customer(customer, {"name": "Mia Stern", "email": "stern@shop.example"}, now=timezone.now())
    shown = app.get("profiles/mia").json()
    assert (shown["name"], shown["email"], shown["phoneNumber"]) == ("Mia Stern", "no email", "1" * 40)


def test_a_stale_change_is_refused(space):
    space.put("profiles/mia", {"a": 1})
    etag = space.get("profiles/mia").headers["ETag"]
    assert space.put("profiles/mia", {"a": 2}, headers={"if-match": etag}).status_code == 200
    assert space.patch("profiles/mia", {"a": 3}, headers={"if-match": etag}).status_code == 412
    assert space.delete("profiles/mia", headers={"if-match": etag}).status_code == 412
    assert space.put("profiles/new", {"a": 3}, headers={"if-match": etag}).status_code == 412
    assert not ForeignCustomer.objects.filter(external_id="new").exists()
    assert space.get("profiles/mia").json()["a"] == 2
    fresh = space.get("profiles/mia").headers["ETag"]
    assert space.delete("profiles/mia", headers={"if-match": fresh}).status_code == 204


def test_an_app_opens_its_own_profile_only(space, other):
    mia, tom = space.app("mia"), space.app("tom")
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        body = {"a": 1} if method in ("PUT", "PATCH") else None
        assert mia.call(method, "profiles/tom", body).status_code == 403
        assert mia.call(method, "profiles/nobody", body).status_code == 403
    assert mia.delete("profiles/mia").status_code == 403
    assert [one["id"] for one in mia.get("profiles").json()] == ["mia"]
    assert tom.get("profiles/tom").status_code == 200
    assert other.get("profiles/mia").status_code == 404
    assert other.get("profiles").json() == []


def test_a_deleted_profile_is_gone_until_it_is_named_again(space):
    app = space.app("mia")
    space.put("profiles/mia", MIA)
    assert space.delete("profiles/mia").status_code == 204
    assert space.get("profiles/mia").status_code == 404
    assert space.delete("profiles/mia").status_code == 404
    assert space.get("profiles").json() == []
    assert app.get("profiles/mia").status_code == 401  # its sessions have ended
    assert space.patch("profiles/mia", {"hat": "S"}).json()["hat"] == "S"
    assert "shoe" not in space.get("profiles/mia").json()
    assert ForeignCustomer.objects.count() == 1


def test_programs_search_profiles(space):
    space.put("profiles/mia", MIA | {"club": "gold"})
    space.put("profiles/tom", {"name": "Tom", "club": "silver", "in": "x", "n": 5})

    def found(**query):
        return sorted(one["id"] for one in space.get("profiles", **query).json())

    assert found() == ["mia", "tom"]
    assert found(email="MIA@shop.example") == ["mia"]
    assert found(club="silver") == ["tom"]
    assert found(club="silver", name="mia") == []
    assert found(id="mia") == ["mia"]
    assert found(startswith="x") == []
    assert found(n="5") == ["tom"]
    for odd in ({"a b": "1"}, {"club": "\0"}, {"x" * 51: "1"}, {f"k{n}": "1" for n in range(6)}):
        assert space.get("profiles", **odd).status_code == 400


@cases("profile_id", ["a b", "ünï", "mia@shop.example", "auth0|1", "x" * 200])
def test_ids_are_the_centers_own(space, profile_id):
    from urllib.parse import quote

    path = f"profiles/{quote(profile_id)}"
    assert space.put(path, {"a": 1}).json()["id"] == profile_id
    assert space.get(path).json()["a"] == 1


@cases("profile_id", ["x" * 201, "%20", "a%5Cb", "%0A", "%00"])
def test_odd_ids_are_refused(space, profile_id):
    assert space.put(f"profiles/{profile_id}", {"a": 1}).status_code in (400, 404)
    assert not ForeignCustomer.objects.exists()


@cases(
    "body",
    [
        [1],
        "text",
        5,
        {"a": "x" * 17_000},
        b'{"a": "\\ud800"}',
        b'{"a": "\\u0000"}',
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b"{",
        b'{"a":' * 60 + b"1" + b"}" * 60,
    ],
)
def test_odd_profiles_are_refused(space, body):
    for method in ("PUT", "PATCH"):
        assert space.call(method, "profiles/mia", body).status_code == 400
    assert not ForeignCustomer.objects.exists()


@cases("value", [5, None, True, [], {}, "", " ", "x" * 2500])
def test_known_members_of_odd_kinds_stay_in_the_profile(space, value):
    body = dict.fromkeys(("name", "email", "phoneNumber", "firstName", "lastName"), value)
    assert space.put("profiles/mia", body).status_code == 200
    assert space.get("profiles/mia").status_code == 200


def test_many_small_merges_do_not_outgrow_the_limit(space):
    for number in range(3):
        answer = space.patch("profiles/mia", {f"k{number}": "x" * 7000})
    assert answer.status_code == 400
    assert set(space.get("profiles/mia").json()) >= {"k0", "k1"}


def test_an_app_sees_the_agents_of_its_own_chats_as_their_team(space, acme, other, ann):
    app = space.app("mia")
    path = f"profiles/PLATFORMUSER%5C{ann.user.email}"
    assert app.get(path).status_code == 404
    assert space.get(path).json()["name"] == ann.name
    assert other.get(path).status_code == 404
    assert space.put(path, {"a": 1}).status_code == 403
    chat = begun(space, "mia")
    space.held(chat, ann)
    assert app.get(path).json()["name"] == acme.support.name
    team = RegistrationTeam.objects.get(registration=space.registration, foreign_id=TEAM)
    team.facts = {"appMessaging": {"replyAs": "individual"}}
    team.save()
    assert app.get(path).json()["name"] == ann.name
    assert space.app("tom").get(path).status_code == 404


def begun(space, profile_id):
    from chats.actions.start import Start, start_chat

    start = Start(client_id="c1", has_lease=False)
    started = start_chat(space.registration.channel, space.profile(profile_id).customer, start, now=timezone.now())
    return started.chat.pk


def test_our_own_id_of_a_customer_names_that_customer(space, other, acme):
    customer = Customer.objects.create(center=acme.center, name="Walk-in")
    assert space.put(f"profiles/{customer.pk}", {"hat": "L"}).json()["name"] == "Walk-in"
    assert other.put(f"profiles/{customer.pk}", {"hat": "L"}).json().get("name") is None
    assert ForeignCustomer.objects.filter(customer=customer).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_name_a_profile_at_once_both_find_one(space):
    if connection.vendor != "postgresql":
        pytest.skip("one writer at a time")
    found, barrier = [], threading.Barrier(4)

    def name_it():
        barrier.wait()
        found.append(ensure_profile(space.registration, "mia", actor="access:x", now=timezone.now()).pk)
        connection.close()

    threads = [threading.Thread(target=name_it) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert Customer.objects.filter(foreign__external_id="mia").count() == Customer.objects.count() == 1
