"""Reports of what was delivered and read: a session's for its customer, a program's for whom it names or whom the message was for."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from chats.models import Participant, SpaceLine
from tests.cases import cases

from .test_messages import ANN, BOT, page, send

pytestmark = [pytest.mark.django_db, pytest.mark.both]

AT = "2026-11-21T18:00:00.000Z"


@pytest.fixture
def chat(space):
    return space.chat()["id"]


def report(caller, chat, *updates, status=200):
    answer = caller.post(f"chats/{chat}/messages/statusupdates", list(updates))
    assert answer.status_code == status, answer.content
    return answer.json()


def update(*ids, status="read", **members):
    return {"messageIds": list(ids), "status": status, "timestamp": AT, **members}


def statuses(space, chat):
    """Oldest first."""
    return [
        {name: one["status"] for name, one in message["statusUpdates"].items()}
        for message in page(space, chat)["messages"][::-1]
    ]


def cursors(chat, **who):
    return Participant.objects.values_list("delivered_index", "read_index").get(chat_id=chat, **who)


def test_an_app_reports_for_its_customer(space, chat):
    app = space.app("mia")
    first, second, third = (send(space, chat, **{"from": BOT})["id"] for _ in range(3))
    report(app, chat, update(first, second, status="delivered"))
    assert statuses(space, chat) == [{"mia": "delivered"}, {"mia": "delivered"}, {}]
    report(app, chat, update(third, first, str(uuid4()), "nonsense"), update(second, status="delivered"))
    assert statuses(space, chat) == [{"mia": "read"}] * 3
    assert cursors(chat, kind="customer") == (space.row_of(chat).index,) * 2
    report(app, chat, update(first, second, third))  # a repeat
    assert SpaceLine.objects.count() == 3 + 3 + 3


def test_who_said_it_does_not_receive_it(space, chat):
    app = space.app("mia")
    bots, own = send(space, chat, **{"from": BOT})["id"], send(app, chat)["id"]
    report(app, chat, update(own))
    assert cursors(chat, kind="customer")[1] == 0
    assert bots
    assert statuses(space, chat) == [{}, {}]


def test_a_program_reports_for_whom_the_message_was(space, chat, ann):
    row = space.held(chat, ann)
    asked = send(space, chat, direction="inbound")["id"]
    answered = send(space, chat, **{"from": BOT})["id"]
    assert space.row_of(chat).unread == 1
    report(space, chat, update(asked, answered))
    assert statuses(space, chat) == [{ANN: "read"}, {"mia": "read"}]
    assert space.row_of(chat).unread == 0
    assert row.agent_id == ann.pk


def test_a_program_reports_for_whom_it_names(space, chat, ann):
    space.held(chat, ann)
    asked = send(space, chat, direction="inbound")["id"]
    answered = send(space.basic, chat, **{"from": BOT})["id"]
    report(space.basic, chat, update(asked, answered, profileId="mia"))
    assert statuses(space, chat) == [{}, {"mia": "read"}]
    report(space, chat, update(asked, answered, profileId=ANN, status="delivered"))
    assert statuses(space, chat) == [{ANN: "delivered"}, {"mia": "read"}]
    report(space, chat, update(asked, profileId="bot-1"), status=400)
    report(space.app("mia"), chat, update(answered, profileId="tim"), status=403)


def test_nobody_reads_for_a_chat_without_an_agent(space, chat):
    asked = send(space, chat, direction="inbound")["id"]
    report(space, chat, update(asked))
    assert statuses(space, chat) == [{}]


def test_the_time_is_the_clients_but_neither_before_the_message_nor_tomorrow(space, chat):
    app = space.app("mia")
    first, second = (send(space, chat, **{"from": BOT})["id"] for _ in range(2))
    report(app, chat, {**update(first), "timestamp": "1999-01-01T00:00:00Z"})
    report(app, chat, {**update(second), "timestamp": (timezone.now() + timedelta(days=1)).isoformat()})
    last, one = page(space, chat)["messages"]
    assert one["statusUpdates"]["mia"]["on"] == one["context"]["sentOn"]
    assert last["context"]["sentOn"] <= last["statusUpdates"]["mia"]["on"] < AT.replace("2026", "9999")
    assert SpaceLine.objects.latest("at").at <= timezone.now()


@cases(
    "body",
    [
        {},
        "read",
        5,
        None,
        {"messageIds": [], "status": "read", "timestamp": AT},
        [5],
        [{}],
        [{"messageIds": "a", "status": "read", "timestamp": AT}],
        [{"messageIds": [{}], "status": "read", "timestamp": AT}],
        [{"messageIds": ["x" * 201], "status": "read", "timestamp": AT}],
        [{"messageIds": ["x"], "status": "seen", "timestamp": AT}],
        [{"messageIds": ["x"], "status": ["read"], "timestamp": AT}],
        [{"messageIds": ["x"], "status": "read"}],
        [{"messageIds": ["x"], "status": "read", "timestamp": "soon"}],
        [{"messageIds": ["x"] * 1001, "status": "read", "timestamp": AT}],
        [{"messageIds": ["x"], "status": "read", "timestamp": AT}] * 101,
    ],
)
def test_odd_reports_are_refused(space, chat, body):
    send(space, chat, **{"from": BOT})
    answer = space.post(f"chats/{chat}/messages/statusupdates", body)
    assert answer.status_code == 400, answer.content
    assert answer.json()["validationFailures"]


def test_a_time_at_the_edge_of_time_is_no_trouble(space, chat):
    message = send(space, chat, **{"from": BOT})["id"]
    for at in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "0001-01-01", "2026-11-21"):
        body = [{**update(message), "timestamp": at}]
        assert space.post(f"chats/{chat}/messages/statusupdates", body).status_code in (200, 400)


def test_reports_stay_within_their_center_and_chat(space, other, chat):
    message = send(space, chat, **{"from": BOT})["id"]
    report(other, chat, update(message), status=404)
    report(space.app("tim"), chat, update(message), status=404)
    second = space.chat("tim")["id"]
    report(space, second, update(message))
    assert statuses(space, chat) == [{}]
