"""Users as HyperChat's clients make, look up and change them."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from chats.actions.close import close_chat
from chats.actions.customers import merge_customers, update_customer
from chats.models import Chat, Customer, CustomerSession, ForeignCustomer
from tests.cases import cases
from tests.chats.protocols.hyperchat.conftest import is_error
from tests.conftest import make_customer


@pytest.mark.both
def test_the_application_id_alone_makes_a_user_with_a_token(direct):
    answer = direct.page.post("users", {"name": "Mia"})
    assert answer.status_code == 200
    said = answer.json()
    assert set(said) == {"user", "session"}
    customer = Customer.objects.get()
    assert said["user"] == {
        "id": str(customer.pk),
        "name": "Mia",
        "nickname": "",
        "contact": "",
        "externalId": "",
        "extraInfo": {},
        "providerId": "",
        "chats": [],
    }
    own = direct.as_user(said["session"]["token"]).get(f"users/{customer.pk}")
    assert own.json() == {"user": said["user"]}


def test_the_domain_key_and_the_secret_make_users_too(direct):
    for caller in (direct.keyed, direct.server):
        assert caller.post("users/", {"name": "Mia"}).status_code == 200
    assert Customer.objects.count() == 2


def test_everything_comes_back_as_it_was_sent(direct):
    extra = {"plan": "gold", "visits": 3, "vip": True, "nested": {"a": [1, "2", None]}}
    body = {"name": "Mia", "nickname": "M", "contact": "mia@example.com", "externalId": "c-1", "extraInfo": extra}
    user = direct.server.post("users", body).json()["user"]
    assert {name: user[name] for name in body} == body
    again = direct.server.get(f"users/{user['id']}").json()["user"]
    assert again == user


def test_agents_see_address_and_extra_information(direct):
    body = {"name": "Mia", "contact": "mia@example.com", "lang": "de", "extraInfo": {"plan": "gold", "gone": None}}
    direct.server.post("users", body)
    customer = Customer.objects.get()
    assert (customer.email, customer.language, customer.data) == ("mia@example.com", "de", {"plan": "gold"})


def test_a_contact_that_is_no_address_is_given_back_all_the_same(direct):
    user = direct.server.post("users", {"name": "Mia", "contact": "+49 30 123456"}).json()["user"]
    assert user["contact"] == "+49 30 123456"
    assert Customer.objects.get().email == ""


def test_a_number_is_taken_for_a_text(direct):
    user = direct.server.post("users", {"name": 12, "externalId": 4711}).json()["user"]
    assert (user["name"], user["externalId"]) == ("12", "4711")
    assert direct.server.get("users/?externalId=4711").json()["users"] == [user]


def test_a_long_name_is_cut_and_not_refused(direct):
    user = direct.page.post("users", {"name": "x" * 5000}).json()["user"]
    assert user["name"] == "x" * 100


def test_an_empty_object_as_php_writes_it_is_taken(direct):
    user = direct.page.post("users", {"name": "Mia", "extraInfo": []}).json()["user"]
    assert user["extraInfo"] == {}


def test_unknown_members_are_left_out(direct):
    user = direct.page.post("users", {"name": "Mia", "providerId": "contactcenter", "id": "1", "x": 1}).json()["user"]
    assert user["providerId"] == ""
    assert user["id"] != "1"


@pytest.mark.both
def test_trap_a_taken_external_id_is_409_as_an_integer(direct):
    direct.page.post("users", {"name": "Mia", "externalId": "c-1"})
    answer = direct.page.post("users", {"name": "Eve", "externalId": "c-1"})
    assert is_error(answer, 409)
    assert '"code":409' in answer.content.decode()
    assert list(Customer.objects.values_list("name", flat=True)) == ["Mia"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_many_that_want_one_external_id_at_once_one_gets_it(direct):
    def make(_number: int) -> int:
        try:
            status: int = direct.page.post("users", {"name": "Mia", "externalId": "c-1"}).status_code
        finally:
            connections.close_all()
        return status

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(make, range(4))) == [200, 409, 409, 409]
    assert ForeignCustomer.objects.count() == Customer.objects.count() == 1


def test_an_external_id_leads_to_nobody_of_another_door_or_application(direct, queued, acme, foreign):
    known = make_customer(acme, "Known")
    Customer.objects.filter(pk=known.pk).update(external_id="c-1", is_identified=True)
    ids = {
        place.page.post("users", {"name": "Eve", "externalId": "c-1"}).json()["user"]["id"]
        for place in (direct, queued, foreign)
    }
    assert len(ids | {str(known.pk)}) == 4


def test_users_are_found_by_their_external_id(direct, queued):
    mia = direct.user("Mia", external_id="c-1").foreign
    direct.user("Max", external_id="c-2")
    queued.user("Moe", external_id="c-1")
    found = direct.server.get("users/?externalId=c-1").json()["users"]
    assert [user["id"] for user in found] == [str(mia.customer_id)]
    assert direct.server.get("users?externalId=nobody").json() == {"users": []}
    assert direct.server.get("users?externalId=").json() == {"users": []}


def test_all_users_come_in_pages_the_newest_first(direct, queued):
    for name in ("Mia", "Max", "Moe"):
        direct.user(name)
    queued.user("Other")
    first = direct.server.get("users?limit=2").json()["users"]
    second = direct.server.get("users?limit=2&page=2").json()["users"]
    assert [user["name"] for user in first + second] == ["Moe", "Max", "Mia"]


def test_many_users_are_listed_in_few_queries(direct, django_assert_max_num_queries):
    for number in range(8):
        direct.chat(direct.user(str(number)).foreign)
    with django_assert_max_num_queries(8):
        users = direct.server.get("users").json()["users"]
    assert [len(user["chats"]) for user in users] == [1] * 8


@pytest.mark.both
def test_trap_a_closed_chat_leaves_the_users_chats(direct):
    user = direct.user().foreign
    chat = direct.chat(user)
    path = f"users/{user.customer_id}"
    assert direct.server.get(path).json()["user"]["chats"] == [str(chat.pk)]
    close_chat(Chat.objects, chat.pk, reason=Chat.CloseReason.DONE, now=timezone.now())
    assert direct.server.get(path).json()["user"]["chats"] == []


def test_agents_are_users_with_a_provider(direct, ann):
    chat = direct.held_chat(ann)
    user = direct.server.get(f"users/{ann.pk}").json()["user"]
    assert user["providerId"]
    assert (user["id"], user["name"], user["nickname"], user["chats"]) == (str(ann.pk), "Ann", "Ann", [str(chat.pk)])
    assert "example.com" not in json.dumps(user)


def test_an_agents_chats_of_other_applications_are_not_told(direct, queued, ann):
    queued.held_chat(ann)
    assert direct.server.get(f"users/{ann.pk}").json()["user"]["chats"] == []


def test_the_system_is_a_user_with_a_provider(direct):
    user = direct.server.get("users/system").json()["user"]
    assert (user["id"], user["name"]) == ("system", "Acme")
    assert user["providerId"]


def test_what_is_named_changes_and_the_rest_stays(direct):
    user = direct.server.post(
        "users", {"name": "Mia", "externalId": "c-1", "contact": "mia@example.com", "extraInfo": {"a": 1, "b": 2}}
    ).json()["user"]
    changed = direct.server.put(f"users/{user['id']}", {"nickname": "M", "extraInfo": {"b": 3}}).json()["user"]
    assert changed == user | {"nickname": "M", "extraInfo": {"b": 3}}
    assert Customer.objects.get().data == {"b": 3}
    renamed = direct.server.put(f"users/{user['id']}/", {"name": "Mia M", "externalId": "c-2", "contact": None})
    assert renamed.json()["user"] == changed | {"name": "Mia M", "externalId": "c-2"}


def test_another_users_external_id_is_refused(direct):
    direct.user("Mia", external_id="c-1")
    other = direct.user("Max", external_id="c-2").foreign
    assert is_error(direct.server.put(f"users/{other.customer_id}", {"externalId": "c-1", "name": "Eve"}), 409)
    other.refresh_from_db()
    assert (other.external_id, other.customer.name) == ("c-2", "Max")


def test_a_user_changes_itself_and_nobody_else(direct):
    mia, max_ = direct.user("Mia"), direct.user("Max")
    caller = direct.as_user(mia.token)
    assert caller.put(f"users/{mia.foreign.customer_id}", {"name": "Mia M"}).json()["user"]["name"] == "Mia M"
    assert is_error(caller.put(f"users/{max_.foreign.customer_id}", {"name": "Eve"}), 404)
    assert is_error(caller.get(f"users/{max_.foreign.customer_id}"), 404)
    assert is_error(caller.get("users?externalId=c-1"), 403)
    assert Customer.objects.get(pk=max_.foreign.customer_id).name == "Max"


def test_agents_are_not_changed_as_users(direct, ann):
    assert is_error(direct.server.put(f"users/{ann.pk}", {"name": "Eve"}), 404)
    ann.refresh_from_db()
    assert ann.name == "Ann"


def test_who_was_merged_into_another_record_is_found_under_both_ids(direct, acme):
    user = direct.user("Mia", external_id="c-1")
    chat = direct.chat(user.foreign)
    other = make_customer(acme, "Mia Miller")
    merge_customers(user.foreign.customer, other)
    old = direct.server.get(f"users/{user.foreign.customer_id}").json()["user"]
    assert old == direct.server.get(f"users/{other.pk}").json()["user"]
    assert (old["id"], old["externalId"], old["chats"]) == (str(other.pk), "c-1", [str(chat.pk)])
    assert direct.server.get(f"chats/{chat.pk}").json()["chat"]["creator"] == str(other.pk)
    assert direct.as_user(user.token).get(f"users/{other.pk}").status_code == 200


def test_customers_of_other_doors_are_nobody_here(direct, acme):
    customer = make_customer(acme)
    assert is_error(direct.server.get(f"users/{customer.pk}"), 404)
    assert is_error(direct.server.put(f"users/{customer.pk}", {"name": "Eve"}), 404)


@cases("user_id", ["0", "x" * 100, "00000000-0000-7000-8000-000000000000", "%00", "null", "1-2"])
def test_an_unknown_id_is_not_found(direct, user_id):
    assert is_error(direct.server.get(f"users/{user_id}"), 404)
    assert is_error(direct.server.put(f"users/{user_id}", {"name": "Eve"}), 404)


def test_another_applications_users_are_not_found(direct, queued, foreign, gil):
    for user_id in (queued.user().foreign.customer_id, foreign.user().foreign.customer_id, gil.pk):
        assert is_error(direct.server.get(f"users/{user_id}"), 404)


@cases(
    "body",
    [
        {},
        {"name": ""},
        {"name": "  "},
        {"name": None},
        {"name": []},
        {"name": {}},
        {"name": True},
        {"name": "Mia", "externalId": "x" * 201},
        {"name": "Mia", "externalId": ["c"]},
        {"name": "Mia", "contact": "x" * 255},
        {"name": "Mia", "extraInfo": "text"},
        {"name": "Mia", "extraInfo": [1]},
        {"name": "Mia", "extraInfo": {"a": "x" * 9000}},
        {"name": "a\0b"},
        [],
        "Mia",
        None,
        3,
        b"",
        b"{",
        b'{"name": "\\ud800"}',
        b'{"name": NaN}',
        b"\xff\xfe",
        b"[" * 5000,
    ],
)
def test_odd_bodies_are_refused_and_nothing_is_made(direct, body):
    answer = direct.page.call("POST", "users", body if isinstance(body, bytes) else json.dumps(body).encode())
    assert is_error(answer, 400)
    assert not Customer.objects.exists()
    assert not CustomerSession.objects.exists()


@cases(
    "body",
    [{"externalId": "x" * 201}, {"externalId": {}}, {"extraInfo": 3}, {"name": []}, {"name": ""}, {"lang": "??"}, []],
)
def test_odd_changes_are_refused_and_nothing_changes(direct, body):
    user = direct.user("Mia", external_id="c-1").foreign
    assert is_error(direct.server.put(f"users/{user.customer_id}", body), 400)
    user.refresh_from_db()
    assert (user.customer.name, user.external_id, user.facts) == ("Mia", "c-1", {})


@cases("query", ["page=0", "page=x", "limit=0", "limit=1000000", "page=99999999999999999999"])
def test_odd_pages_are_refused(direct, query):
    assert is_error(direct.server.get(f"users?{query}"), 400)


def test_a_form_is_taken_as_well(direct):
    answer = direct.page.client.post("/v1/users", {"name": "Mia"}, headers=direct.page.headers)
    assert answer.json()["user"]["name"] == "Mia"


def test_trap_a_read_with_an_old_upload_as_its_body_is_answered(direct):
    user = direct.user().foreign
    broken = b"--x\r\nContent-Disposition: form-data; name=media; filename=a.png\r\n\r\n\xff"
    answer = direct.server.client.generic(
        "GET",
        f"/v1/users/{user.customer_id}",
        broken,
        content_type="multipart/form-data; boundary=x",
        headers=direct.server.headers,
    )
    assert answer.json()["user"]["id"] == str(user.customer_id)


def test_the_name_that_an_agent_corrects_is_told(direct, now):
    user = direct.user("mia").foreign
    update_customer(user.customer, {"name": "Mia Miller"}, now=now)
    assert direct.server.get(f"users/{user.customer_id}").json()["user"]["name"] == "Mia Miller"


def test_a_token_lasts_as_long_as_it_is_used(direct):
    user = direct.user()
    half = timezone.now() + timedelta(days=10)
    CustomerSession.objects.update(expires_at=half)
    assert direct.as_user(user.token).get(f"users/{user.foreign.customer_id}").status_code == 200
    assert CustomerSession.objects.get().expires_at > half
    CustomerSession.objects.update(expires_at=timezone.now())
    assert is_error(direct.as_user(user.token).get(f"users/{user.foreign.customer_id}"), 401)


def test_a_token_of_another_application_proves_nothing(direct, queued):
    user = queued.user()
    assert is_error(direct.as_user(user.token).get(f"users/{user.foreign.customer_id}"), 401)
