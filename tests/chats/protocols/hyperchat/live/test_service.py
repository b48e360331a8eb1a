"""Who is let in, whom it may be, and what is answered to what nobody should send. Nothing ends as a traceback (see `no_complaints`)."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async as in_thread

from chats.actions.sessions import end_session
from chats.doors.socketio import pace
from chats.models import Chat, CustomerSession, Event
from chats.protocols.hyperchat.callers import agent_token
from chats.protocols.hyperchat.live import connection, service, watch
from chats.protocols.hyperchat.live.calls import CALLS
from contactcenter.models import Registration
from tests.chats.protocols.hyperchat.conftest import ORIGIN, SECRET
from tests.chats.protocols.hyperchat.live.conftest import accept

NOBODY = "00000000-0000-0000-0000-000000000000"


async def count_rows() -> list[int]:
    return [await Chat.objects.acount(), await Event.objects.acount(), await CustomerSession.objects.acount()]


# Coming in ------------------------------------------------------------------------------------------------------------


@pytest.mark.both
async def test_a_client_may_connect_first_and_log_in_later(house, queued):
    mia = await in_thread(queued.user)(external_id="m-1", facts={"extraInfo": {"vip": True}})
    client = await house.client({"appId": queued.app_id})
    assert (await client.ask("users:chats", {}))["error"] == {"code": 401, "message": "Log in first"}
    answer = await client.ask("users:login", {"id": str(mia.foreign.customer_id), "token": mia.token})
    assert (answer["user"]["externalId"], answer["user"]["extraInfo"]) == ("m-1", {"vip": True})
    assert await client.ask("users:chats", {}) == {"chats": {}}


async def test_the_address_may_carry_what_the_handshake_shows(house, queued):
    mia = await in_thread(queued.user)()
    client = house.raw()
    client.wire.address += f"&appId={queued.app_id}&token={mia.token}"
    await client.open()
    assert (await client.ask("users:me", {}))["user"]["id"] == str(mia.foreign.customer_id)


async def test_the_domain_key_is_taken_and_a_wrong_one_is_not(house, queued):
    right = await house.client({"appId": queued.app_id, "key": queued.registration.public_key})
    assert right.is_connected
    wrong = await house.client({"appId": queued.app_id, "key": "wrong"})
    assert wrong.refusal["data"]["error"]["code"] == 401


WRONG: list[dict[str, Any]] = [
    {"appId": "no-such-app"},
    {"appId": 7},
    {"appId": ["x"]},
    {"appId": "app-queued", "token": "wrong"},
    {"appId": "app-queued", "token": {"a": 1}},
    {"appId": "app-queued", "token": "a:b:c"},
    {"appId": "app-queued", "token": "x" * 10_000},
    {"appId": "app-queued", "token": "ü"},
    {"appId": "app-queued", "id": NOBODY},
    {"appId": "app-\0"},
    {"appId": "\ud800"},
    {"appId": "app-queued", "deep": [[[[[[[[[[[[[[[[[[[[[[["x"]]]]]]]]]]]]]]]]]]]]]]]},
]


async def test_what_is_wrong_is_refused_when_connecting(house, queued):
    for shown in WRONG:
        client = await house.client(shown)
        assert not client.is_connected
        error = client.refusal["data"]["error"]
        assert error["code"] in (400, 401), shown
        assert client.refusal["message"] == error["message"] != ""


async def test_a_server_secret_opens_nothing_here(house, queued):
    client = await house.client({"appId": queued.app_id, "secret": SECRET})
    assert (await client.ask("users:chats", {}))["error"]["code"] == 401


async def test_tokens_are_of_one_application_and_one_user(house, queued, direct, foreign, ann):
    mia, eva = await in_thread(queued.user)(), await in_thread(queued.user)("Eva")
    ours = await in_thread(agent_token)(queued.registration, ann)
    for place, token, user_id in (
        (direct, mia.token, ""),
        (foreign, mia.token, ""),
        (foreign, ours, ""),
        (direct, ours, ""),
        (queued, mia.token, str(eva.foreign.customer_id)),
        (queued, ours, str(eva.foreign.customer_id)),
    ):
        client = await house.client({"appId": place.app_id, "token": token, "id": user_id})
        assert client.refusal["data"]["error"]["code"] == 401


async def test_wrong_guesses_are_slowed_down_by_address(house, queued):
    client = await house.client({"appId": queued.app_id})
    codes = [(await client.ask("users:login", {"token": f"guess-{number}"}))["error"]["code"] for number in range(25)]
    assert codes[0] == 401
    assert codes[-1] == 429
    assert codes == sorted(codes)


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_page_that_no_application_allows_stays_outside(house, queued, transport):
    client = house.raw(transport, origin="https://evil.example")
    if transport == "polling":
        assert (await client.wire.http.get(client.wire.address)).status_code == 403
    else:
        with pytest.raises(Exception, match="403"):
            await client.wire.open()
        client.wire = house.raw("polling").wire


async def test_a_page_that_another_application_allows_gets_no_further_than_the_log_in(house, queued, direct):
    application = direct.registration.application
    application.allowed_origins = ["https://other.example"]
    await application.asave()
    client = await house.client({"appId": queued.app_id}, origin="https://other.example")
    assert client.refusal["data"]["error"] == {"code": 403, "message": "This origin is not allowed"}
    silent = await house.client(origin="https://other.example")
    answer = await silent.ask("users:login", {"appId": queued.app_id, "token": "x"})
    assert answer["error"]["code"] in (401, 403)


async def test_what_is_no_browser_has_no_origin(house, queued):
    assert (await house.client({"appId": queued.app_id}, origin=None)).is_connected


async def test_browsers_are_told_that_they_may_read(house, queued):
    client = house.raw("polling")
    answer = await client.wire.http.get(client.wire.address)
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in answer.headers
    preflight = await client.wire.http.options(client.wire.address)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-methods"] == "GET, POST"


async def test_who_never_logs_in_is_let_go(house, queued, monkeypatch):
    monkeypatch.setattr(watch, "LOGIN_SECONDS", 0.2)
    mia = await in_thread(queued.user)()
    stays = await house.user(queued, mia)
    silent, named, polls = house.raw(), await house.client({"appId": queued.app_id}), house.raw("polling")
    await silent.wire.open()
    silent.reading = asyncio.ensure_future(silent._read())
    await polls.wire.receive()
    await silent.gone(10)
    await named.gone(10)
    await house.until_ended(left=1)
    assert await stays.ask("users:chats", {}) == {"chats": {}}
    assert next(iter(house.live.clients.values())).user_id == mia.foreign.customer_id
    assert len(house.live.clients) == 1
    assert await polls.wire.send("3") == 400, "its session has ended"


async def test_whose_session_ends_is_let_go_within_two_beats(house, queued, ann):
    mia, eva = await in_thread(queued.user)(), await in_thread(queued.user)("Eva")
    one, two = await house.user(queued, mia), await house.user(queued, eva, transport="polling")
    session = await CustomerSession.objects.aget(customer=mia.foreign.customer_id)
    await in_thread(end_session)(session)
    await one.gone(6)
    assert not two.is_gone
    await Registration.objects.filter(pk=queued.registration.pk).aupdate(is_active=False)
    await two.gone(6)


async def test_an_event_after_the_sessions_end_is_refused_at_once(house, queued):
    mia = await in_thread(queued.user)()
    client = await house.user(queued, mia)
    await CustomerSession.objects.all().adelete()
    assert (await client.ask("chats:create", {"room": "1"}))["error"]["code"] == 401
    await client.gone()
    assert await Chat.objects.acount() == 0


async def test_another_user_on_the_same_connection_follows_nothing_of_the_first(house, queued, ann):
    mia, eva = await in_thread(queued.user)(), await in_thread(queued.user)("Eva")
    client = await house.user(queued, mia)
    chat = (await client.ask("chats:create", {"room": "1"}))["chat"]
    await client.ask("users:login", {"token": eva.token})
    assert (await client.ask("chats:get", {"chatId": chat["id"]}))["error"]["code"] == 404
    other = await house.user(queued, mia)
    await other.ask("messages:send", {"chatId": chat["id"], "message": "Mine"})
    assert await client.ask("users:chats", {}) == {"chats": {}}
    assert client.texts() == []


# What is not one's own ------------------------------------------------------------------------------------------------


async def check_hidden(client: Any, name: str, chat_id: str, *, own: str, other: str) -> None:
    """In another's name, and in one's own."""
    said = {
        "chatId": chat_id,
        "room": "no-such-room",
        "message": "x",
        "messageId": f"{chat_id.replace('-', '')}-1",
        "type": "writing",
        "history": [{"sender": "assistant", "message": "x"}],
    }
    answer = await client.ask(name, said | dict.fromkeys(["userId", "sender", "creator"], other))
    assert answer["error"]["code"] in (400, 403, 404), (name, answer)
    if name not in ("chats:create", "users:chats", "users:me"):
        answer = await client.ask(name, said | dict.fromkeys(["userId", "sender", "creator"], own))
        assert answer["error"]["code"] in (403, 404), (name, answer)


@pytest.mark.both
async def test_anothers_chat_and_user_are_found_by_no_event(house, queued, direct, foreign, ann):
    """Of another customer, of another application, of another center, of nobody: the same answer, and nothing changes."""
    mia = await in_thread(queued.user)()
    eva = await in_thread(queued.user)("Eva")
    others = [(await in_thread(place.chat)()).pk for place in (direct, foreign)]
    hers = (await in_thread(queued.chat)(eva.foreign)).pk
    client = await house.user(queued, mia)
    before = await count_rows()
    for name in CALLS:
        for chat_id in (*others, hers, NOBODY):
            await check_hidden(
                client, name, str(chat_id), own=str(mia.foreign.customer_id), other=str(eva.foreign.customer_id)
            )
    assert await count_rows() == before
    assert "error" not in await client.ask("users:me", {})


# What nobody should send ----------------------------------------------------------------------------------------------

ODD: list[list[Any]] = [
    [],
    [None],
    ["x"],
    [7],
    [[]],
    [True],
    [{}],
    [{"chatId": None}],
    [{"chatId": []}],
    [{"chatId": {"a": 1}}],
    [{"chatId": 12}],
    [{"chatId": "x" * 100_000}],
    [{"chatId": "\0"}],
    [{"chatId": "\ud800"}],
    [{"chatId": NOBODY, "after": -1}],
    [{"chatId": NOBODY, "after": {"x": 1}}],
    [{"room": 1e300, "creator": 2**70}],
    [{"messageId": ["x"], "history": {"a": 1}, "type": [], "fields": 7}],
    [{"history": [[]], "message": {"a": []}, "room": {}}],
    [{"deep": eval("[" * 60 + "]" * 60)}],
    [{}, {}, {}],
]


async def test_odd_payloads_get_an_envelope(house, queued, monkeypatch):
    monkeypatch.setattr(pace, "PER_SECOND", 10_000.0)
    mia = await in_thread(queued.user)()
    client = await house.user(queued, mia)
    before = await count_rows()
    for name in [*CALLS, "users:login", "user:focus", "no:such", "", "message", "x" * 5000]:
        for said in ODD:
            answer = await client.ask(name, *said)
            assert isinstance(answer, dict)
            if "error" in answer:
                assert answer["error"]["code"] in (400, 401, 403, 404, 429), (name, said, answer)
                assert answer["error"]["message"]
    assert await count_rows() == before


async def test_numbers_without_end_and_bare_constants_are_refused(house, queued):
    mia = await in_thread(queued.user)()
    for packet in (
        '421["users:chats",{"a":NaN}]',
        '421["users:chats",{"a":1e999}]',
        '421["users:chats",{"a":Infinity}]',
    ):
        client = await house.user(queued, mia)
        await client.say(packet)
        await client.wait(lambda client=client: 1 in client.answers)
        assert client.answers[1]["error"]["code"] == 400


async def test_an_event_without_an_acknowledgement_is_done_and_not_answered(house, queued):
    mia = await in_thread(queued.user)()
    client = await house.user(queued, mia)
    chat = (await client.ask("chats:create", {"room": "1"}))["chat"]
    await client.say(f'42["messages:send",{{"chatId":"{chat["id"]}","message":"Quiet"}}]')
    await client.until("message:received")
    assert len(client.answers) == 1


async def test_our_own_fault_is_told_as_one(house, queued, monkeypatch, caplog):
    mia = await in_thread(queued.user)()
    client = await house.user(queued, mia)

    def broken(*_: Any) -> Any:
        raise KeyError("ours")

    monkeypatch.setattr(service, "do", broken)
    assert await client.ask("users:chats", {}) == {"error": {"code": 500, "message": "Something went wrong here"}}
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    caplog.clear()


async def test_the_newest_of_many_chats_are_followed(house, queued, ann, monkeypatch):
    monkeypatch.setattr(connection, "MOST_FOLLOWED", 2)
    mia = await in_thread(queued.user)()
    client = await house.user(queued, mia)
    for _ in range(4):
        chat = (await client.ask("chats:create", {"room": "1"}))["chat"]
        await in_thread(accept)(chat["id"], ann)
        await client.ask("chats:close", {"chatId": chat["id"]})
        await client.until("chat:closed", chatId=chat["id"])
    assert len(next(iter(house.live.clients.values())).followed) == 2
