"""What is refused over HTTP: always the envelope, always the right status, and nothing is changed by it."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.services.hyperchat.client import Hyper

# What is refused does not depend on how the product is installed: one installation is enough.
pytestmark = pytest.mark.parametrize("house", ["embedded"], indirect=True, scope="session")

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def shop(house: Any, urls: list[str]) -> Hyper:
    keys = house.demo["hyperchat"]
    return Hyper(f"{urls[0]}/v1", keys["app_id"], keys["secret"])


@pytest.fixture
def repairs(house: Any, urls: list[str]) -> Hyper:
    """Another application of the same center."""
    keys = house.demo["hyperchat_queue"]
    return Hyper(f"{urls[-1]}/v1", keys["app_id"], keys["secret"])


def send(hyper: Hyper, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any]:
    """Status and body. Headers by name with _ for -; those of the application are not sent by themselves."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"{hyper.server}/{path}", body, named, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def is_refused(answer: tuple[int, Any], status: int) -> bool:
    code, body = answer
    error = body["error"]
    return (
        code == status
        and set(body) == {"error"}
        and (type(error["code"]), error["code"]) == (int, status)
        and bool(error["message"])
    )


@pytest.mark.parametrize(
    "proof",
    [
        {},
        {"x_hyper_appid": "nobody"},
        {"x_hyper_appid": "{app}", "x_hyper_secret": "wrong"},
        {"x_hyper_appid": "{app}", "x_hyper_secret": "{other}"},
        {"x_hyper_appid": "{app}", "x_hyper_key": "wrong"},
        {"x_hyper_appid": "{app}", "x_hyper_token": "wrong"},
    ],
)
@pytest.mark.parametrize("path", ["agents/available", "chats/"])
def test_wrong_keys_open_nothing(house: Any, shop: Hyper, repairs: Hyper, path: str, proof: dict[str, str]):
    filled = {name: value.format(app=shop.app_id, other=repairs.secret) for name, value in proof.items()}
    assert is_refused(send(shop, "GET", path, **filled), 401)


@pytest.mark.parametrize("path", ["users/", "chats/", "agents/", "media/", "webhooks/", "queues/status", "id/"])
def test_the_application_id_alone_reaches_the_public_routes_only(shop: Hyper, path: str):
    assert is_refused(send(shop, "GET", path, x_hyper_appid=shop.app_id), 403)


def test_a_domain_key_opens_from_allowed_pages_alone(house: Any, shop: Hyper, urls: list[str]):
    key = house.demo["hyperchat"]["domain_key"]
    shown = {"x_hyper_appid": shop.app_id, "x_hyper_key": key}
    status, body = send(shop, "GET", "settings", Origin=house.demo["url"], **shown)
    assert (status, set(body["settings"])) == (200, {"queue", "languages"})
    assert is_refused(send(shop, "GET", "settings", Origin="https://elsewhere.example", **shown), 403)
    assert is_refused(send(shop, "GET", "chats", Origin=house.demo["url"], **shown), 403)


def test_what_another_application_has_is_not_found(shop: Hyper, repairs: Hyper):
    user = shop.sign_up("Mia", "refused-mia")
    chat = shop.begin_chat("1", user["id"])
    theirs = repairs.sign_up("Ben", "refused-ben")
    shown = {"x_hyper_appid": repairs.app_id, "x_hyper_secret": repairs.secret}
    said = json.dumps({"sender": theirs["id"], "message": "Hello"}).encode()
    asked = [
        ("GET", f"users/{user['id']}", None),
        ("PUT", f"users/{user['id']}", b'{"name": "Eve"}'),
        ("GET", f"chats/{chat['id']}", None),
        ("PUT", f"chats/{chat['id']}", b'{"lang": "de"}'),
        ("DELETE", f"chats/{chat['id']}", None),
        ("GET", f"chats/{chat['id']}/assign", None),
        ("GET", f"chats/{chat['id']}/messages", None),
        ("POST", f"chats/{chat['id']}/messages", said),
        ("GET", f"chats/{chat['id']}/history", None),
        ("POST", f"chats/{chat['id']}/toinbox", b"{}"),
        ("GET", f"chats/{chat['id']}/users", None),
        ("GET", f"queues/update/{chat['id']}", None),
        ("GET", f"surveys/1?sourceType=ticket&sourceId={chat['id']}", None),
        ("GET", f"users/{UNKNOWN}", None),
        ("GET", f"chats/{UNKNOWN}", None),
        ("GET", f"media/{UNKNOWN}", None),
        ("GET", "chats/1", None),
    ]
    for method, path, body in asked:
        assert is_refused(send(repairs, method, path, body, **shown), 404), (method, path)
    assert shop.chat(chat["id"]) == chat
    assert shop.user(user["id"]) == user | {"chats": [chat["id"]]}
    shop.close(chat["id"])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b"\xff\xfe",
        b'{"name": null}',
        b'{"name": ["a"]}',
        b'{"name": "\\u0000"}',
    ],
)
def test_broken_bodies_make_no_user(shop: Hyper, body: bytes):
    shown = {"x_hyper_appid": shop.app_id, "x_hyper_secret": shop.secret}
    before = shop.call("GET", "users/", query={"limit": "100"})
    assert is_refused(send(shop, "POST", "users", body, Content_Type="application/json", **shown), 400)
    assert shop.call("GET", "users/", query={"limit": "100"}) == before


@pytest.mark.parametrize("path", ["nowhere", "chats/1/2/3/4", "", "agents/available/now/please"])
def test_addresses_that_are_none_answer_no_page(shop: Hyper, path: str):
    status, _body = send(shop, "GET", path, x_hyper_appid=shop.app_id, x_hyper_secret=shop.secret)
    assert status == 404
