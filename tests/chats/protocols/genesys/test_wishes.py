"""What a new chat is asked for with: who the customer is, which team is meant, what else the page knows."""

import pytest

from chats.models import Chat, Customer
from contactcenter.models import Team
from tests.cases import cases
from tests.chats.protocols.genesys.conftest import is_error

pytestmark = pytest.mark.django_db


@cases(
    ("endpoint", "team"),
    [
        ("SalesQueue", "sales"),  # its name here
        ("sales", "sales"),
        ("SALES", "sales"),  # a team's name in any case
        ("Support", "support"),
        ("", "support"),
        (None, "support"),
        ("nobody", "support"),
        ("x" * 900, "support"),
    ],
)
def test_an_endpoint_is_a_team_and_an_unknown_one_the_default_team(shop, endpoint, team):
    assert shop.request(endpoint=endpoint).row.team.key == team


def test_an_endpoint_never_leads_to_a_closed_team_or_another_center(shop, acme, globex):
    Team.objects.create(center=globex.center, key="repairs", name="Repairs")
    Team.objects.filter(pk=acme.sales.pk).update(is_active=False)
    assert shop.request(endpoint="repairs").row.team == acme.support
    assert shop.request(endpoint="SalesQueue").row.team == acme.support


def test_without_any_team_a_request_is_refused(shop, acme):
    Team.objects.filter(center=acme.center).update(is_active=False)
    answer = shop.page.post("chats", {"operationName": "RequestChat", "nickname": "Mia", "subject": "x"})
    assert is_error(answer, 400, 10)
    assert not Customer.objects.exists()


@pytest.mark.both
def test_user_data_is_kept_with_the_chat_and_fills_the_customers_own_fields(shop):
    data = {"FirstName": "Ada", "LastName": "Lovelace", "EmailAddress": "ada@example.com", "order": {"no": 17}}
    talk = shop.request("ada99", userData=data)
    customer = talk.row.customer
    assert talk.row.data == data
    assert (customer.name, customer.email, customer.is_identified) == ("Ada Lovelace", "ada@example.com", False)
    # Here the customer keeps the nickname.
    assert talk.state()["participants"][0]["nickname"] == "ada99"
    talk.say("Hi")
    assert {one["from"]["nickname"] for one in talk.messages("index=0") if one["from"]["type"] == "Customer"} == {
        "ada99"
    }


@cases(
    ("data", "name", "email", "phone"),
    [
        ({}, "Mia", "", ""),
        (None, "Mia", "", ""),
        ({"FirstName": "Ada"}, "Ada", "", ""),
        ({"LastName": " Lovelace "}, "Lovelace", "", ""),
        ({"firstName": "Ada", "lastName": "L", "emailAddress": "a@b.example"}, "Ada L", "a@b.example", ""),
        ({"FirstName": 5, "LastName": [], "EmailAddress": {}}, "Mia", "", ""),
        ({"FirstName": "x" * 101}, "Mia", "", ""),
        ({"EmailAddress": "no address"}, "Mia", "", ""),
        ({"EmailAddress": "a@" + "b" * 60 + "." + "c" * 250 + ".example"}, "Mia", "", ""),
        ({"PhoneNumber": "+49 30 1234"}, "Mia", "", "+49 30 1234"),
        ({"PhoneNumber": "1" * 33}, "Mia", "", ""),
    ],
)
def test_user_data_that_fits_no_field_stays_data_alone(shop, data, name, email, phone):
    talk = shop.request("Mia", userData=data)
    customer = talk.row.customer
    assert (customer.name, customer.email, customer.phone) == (name, email, phone)
    assert talk.row.data == (data or {})


@cases(
    "lacking",
    [{"nickname": None}, {"nickname": ""}, {"nickname": "  "}, {"subject": None}, {"subject": ""}, {"subject": "\n"}],
)
def test_nickname_and_subject_are_required(shop, lacking):
    body = {"operationName": "RequestChat", "nickname": "Mia", "subject": "Parcel", **lacking}
    answer = shop.page.post("chats", body)
    assert is_error(answer, 400, 1)
    assert answer.json()["statusMessage"] == f"{next(iter(lacking))} is required."
    assert not Chat.objects.exists()


def test_outside_its_hours_a_team_takes_no_chat(shop, acme):
    Team.objects.filter(pk=acme.support.pk).update(always_open=False)
    answer = shop.page.post("chats", {"operationName": "RequestChat", "nickname": "Mia", "subject": "x"})
    assert is_error(answer, 400, 2)
