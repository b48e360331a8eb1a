"""What the widget asks: configuration, sessions, identities, messages for later; and which sites may."""

import hashlib
import hmac
import json
from datetime import time, timedelta

from chats.models import Chat, Customer, CustomerSession, OfflineMessage
from contactcenter.models import Application, FormField, WidgetSettings
from tests.cases import cases
from tests.chats.api.conftest import Api, as_agent, as_customer
from tests.conftest import make_chat

SITE = "https://www.acme.example"


def sign(channel, external_id, expires):
    signed = f"{external_id}\n{expires}".encode()
    return hmac.new(channel.identity_secret.encode(), signed, hashlib.sha256).hexdigest()


def identity(place, external_id, now, *, seconds=300, **fields):
    expires = int(now.timestamp()) + seconds
    return {"id": external_id, "expires": expires, "signature": sign(place.channel, external_id, expires), **fields}


def open_session(api, place, **body):
    return api.post("widget/sessions", {"key": place.channel.key, **body})


# Configuration --------------------------------------------------------------------------------------------------------


def test_the_configuration_says_how_to_look_and_who_is_there(acme, nobody):
    widget = WidgetSettings.objects.create(
        center=acme.center, channel=acme.channel, title="Acme", ask_team=True, accent="#ffffff", languages=["de"]
    )
    kind = FormField.Kind.SELECT
    acme.channel.form_fields.create(center=acme.center, key="size", label="Size", kind=kind, options=["S", "M"])
    body = nobody.get(f"widget/config?key={acme.channel.key}").json()
    assert body["center"]["name"] == acme.center.name
    assert body["look"]["title"] == "Acme"
    assert body["look"]["on_accent"] == "#171c28"
    assert body["languages"] == ["de"]
    assert [team["key"] for team in body["teams"]] == ["support", "sales"]
    assert body["form"] == [
        {"key": "size", "label": "Size", "kind": "select", "required": False, "options": ["S", "M"]}
    ]
    assert body["is_open"] is True
    assert body["opens_at"] is None
    assert body["uploads"]["max_bytes"] == 20 * 1024 * 1024
    assert "identity" not in json.dumps(body)
    widget.uploads = False
    widget.save()
    assert nobody.get(f"widget/config?key={acme.channel.key}").json()["uploads"] == {"max_bytes": 0, "types": []}


def test_outside_hours_it_says_when_we_are_back(acme, nobody):
    acme.support.always_open = False
    acme.support.save()
    for weekday in range(7):
        acme.support.opening_hours.create(center=acme.center, weekday=weekday, opens=time(0), closes=time(0, 0, 1))
    body = nobody.get(f"widget/config?key={acme.channel.key}").json()
    assert body["is_open"] is False
    assert body["opens_at"].endswith("Z")


@cases("key", ["", "pk_wrong", "x" * 64, "%00", "%ED%A0%80"])
def test_an_unknown_key_is_not_found(nobody, db, key):
    assert nobody.get(f"widget/config?key={key}").status_code in (400, 404)


def test_an_applications_public_key_is_no_channel(acme, nobody):
    program = Application.objects.create(center=acme.center, name="Shop")
    assert nobody.get(f"widget/config?key={program.public_key}").status_code == 404


# Other sites ----------------------------------------------------------------------------------------------------------


def test_an_allowed_site_may_read_the_answer(acme, nobody):
    answer = nobody.get(f"widget/config?key={acme.channel.key}", Origin=SITE)
    assert answer["Access-Control-Allow-Origin"] == SITE
    assert "Origin" in answer["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer


EVIL = [
    "https://evil.example",
    "null",
    "http://www.acme.example",
    "https://www.acme.example.evil.example",
    "https://www.acme.example:444",
    "https://WWW.acme.example/",
    "https://www.acme.example, https://evil.example",
    "https://acme.example",
    "*",
    '"',
]


@cases("origin", EVIL)
def test_other_sites_are_refused(acme, nobody, origin):
    for answer in (
        nobody.get(f"widget/config?key={acme.channel.key}", Origin=origin),
        nobody.post("widget/sessions", {"key": acme.channel.key}, Origin=origin),
    ):
        assert answer.status_code == 403
        assert "Access-Control-Allow-Origin" not in answer
    assert not Customer.objects.exists()


def test_the_other_centers_site_is_refused_here(acme, globex, nobody):
    answer = nobody.get(f"widget/config?key={acme.channel.key}", Origin="https://www.globex.example")
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer


def test_a_preflight_is_answered_for_known_sites_alone(acme, nobody):
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    for path in ("widget/sessions", "chats", "attachments", "chats/00000000-0000-7000-8000-000000000000/messages"):
        answer = nobody.call("OPTIONS", path, Origin=SITE, **asked)
        assert answer.status_code == 204
        assert answer["Access-Control-Allow-Origin"] == SITE
        assert "POST" in answer["Access-Control-Allow-Methods"]
        assert "authorization" in answer["Access-Control-Allow-Headers"]
        other = nobody.call("OPTIONS", path, Origin="https://evil.example", **asked)
        assert "Access-Control-Allow-Origin" not in other
    staff = nobody.call("OPTIONS", "customers", Origin=SITE, **asked)
    assert "Access-Control-Allow-Origin" not in staff


def test_a_customers_refusals_can_be_read_by_its_site(acme, now):
    mia = as_customer(acme, now)
    refused = mia.post("chats", {}, Origin=SITE)
    assert refused.status_code == 400
    assert refused["Access-Control-Allow-Origin"] == SITE
    gone = Api(Authorization="Bearer gone").post("chats", {}, Origin=SITE)
    assert gone.status_code == 401
    assert gone["Access-Control-Allow-Origin"] == SITE


def test_staff_routes_are_for_no_other_site(acme, ann, ann_api):
    assert "Access-Control-Allow-Origin" not in ann_api.get("customers", Origin=SITE)


# Sessions -------------------------------------------------------------------------------------------------------------


def test_a_session_is_taken_up_by_its_token(acme, nobody):
    first = open_session(nobody, acme, language="de").json()
    assert first["chat"] is None
    again = open_session(nobody, acme, token=first["token"]).json()
    assert again["token"] == first["token"]
    assert again["customer"]["id"] == first["customer"]["id"]
    assert Customer.objects.get().language == "de"


def test_an_open_chat_comes_with_the_session(acme, nobody):
    first = open_session(nobody, acme).json()
    chat = make_chat(acme, acme.center.created_at, Customer.objects.get()).chat
    page = {"url": "https://www.acme.example/tents", "title": "Tents"}
    again = open_session(nobody, acme, token=first["token"], page=page).json()
    assert again["chat"]["id"] == str(chat.pk)
    chat.refresh_from_db()
    assert (chat.page_url, chat.page_title) == (page["url"], "Tents")


def test_an_unknown_token_or_another_channels_gives_a_new_customer(acme, globex, nobody, now):
    there = as_customer(globex, now)
    for token in ("nonsense", there.token):
        body = open_session(nobody, acme, token=token).json()
        assert body["token"] != token
        assert body["customer"]["id"] != str(there.customer.pk)


def test_ending_a_session_forgets_it(acme, now):
    mia = as_customer(acme, now)
    assert mia.delete("widget/sessions").status_code == 204
    assert mia.delete("widget/sessions").status_code == 401
    assert not CustomerSession.objects.exists()


def test_identifying_gives_a_new_token_and_ends_the_old_one(acme, nobody, now):
    anonymous = open_session(nobody, acme).json()
    proof = identity(acme, "c-1", now, name="Mia", email="mia@example.com")
    known = open_session(nobody, acme, token=anonymous["token"], identity=proof).json()
    assert known["token"] != anonymous["token"]
    assert known["customer"] == {
        "id": anonymous["customer"]["id"],
        "name": "Mia",
        "email": "mia@example.com",
        "phone": "",
        "language": "",
        "is_identified": True,
    }
    assert Api(Authorization=f"Bearer {anonymous['token']}").post("chats", {"client_id": "x"}).status_code == 401
    elsewhere = open_session(nobody, acme, identity=identity(acme, "c-1", now)).json()
    assert elsewhere["customer"]["id"] == known["customer"]["id"]
    assert elsewhere["token"] not in (known["token"], anonymous["token"])


def test_the_anonymous_history_goes_along_to_the_proven_customer(acme, nobody, now):
    known = open_session(nobody, acme, identity=identity(acme, "c-1", now)).json()
    anonymous = open_session(nobody, acme).json()
    chat = make_chat(acme, now, Customer.objects.get(pk=anonymous["customer"]["id"])).chat
    joined = open_session(nobody, acme, token=anonymous["token"], identity=identity(acme, "c-1", now)).json()
    assert joined["customer"]["id"] == known["customer"]["id"]
    assert joined["chat"]["id"] == str(chat.pk)
    # The anonymous row is gone into the other, with all of its tokens.
    assert open_session(nobody, acme, token=anonymous["token"]).json()["customer"]["is_identified"] is False


def test_two_open_chats_are_never_mixed(acme, nobody, now):
    known = open_session(nobody, acme, identity=identity(acme, "c-1", now)).json()
    own = make_chat(acme, now, Customer.objects.get(pk=known["customer"]["id"])).chat
    anonymous = open_session(nobody, acme).json()
    make_chat(acme, now, Customer.objects.get(pk=anonymous["customer"]["id"]))
    joined = open_session(nobody, acme, token=anonymous["token"], identity=identity(acme, "c-1", now)).json()
    assert joined["chat"]["id"] == str(own.pk)
    assert Chat.objects.filter(customer=anonymous["customer"]["id"]).count() == 1


def test_somebody_else_on_the_same_computer_gets_nothing_of_the_first(acme, nobody, now):
    first = open_session(nobody, acme, identity=identity(acme, "c-1", now)).json()
    make_chat(acme, now, Customer.objects.get(pk=first["customer"]["id"]))
    second = open_session(nobody, acme, token=first["token"], identity=identity(acme, "c-2", now)).json()
    assert second["customer"]["id"] != first["customer"]["id"]
    assert second["chat"] is None


def test_forged_identities_are_refused(acme, globex, nobody, now):
    good = identity(acme, "c-1", now)
    forged = [
        good | {"id": "c-2"},
        good | {"expires": good["expires"] + 1},
        good | {"signature": "0" * 64},
        good | {"signature": good["signature"][:-1]},
        good | {"signature": "é" * 64},
        identity(globex, "c-1", now),
        identity(acme, "c-1", now, seconds=-1),
    ]
    for proof in forged:
        refused = open_session(nobody, acme, identity=proof)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), proof
    assert not Customer.objects.exists()
    upper = good | {"signature": good["signature"].upper()}
    assert open_session(nobody, acme, identity=upper).status_code == 200


def test_anonymous_callers_are_counted(acme, nobody, settings):
    settings.ANONYMOUS_RATE = 5
    answers = [open_session(nobody, acme) for _ in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
    assert int(answers[-1]["Retry-After"]) >= 1
    assert Customer.objects.count() == 5


# Messages for later ---------------------------------------------------------------------------------------------------

LEFT = {"client_id": "o1", "name": "Mia", "email": "mia@example.com", "text": "Call me", "team": "sales"}


def test_a_message_is_left_once_and_handled_by_the_team(acme, mia, ann_api, ann):
    assert mia.post("widget/offline-messages", LEFT).status_code == 201
    again = mia.post("widget/offline-messages", LEFT)
    assert again.status_code == 200
    assert again.json()["replayed"] is True
    assert mia.post("widget/offline-messages", LEFT | {"text": "Other"}).status_code == 409
    message = OfflineMessage.objects.get()
    assert (message.team, message.text) == (acme.sales, "Call me")
    rows = ann_api.get("offline-messages?handled=false").json()["results"]
    assert [row["id"] for row in rows] == [str(message.pk)]
    assert rows[0]["team"]["key"] == "sales"
    done = ann_api.post(f"offline-messages/{message.pk}/handle").json()
    assert done["handled_by"] == "Ann"
    assert ann_api.get("offline-messages?handled=false").json()["results"] == []
    assert len(ann_api.get("offline-messages?handled=true").json()["results"]) == 1


def test_other_teams_messages_are_not_seen(acme, mia, bob):
    mia.post("widget/offline-messages", LEFT)
    api = as_agent(bob)
    assert api.get("offline-messages").json()["results"] == []
    assert api.post(f"offline-messages/{OfflineMessage.objects.get().pk}/handle").status_code == 404


def test_no_message_is_taken_where_the_form_is_off_or_the_team_unknown(acme, mia, globex):
    assert mia.post("widget/offline-messages", LEFT | {"team": "nowhere"}).status_code == 400
    assert mia.post("widget/offline-messages", LEFT | {"team": str(globex.sales.pk)}).status_code == 400
    assert mia.post("widget/offline-messages", LEFT | {"text": "  "}).status_code == 400
    WidgetSettings.objects.create(center=acme.center, channel=acme.channel, offline_form=False)
    assert mia.post("widget/offline-messages", LEFT).status_code == 403
    assert not OfflineMessage.objects.exists()


def test_sessions_last_thirty_days(acme, mia, now):
    assert CustomerSession.objects.get().expires_at == now + timedelta(days=30)
