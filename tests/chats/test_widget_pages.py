"""The loader, the panel's frame and the demo shop as browsers get them."""

from types import SimpleNamespace

import pytest
from django.test import Client
from pytest_django import Settings

from chats.demo_site import demo_channel
from chats.models import Chat
from chats.widget import is_origin
from contactcenter.models import Channel
from tests.cases import cases

pytestmark = [pytest.mark.django_db, pytest.mark.both]


def policy(client: Client, channel: Channel) -> dict[str, str]:
    response = client.get("/widget/frame/", {"key": channel.key})
    assert response.status_code == 200
    lines = [line.strip().partition(" ") for line in response["Content-Security-Policy"].split(";")]
    return {name: value for name, _, value in lines}


def test_the_loader_is_a_script_that_any_site_may_include_for_minutes(client: Client) -> None:
    response = client.get("/widget.js")
    assert response["Content-Type"].startswith("text/javascript")
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "max-age=300" in response["Cache-Control"]
    assert "immutable" not in response["Cache-Control"]
    again = client.get("/widget.js", headers={"If-None-Match": response["ETag"]})
    assert again.status_code == 304
    assert again.content == b""


def test_the_frame_is_for_allowed_origins_and_our_own_pages(client: Client, acme: SimpleNamespace) -> None:
    found = policy(client, acme.channel)
    assert found["frame-ancestors"].split() == ["'self'", "https://www.acme.example"]
    assert found["script-src"] == "'self'"
    assert found["style-src"] == "'self'"
    assert found["default-src"] == "'none'"
    assert found["require-trusted-types-for"] == "'script'"
    assert "ws://testserver" in found["connect-src"]


def test_the_frame_may_be_framed_and_is_not_kept(client: Client, acme: SimpleNamespace) -> None:
    response = client.get("/widget/frame/", {"key": acme.channel.key})
    assert "X-Frame-Options" not in response
    assert response["Cache-Control"] == "private, no-store"
    assert "csrf" not in response.content.decode()
    assert not response.cookies


@cases("key", ["", "pk_unknown", "pk_\0", "x" * 500])
def test_an_unknown_key_is_404(client: Client, acme: SimpleNamespace, key: str) -> None:
    assert client.get("/widget/frame/", {"key": key}).status_code == 404


@cases("change", [{"is_active": False}, {"kind": Channel.Kind.SMS}, {"kind": Channel.Kind.APP}])
def test_only_an_active_web_channel_has_a_panel(
    client: Client, acme: SimpleNamespace, change: dict[str, object]
) -> None:
    Channel.objects.filter(pk=acme.channel.pk).update(**change)
    assert client.get("/widget/frame/", {"key": acme.channel.key}).status_code == 404


def test_a_closed_center_has_no_panel(client: Client, acme: SimpleNamespace) -> None:
    acme.center.is_active = False
    acme.center.save()
    assert client.get("/widget/frame/", {"key": acme.channel.key}).status_code == 404


@cases("name", ["<script>alert(1)</script>", '" onload="alert(1)'])
def test_names_are_escaped(client: Client, acme: SimpleNamespace, name: str) -> None:
    acme.center.name = name
    acme.center.save()
    page = client.get("/widget/frame/", {"key": acme.channel.key}).content.decode()
    assert name not in page


HOSTILE = [
    "https://a.example; script-src *",
    "https://a.example https://b.example",
    "https://*.example",
    "'unsafe-inline'",
    "*",
    "https:",
    "https://a.example/path",
    "https://a.example?x",
    "javascript:alert(1)",
    "https://a.example:port",
    "https://a.example\n",
    "null",
    "",
    7,
    None,
]


@cases("origin", HOSTILE)
def test_what_is_no_origin_never_reaches_the_policy(client: Client, acme: SimpleNamespace, origin: object) -> None:
    assert not is_origin(origin)
    Channel.objects.filter(pk=acme.channel.pk).update(allowed_origins=[origin, "https://good.example:8443"])
    assert policy(client, acme.channel)["frame-ancestors"] == "'self' https://good.example:8443"


def test_the_demo_shop_is_there_only_when_asked_for(client: Client, acme: SimpleNamespace, settings: Settings) -> None:
    for path in ("/demo/", "/demo/boots/", "/demo/help/"):
        settings.DEMO_SITE = True
        page = client.get(path)
        assert page.status_code == 200
        assert f'data-key="{acme.channel.key}"' in page.content.decode()
        assert " style=" not in page.content.decode()
        settings.DEMO_SITE = False
        assert client.get(path).status_code == 404


def test_without_the_demo_center_there_is_no_shop(client: Client, globex: SimpleNamespace, settings: Settings) -> None:
    settings.DEMO_SITE = True
    assert demo_channel() is None
    assert client.get("/demo/").status_code == 404
    assert Chat.objects.count() == 0
