"""Seats, teams, channels and customers by REST; what an application may configure."""

import pytest

from agents.models import Agent, CannedReply, Disposition, Membership, Presence
from chats.models import Chat, Customer
from contactcenter.models import AuditEntry, Channel, Team, User
from tests.chats.api.conftest import as_agent, as_application
from tests.conftest import make_agent, make_chat, make_customer, make_held_chat, online


@pytest.fixture
def setup_program(acme):
    """An application that may configure."""
    return as_application(acme, may_configure=True)


# Agents ---------------------------------------------------------------------------------------------------------------


def test_me_is_ones_own_seat(ann, ann_api):
    body = ann_api.get("me").json()
    assert body["agent"]["id"] == str(ann.pk)
    assert body["agent"]["capacity"] == 3
    assert {team["key"] for team in body["teams"]} == {"support", "sales"}
    assert body["center"]["slug"] == "acme"


def test_a_status_is_seen_by_colleagues_only_while_the_lease_runs(ann, ann_api, sue_api):
    assert ann_api.post("me/status", {"status": "online"}).json()["agent"]["status"] == "online"
    assert [row["name"] for row in sue_api.get("agents?status=online").json()["results"]] == ["Ann"]
    Presence.objects.update(lease_until=None)
    assert sue_api.get("agents?status=online").json()["results"] == []
    assert sue_api.get(f"agents/{ann.pk}").json()["status"] == "offline"
    assert ann_api.post("me/status", {"status": "asleep"}).status_code == 400


def test_agents_are_found_by_name_and_team(acme, ann, bob, sue_api):
    assert [row["name"] for row in sue_api.get("agents?search=an").json()["results"]] == ["Ann"]
    assert [row["name"] for row in sue_api.get("agents?team=sales").json()["results"]] == ["Ann"]
    assert [row["name"] for row in sue_api.get("agents?limit=1").json()["results"]] == ["Ann"]


def test_invitations_are_taken_and_left(acme, ann, ann_api, now):
    from chats.actions.offer import offer_chat

    online(ann, now)
    first, second = (Chat.objects.get(pk=make_chat(acme, now).chat.pk) for _ in range(2))
    taken, left = offer_chat(first, ann, reason="t", now=now), offer_chat(second, ann, reason="t", now=now)
    rows = ann_api.get("invitations").json()["results"]
    assert [row["id"] for row in rows] == [str(taken.pk), str(left.pk)]
    assert ann_api.post(f"invitations/{taken.pk}/accept").json()["chat"]["held"] is True
    assert ann_api.post(f"invitations/{taken.pk}/accept").status_code == 200
    assert ann_api.post(f"invitations/{left.pk}/decline").status_code == 204
    gone = ann_api.post(f"invitations/{left.pk}/accept")
    assert (gone.status_code, gone.json()["code"]) == (409, "gone")


def test_asking_for_invitations_is_a_sign_of_life(ann, ann_api, now):
    assert ann_api.get("invitations").json()["results"] == []
    assert Presence.objects.get(agent=ann).lease_until > now


def test_the_queue_shows_who_waits(acme, bob, sue_api, now):
    make_chat(acme, now, team=acme.sales)
    first = make_chat(acme, now, priority=5).chat
    make_chat(acme, now)
    rows = {row["id"]: row for row in sue_api.get("queue").json()["results"]}
    assert rows[str(acme.sales.pk)]["waiting"] == 1
    assert rows[str(acme.support.pk)]["waiting"] == 2
    assert rows[str(acme.support.pk)]["chats"][0]["id"] == str(first.pk)
    assert len(as_agent(bob).get("queue").json()["results"]) == 1


def test_decisions_are_told_in_words(acme, ann, sue_api, now):
    from chats.routing.engine import route_team

    online(ann, now)
    away = make_agent(acme, "Out")
    chat = make_chat(acme, now).chat
    route_team(acme.support.pk, now)
    decision = sue_api.get(f"chats/{chat.pk}/decisions").json()["results"][0]
    assert decision["chosen"] == str(ann.pk)
    assert decision["words"][0] == "Ann was chosen."
    assert f"{away.name} is offline." in decision["words"]


def test_canned_replies_and_dispositions(acme, ann_api, bob):
    for shortcut, team in (("hi", None), ("price", acme.sales), ("bye", None)):
        CannedReply.objects.create(center=acme.center, team=team, shortcut=shortcut, title=shortcut, text="…")
    for order, name in enumerate(("Solved", "Spam")):
        Disposition.objects.create(center=acme.center, name=name, order=order)
    shortcuts = [row["shortcut"] for row in ann_api.get("canned-replies").json()["results"]]
    assert shortcuts == ["bye", "hi", "price"]
    assert len(as_agent(bob).get("canned-replies").json()["results"]) == 2
    assert [row["shortcut"] for row in ann_api.get("canned-replies?search=pri").json()["results"]] == ["price"]
    page = ann_api.get("dispositions?limit=1").json()
    assert [row["name"] for row in page["results"]] == ["Solved"]
    assert [row["name"] for row in ann_api.get(page["next"]).json()["results"]] == ["Spam"]


# Customers ------------------------------------------------------------------------------------------------------------


def test_a_customer_is_found_changed_and_its_chats_listed(acme, ann, ann_api, now):
    customer = make_customer(acme, "Mia Miller")
    chat = make_held_chat(acme, ann, now, customer=customer).chat
    assert [row["id"] for row in ann_api.get("customers?search=mill").json()["results"]] == [str(customer.pk)]
    change = {"email": "mia@example.com", "notes": "VIP", "data": {"plan": "gold", "old": None}}
    body = ann_api.patch(f"customers/{customer.pk}", change).json()
    assert (body["email"], body["notes"], body["data"]) == ("mia@example.com", "VIP", {"plan": "gold"})
    rows = ann_api.get(f"customers/{customer.pk}/chats").json()["results"]
    assert [row["id"] for row in rows] == [str(chat.pk)]
    assert ann_api.patch(f"customers/{customer.pk}", {"email": "nonsense"}).status_code == 400


def test_an_agent_sees_only_customers_of_its_chats(acme, ann, bob, now):
    hidden = make_customer(acme, "Silent")
    make_held_chat(acme, ann, now, customer=make_customer(acme, "Sales"), team=acme.sales)
    api = as_agent(bob)
    assert api.get("customers").json()["results"] == []
    for method, path in (("GET", ""), ("POST", "/block"), ("POST", "/unblock"), ("GET", "/chats")):
        assert api.call(method, f"customers/{hidden.pk}{path}", {} if method == "POST" else None).status_code == 404


def test_blocking_ends_the_chat_and_unblocking_lets_write_again(acme, ann, ann_api, now):
    chat = make_held_chat(acme, ann, now).chat
    path = f"customers/{chat.customer_id}"
    body = ann_api.post(f"{path}/block", {"reason": "rude", "until": "2999-01-01T00:00:00Z"}).json()
    assert (body["is_blocked"], body["block_reason"]) == (True, "rude")
    assert ann_api.get(f"chats/{chat.pk}").json()["close_reason"] == "operator"
    assert ann_api.post(f"{path}/unblock").json()["is_blocked"] is False


def test_two_records_become_one(acme, ann, sue_api, now):
    one, other = make_customer(acme, "Mia"), make_customer(acme, "M.")
    make_held_chat(acme, ann, now, customer=other)
    assert sue_api.post(f"customers/{other.pk}/merge", {"into": str(one.pk)}).json()["id"] == str(one.pk)
    assert Chat.objects.get().customer_id == one.pk
    assert sue_api.post(f"customers/{one.pk}/merge", {"into": str(one.pk)}).status_code == 409
    assert [row["id"] for row in sue_api.get("customers").json()["results"]] == [str(one.pk)]


# What applications configure ------------------------------------------------------------------------------------------


def test_an_application_that_may_not_configure_changes_nothing(acme, ann, shop):
    for path, body in {"teams": {"key": "n", "name": "N"}, "channels": {"name": "N"}}.items():
        assert shop.post(path, body).status_code == 403
    assert shop.post("agents", {"name": "N", "is_bot": True}).status_code == 403
    assert shop.patch(f"teams/{acme.support.pk}", {"name": "N"}).status_code == 403
    assert shop.patch(f"agents/{ann.pk}", {"name": "N"}).status_code == 403
    assert shop.patch(f"channels/{acme.channel.pk}", {"name": "N"}).status_code == 403
    assert not AuditEntry.objects.filter(action__in=["team added", "seat opened"]).exists()


def test_teams_are_added_and_changed(acme, setup_program):
    made = setup_program.post("teams", {"key": "vip", "name": "VIP", "mode": "direct", "languages": ["de"]})
    assert made.status_code == 201, made.content
    assert (made.json()["mode"], made.json()["is_open"], made.json()["waiting"]) == ("direct", True, 0)
    assert setup_program.post("teams", {"key": "vip", "name": "Again"}).status_code == 409
    path = f"teams/{made.json()['id']}"
    assert setup_program.patch(path, {"name": "Very"}).json()["name"] == "Very"
    assert setup_program.patch(path, {"key": "sales"}).status_code == 409
    assert setup_program.patch(path, {"invitation_seconds": 1}).status_code == 400
    assert Team.objects.get(key="vip").name == "Very"
    assert AuditEntry.objects.get(action="team added").actor == "application Shop"


def test_seats_are_opened_and_changed_but_never_administrators(acme, setup_program, gil):
    body = {"name": "Nia", "user": {"email": "nia@example.com"}, "teams": ["support"], "capacity": 4}
    made = setup_program.post("agents", body)
    assert made.status_code == 201, made.content
    seat = Agent.objects.get(name="Nia")
    assert (seat.user.email, seat.slots.count(), seat.role) == ("nia@example.com", 4, "agent")
    assert setup_program.post("agents", body).status_code == 409
    assert setup_program.post("agents", body | {"role": "admin"}).status_code == 400
    assert setup_program.post("agents", {"name": "X"}).status_code == 400
    path = f"agents/{seat.pk}"
    version = User.objects.get(pk=seat.user_id).session_version
    changed = setup_program.patch(path, {"capacity": 2, "teams": ["sales"], "role": "supervisor"}).json()
    assert (changed["capacity"], changed["role"]) == (2, "supervisor")
    assert list(Membership.objects.filter(agent=seat).values_list("team__key", flat=True)) == ["sales"]
    assert User.objects.get(pk=seat.user_id).session_version == version + 1
    boss = make_agent(acme, "Boss", role=Agent.Role.ADMIN)
    assert setup_program.patch(f"agents/{boss.pk}", {"is_active": False}).status_code == 403
    assert setup_program.patch(f"agents/{gil.pk}", {"name": "Mine"}).status_code == 404


def test_a_seat_switched_off_can_be_switched_on_again(ann, setup_program):
    assert setup_program.patch(f"agents/{ann.pk}", {"is_active": False}).status_code == 200
    assert setup_program.get(f"agents/{ann.pk}").status_code == 404
    assert setup_program.patch(f"agents/{ann.pk}", {"is_active": True}).status_code == 200
    assert setup_program.get(f"agents/{ann.pk}").status_code == 200


def test_a_bot_needs_no_mailbox(acme, setup_program):
    made = setup_program.post("agents", {"name": "Hal", "is_bot": True, "teams": ["support"]})
    assert made.json()["is_bot"] is True
    assert not Agent.objects.get(name="Hal").user.has_usable_password()


def test_channels_are_added_and_changed_without_their_secret(acme, setup_program):
    made = setup_program.post("channels", {"name": "App", "kind": "app", "team": "sales"})
    assert made.status_code == 201
    assert made.json()["key"].startswith("pk_")
    assert Channel.objects.get(name="App").identity_secret not in made.content.decode()
    path = f"channels/{made.json()['id']}"
    body = setup_program.patch(path, {"allowed_origins": ["https://x.example"], "team": ""}).json()
    assert (body["allowed_origins"], body["team"]) == (["https://x.example"], None)
    for origin in ("https://x.example/path", "*", "x.example", "https://x.example; script-src *"):
        assert setup_program.patch(path, {"allowed_origins": [origin]}).status_code == 400, origin


def test_an_application_of_some_teams_configures_only_those(acme, bob):
    program = as_application(acme, teams=[acme.sales], may_configure=True)
    assert program.patch(f"teams/{acme.support.pk}", {"name": "N"}).status_code == 404
    assert program.patch(f"agents/{bob.pk}", {"name": "N"}).status_code == 404
    assert program.post("agents", {"name": "N", "is_bot": True}).status_code == 400
    assert program.post("channels", {"name": "N"}).status_code == 400
    made = program.post("teams", {"key": "mine", "name": "Mine"})
    assert {row["key"] for row in program.get("teams").json()["results"]} == {"sales", "mine"}
    assert made.status_code == 201
    ann = make_agent(acme, "Kay", teams=[acme.support, acme.sales])
    program.patch(f"agents/{ann.pk}", {"teams": ["mine"]})
    keys = Membership.objects.filter(agent=ann).values_list("team__key", flat=True)
    assert set(keys) == {"support", "mine"}  # its word counts for its own teams alone


def test_nobody_is_made_by_a_refused_request(acme, setup_program):
    setup_program.post("agents", {"name": "N", "user": {"email": "n@example.com"}, "teams": ["nowhere"]})
    assert not User.objects.filter(email="n@example.com").exists()
    assert Customer.objects.count() == 0
