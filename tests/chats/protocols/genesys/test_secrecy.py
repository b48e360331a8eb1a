"""A chat's id is its customer's only proof: nobody else learns it, and it reaches nothing else."""

import pytest

from chats.models import ForeignLine
from tests.chats.outbox.conftest import make_webhook
from tests.chats.protocols.genesys.conftest import Page, is_error

pytestmark = pytest.mark.django_db


def test_staff_never_learn_the_id_by_which_the_customer_proves_to_be_it(shop, ann, client):
    talk = shop.request(userData={"plan": "gold"}).held_by(ann)
    talk.say("Hello")
    client.force_login(ann.user)
    for path in (f"chats/{talk.row.pk}", f"chats/{talk.row.pk}/events", "chats"):
        answer = client.get(f"/api/v1/{path}")
        assert answer.status_code == 200
        assert talk.id not in answer.content.decode()
    assert "gold" in client.get(f"/api/v1/chats/{talk.row.pk}").content.decode()
    assert talk.row.client_id != talk.id
    assert talk.id not in str(talk.foreign)


@pytest.mark.both
def test_web_hooks_never_learn_it_either(shop, acme):
    everything = make_webhook(acme, "http://127.0.0.1:9/")
    talk = shop.request()
    talk.say("Hello")
    talk.do("Complete")
    told = [delivery.payload for delivery in everything.deliveries.all()]
    assert {one["type"] for one in told} >= {"chat.started", "message.posted", "chat.closed"}
    assert {one["data"]["chat"]["external_id"] for one in told} == {None}
    assert talk.id not in str(told)


def test_lines_carry_no_id_of_ours(shop, ann):
    talk = shop.request().held_by(ann)
    talk.answered(ann, "Hi")
    said = shop.page.get(f"chats/{talk.id}/messages?index=0").content.decode() + str(talk.state())
    for ours in (talk.row.pk, talk.row.customer_id, ann.pk, talk.seat(ann).pk):
        assert str(ours) not in said


def test_nobody_elses_chat_is_found(shop, other):
    talk = other.request()
    for path in (f"chats/{talk.id}", f"chats/{talk.id}/messages", f"me/chats/{talk.id}"):
        assert is_error(shop.page.get(path), 404, 6), path
    assert is_error(shop.page.post(f"chats/{talk.id}", {"operationName": "Complete"}), 404, 6)
    assert Page().get(f"chats/{talk.id}").status_code == 200  # who names no center is told apart by the id alone
    assert ForeignLine.objects.filter(foreign_chat=talk.foreign).count() == 2
