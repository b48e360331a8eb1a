"""Chats by REST, from the start to the end, as each caller sees them."""

from chats.models import Chat, Event, Participant
from tests.chats.api.conftest import as_agent, as_application, as_customer
from tests.compiling import compiled
from tests.conftest import make_agent, make_chat, make_held_chat, online


def start(api, **body):
    return api.post("chats", {"client_id": "s1", **body})


def test_a_customer_starts_a_chat_and_reads_it(mia):
    answer = start(mia, text="Hello", subject="Boots", page={"url": "https://a.example/boots", "title": "Boots"})
    assert answer.status_code == 201
    body = answer.json()
    assert body["replayed"] is False
    assert body["chat"]["state"] == "queued"
    assert body["chat"]["subject"] == "Boots"
    chat = mia.get(f"chats/{body['chat']['id']}").json()
    assert chat == body["chat"]
    assert "customer" not in chat
    assert "priority" not in chat
    log = mia.get(f"chats/{chat['id']}/events?after=0").json()
    assert [event["type"] for event in log["events"]] == ["chat.started", "chat.queued", "message.posted"]
    assert [event["index"] for event in log["events"]] == [1, 2, 3]
    assert log["head"] == 3
    assert all("position" not in event for event in log["events"])
    assert log["queue"]["position"] == 1


def test_a_repeated_start_returns_the_first_chat(mia):
    first, again = start(mia, text="Hello"), start(mia, text="Hello")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["replayed"] is True
    assert again.json()["chat"]["id"] == first.json()["chat"]["id"]
    assert Chat.objects.count() == 1


def test_a_second_start_returns_the_open_chat(mia):
    first, other = start(mia), mia.post("chats", {"client_id": "s2"})
    assert other.status_code == 200
    assert other.json()["chat"]["id"] == first.json()["chat"]["id"]


def test_the_text_of_a_second_start_goes_into_the_open_chat_once(mia):
    start(mia, text="first")
    for _ in range(2):
        assert mia.post("chats", {"client_id": "s2", "text": "second"}).status_code == 200
    texts = Event.objects.filter(type="message.posted").order_by("position").values_list("text", flat=True)
    assert list(texts) == ["first", "second"]


def test_the_form_is_checked_field_by_field(acme, mia):
    acme.channel.form_fields.create(center=acme.center, key="name", label="Name", is_required=True)
    refused = start(mia, form={"email": "nonsense"})
    assert refused.status_code == 400
    assert refused.json()["code"] == "invalid"
    assert len(refused.json()["fields"]) == 2
    assert start(mia, form={"name": "Mia", "email": "mia@example.com"}).status_code == 201
    mia.customer.refresh_from_db()
    assert (mia.customer.name, mia.customer.email) == ("Mia", "mia@example.com")


def test_outside_hours_nothing_starts(acme, mia):
    acme.support.always_open = False
    acme.support.save()
    refused = start(mia)
    assert refused.status_code == 409
    assert refused.json()["code"] == "outside_hours"
    assert not Chat.objects.exists()


def test_a_blocked_customer_cannot_start(mia):
    mia.customer.is_blocked = True
    mia.customer.save()
    refused = start(mia)
    assert (refused.status_code, refused.json()["code"]) == (403, "blocked")


def test_an_agent_sees_the_chats_of_its_teams_and_those_it_holds(acme, ann, bob, now):
    make_chat(acme, now, team=acme.support)
    sales = make_held_chat(acme, ann, now, team=acme.sales)
    bobs = as_agent(bob)
    assert [row["team"]["key"] for row in bobs.get("chats").json()["results"]] == ["support"]
    assert bobs.get(f"chats/{sales.chat.pk}").status_code == 404
    assert len(as_agent(ann).get("chats").json()["results"]) == 2


def test_a_supervisor_sees_the_whole_center(acme, globex, sue_api, now):
    make_chat(acme, now, team=acme.sales)
    make_chat(globex, now)
    assert len(sue_api.get("chats").json()["results"]) == 1


def test_chats_are_filtered(acme, ann, ann_api, now):
    held = make_held_chat(acme, ann, now, subject="Boots").chat
    waiting = make_chat(acme, now, team=acme.sales, subject="Tents").chat
    cases = {
        "state=active": held,
        "state=waiting": waiting,
        "team=sales": waiting,
        f"team={acme.support.pk}": held,
        "agent=me": held,
        f"agent={ann.pk}": held,
        f"customer={waiting.customer_id}": waiting,
        "search=oot": held,
        f"search={waiting.pk}": waiting,
    }
    for query, chat in cases.items():
        found = [row["id"] for row in ann_api.get(f"chats?{query}").json()["results"]]
        assert found == [str(chat.pk)], query
    assert len(ann_api.get("chats?since=2020-01-01T00:00:00Z").json()["results"]) == 2
    assert ann_api.get("chats?until=2020-01-01T00:00:00Z").json()["results"] == []


def test_pages_show_each_chat_once_while_new_ones_come(acme, ann_api, now):
    ids = {str(make_chat(acme, now).chat.pk) for _ in range(5)}
    seen, url = [], "chats?limit=2"
    while url:
        body = ann_api.get(url).json()
        seen += [row["id"] for row in body["results"]]
        url = body["next"]
        make_chat(acme, now, text="newer")
    assert set(seen) >= ids
    assert len(seen) == len(set(seen))


def test_an_application_starts_a_chat_for_its_customer(acme, shop):
    who = {"external_id": "c-7", "name": "Mia", "email": "mia@example.com", "data": {"plan": "gold"}}
    answer = start(shop, customer=who, text="From the shop", team="sales", priority=5, skills=["boots"])
    assert answer.status_code == 201, answer.content
    chat = answer.json()["chat"]
    assert chat["customer"]["name"] == "Mia"
    assert chat["customer"]["is_identified"] is True
    assert (chat["team"]["key"], chat["priority"], chat["skills"]) == ("sales", 5, ["boots"])
    again = start(shop, customer=who, text="From the shop", team="sales")
    assert again.status_code == 200
    assert again.json()["chat"]["id"] == chat["id"]


def test_an_application_must_say_whose_chat_it_is(shop):
    refused = start(shop)
    assert refused.status_code == 400
    assert "customer" in refused.json()["fields"]


def test_an_application_that_names_teams_sees_and_uses_only_those(acme, now):
    program = as_application(acme, teams=[acme.sales])
    support = make_chat(acme, now, team=acme.support).chat
    sales = make_chat(acme, now, team=acme.sales).chat
    assert [row["id"] for row in program.get("chats").json()["results"]] == [str(sales.pk)]
    assert program.get(f"chats/{support.pk}").status_code == 404
    assert [row["key"] for row in program.get("teams").json()["results"]] == ["sales"]
    refused = start(program, customer={"name": "X"}, team="support")
    assert refused.status_code == 400
    assert "team" in refused.json()["fields"]
    # Without a word it is a team of its own, never the center's default.
    assert start(program, customer={"name": "X"}).json()["chat"]["team"]["key"] == "sales"


def test_an_application_speaks_as_the_system_and_as_the_customer(acme, shop, ann, now):
    chat = make_held_chat(acme, ann, now).chat
    path = f"chats/{chat.pk}/messages"
    said = shop.post(path, {"client_id": "a", "text": "Order shipped"})
    again = shop.post(path, {"client_id": "a", "text": "Order shipped"})
    other = shop.post(path, {"client_id": "a", "text": "Other"})
    assert (said.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert said.json()["position"] == again.json()["position"]
    assert again.json()["replayed"] is True
    asked = shop.post(path, {"client_id": "b", "text": "Where is it?", "as": "customer"})
    assert asked.status_code == 201
    kinds = Event.objects.filter(chat=chat, type="message.posted").values_list("sender_kind", flat=True)
    assert list(kinds) == ["system", "customer"]


def test_an_application_closes_assigns_and_transfers(acme, shop, ann, bob, now):
    chat = make_chat(acme, now).chat
    assert shop.post(f"chats/{chat.pk}/assign", {"agent": str(ann.pk)}).status_code == 204
    chat.refresh_from_db()
    assert chat.agent_id == ann.pk
    assert shop.post(f"chats/{chat.pk}/transfer", {"team": "sales", "note": "please"}).status_code == 204
    chat.refresh_from_db()
    assert (chat.team_id, chat.agent_id, chat.state) == (acme.sales.pk, None, "queued")
    online(bob, now)
    assert shop.post(f"chats/{chat.pk}/transfer", {"agent": str(bob.pk)}).status_code == 204
    assert chat.invitations.pending().get().agent_id == bob.pk
    closed = shop.post(f"chats/{chat.pk}/close")
    assert closed.status_code == 200
    assert closed.json()["position"] > 0
    chat.refresh_from_db()
    assert (chat.state, chat.close_reason) == ("closed", "done")


def test_the_whole_life_of_a_chat_by_rest(acme, ann, mia, now):
    agent = as_agent(ann)
    chat_id = start(mia, text="Hello").json()["chat"]["id"]
    assert agent.post("me/status", {"status": "online"}).json()["agent"]["status"] == "online"
    assert agent.post(f"chats/{chat_id}/pick").json()["chat"]["held"] is True
    posted = agent.post(f"chats/{chat_id}/messages", {"client_id": "m1", "text": "Hi"})
    note = agent.post(f"chats/{chat_id}/messages", {"client_id": "m2", "text": "rude", "note": True})
    assert posted.status_code == note.status_code == 201
    assert note.json()["index"] is None
    assert agent.post(f"chats/{chat_id}/typing", {"active": True}).status_code == 204
    assert mia.post(f"chats/{chat_id}/typing", {"active": True, "text": "we"}).status_code == 204
    index = mia.get(f"chats/{chat_id}/events").json()["head"]
    assert mia.post(f"chats/{chat_id}/read", {"index": index}).status_code == 204
    assert agent.get(f"chats/{chat_id}").json()["read"]["customer"] == index
    assert agent.post(f"chats/{chat_id}/read", {"index": index}).status_code == 204
    assert mia.post(f"chats/{chat_id}/survey", {"rating": 5}).status_code == 409
    ended = agent.post(f"chats/{chat_id}/close", {"comment": "fine"})
    assert ended.status_code == 200
    late = mia.post(f"chats/{chat_id}/messages", {"client_id": "late", "text": "?"})
    assert (late.status_code, late.json()["code"]) == (409, "closed")
    assert mia.post(f"chats/{chat_id}/survey", {"rating": 5, "comment": "great"}).status_code == 204
    everything = str(mia.get(f"chats/{chat_id}/events").json())
    assert "rude" not in everything
    assert "fine" not in everything
    assert "great" not in everything
    assert agent.get(f"chats/{chat_id}").json()["rating"] == 5
    assert agent.post(f"chats/{chat_id}/reopen").json()["chat"]["state"] == "active"


def test_only_the_holder_or_a_supervisor_closes_and_transfers(acme, ann, bob, sue, now):
    chat = make_held_chat(acme, ann, now).chat
    bobs = as_agent(bob)
    assert bobs.post(f"chats/{chat.pk}/close").status_code == 403
    assert bobs.post(f"chats/{chat.pk}/transfer", {"team": "sales"}).status_code == 403
    assert bobs.post(f"chats/{chat.pk}/assign", {"agent": str(bob.pk)}).status_code == 403
    sues = as_agent(sue)
    assert sues.post(f"chats/{chat.pk}/assign", {"agent": str(bob.pk)}).status_code == 204
    assert sues.post(f"chats/{chat.pk}/close").status_code == 200


def test_full_agents_and_taken_chats_refuse(acme, sue, now):
    lone = make_agent(acme, "Lou", capacity=1)
    api = as_agent(lone)
    first, second = make_chat(acme, now).chat, make_chat(acme, now).chat
    assert api.post(f"chats/{first.pk}/pick").status_code == 200
    full = api.post(f"chats/{second.pk}/pick")
    assert (full.status_code, full.json()["code"]) == (409, "full")
    gone = as_agent(sue).post(f"chats/{first.pk}/pick")
    assert (gone.status_code, gone.json()["code"]) == (409, "gone")


def test_a_customer_sees_only_its_own_chats(acme, mia, now):
    other = make_chat(acme, now).chat
    for path in ("", "/events", "/transcript"):
        assert mia.get(f"chats/{other.pk}{path}").status_code == 404
    for path, body in {"messages": {"client_id": "x", "text": "x"}, "close": {}, "read": {"index": 1}}.items():
        assert mia.post(f"chats/{other.pk}/{path}", body).status_code == 404
    assert mia.get("chats").status_code == 403


def test_polling_is_a_sign_of_life_and_marks_what_was_delivered(acme, now):
    mia = as_customer(acme, now)
    chat_id = start(mia, text="Hello").json()["chat"]["id"]
    Participant.objects.filter(chat=chat_id).update(lease_until=None)
    mia.get(f"chats/{chat_id}/events?after=2")
    participant = Participant.objects.get(chat=chat_id)
    assert participant.lease_until > now
    assert participant.delivered_index == 2


def test_a_customers_message_compiles_no_query(mia):
    path = f"chats/{start(mia, text='Hello').json()['chat']['id']}/messages"
    for said in ("one", "two"):
        with compiled() as texts:
            assert mia.post(path, {"client_id": said, "text": said}).status_code == 201
    assert texts == []
