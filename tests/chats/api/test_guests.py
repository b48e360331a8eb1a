"""Guests over REST: as the frames of the agent's socket."""

import pytest

from chats.models import Participant
from tests.chats.api.conftest import as_agent, as_customer
from tests.conftest import make_chat, make_held_chat

pytestmark = [pytest.mark.django_db, pytest.mark.both]


def refused(answer, status, code):
    return (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_colleague_of_another_team_is_asked_in_answers_and_leaves(acme, ann, bob, now):
    chat = make_held_chat(acme, ann, now, team=acme.sales).chat
    owner, guest = as_agent(ann), as_agent(bob)
    assert guest.get(f"chats/{chat.pk}").status_code == 404
    assert owner.post(f"chats/{chat.pk}/invite", {"agent": str(bob.pk)}).status_code == 204
    shown = guest.get(f"chats/{chat.pk}").json()
    assert (shown["guest"], shown["guests"]) == ("invited", [{"id": str(bob.pk), "name": "Bob", "state": "invited"}])
    assert guest.post(f"chats/{chat.pk}/join").json()["chat"]["guest"] == "joined"
    assert guest.post(f"chats/{chat.pk}/messages", {"client_id": "g1", "text": "Hello"}).status_code == 201
    assert guest.get(f"chats/{chat.pk}/events").status_code == 200
    assert guest.post(f"chats/{chat.pk}/read", {"index": 1}).status_code == 204
    assert Participant.objects.get(chat=chat, agent=bob).read_index == 0
    assert guest.post(f"chats/{chat.pk}/leave").status_code == 204
    assert guest.get(f"chats/{chat.pk}").status_code == 404


def test_one_chat_is_listed_once_however_it_is_ones_own(acme, ann, bob, now):
    chat = make_held_chat(acme, ann, now).chat
    as_agent(ann).post(f"chats/{chat.pk}/invite", {"agent": str(bob.pk)})
    assert [one["id"] for one in as_agent(bob).get("chats").json()["results"]] == [str(chat.pk)]


def test_refusals_say_why(acme, globex, ann, bob, gil, now):
    chat, waiting = make_held_chat(acme, ann, now).chat, make_chat(acme, now).chat
    owner, other = as_agent(ann), as_agent(bob)
    assert refused(owner.post(f"chats/{chat.pk}/invite", {}), 400, "invalid")
    assert refused(owner.post(f"chats/{chat.pk}/invite", {"agent": str(gil.pk)}), 400, "invalid")
    assert refused(other.post(f"chats/{chat.pk}/invite", {"agent": str(bob.pk)}), 403, "forbidden")
    assert refused(owner.post(f"chats/{waiting.pk}/invite", {"agent": str(bob.pk)}), 403, "forbidden")
    for verb in ("join", "refuse", "leave"):
        assert refused(other.post(f"chats/{chat.pk}/{verb}"), 409, "gone")
    owner.post(f"chats/{chat.pk}/invite", {"agent": str(bob.pk)})
    assert other.post(f"chats/{chat.pk}/refuse").status_code == 204


def test_customers_do_not_see_who_was_asked(acme, ann, bob, now):
    customer = as_customer(acme, now)
    chat = make_held_chat(acme, ann, now, customer=customer.customer).chat
    as_agent(ann).post(f"chats/{chat.pk}/invite", {"agent": str(bob.pk)})
    assert "Bob" not in customer.get(f"chats/{chat.pk}").content.decode()
    assert "Bob" not in customer.get(f"chats/{chat.pk}/events").content.decode()
