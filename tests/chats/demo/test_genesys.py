"""The demo's Genesys application: complete at once, the same at every later run, and what an admin changed stays."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from chats.demo.build import build_demo
from chats.models import Chat
from contactcenter.models import Application, Channel, Registration

pytestmark = [pytest.mark.django_db, pytest.mark.both]
PUBLISHED = "N18TFGbKpn0zaGLXDFZhPWpTcB2eyx44"
REQUEST = {"operationName": "RequestChat", "nickname": "Mia", "subject": "Parcel"}


@pytest.fixture(autouse=True)
def own_directory(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    settings.BASE_URL = "http://127.0.0.1:8000"


def build() -> dict[str, Any]:
    return build_demo(timezone.now())


def request_chat(**headers: str) -> Any:
    return Client().post("/api/v2/chats", json.dumps(REQUEST), content_type="application/json", headers=headers)


def test_the_demo_tells_what_a_page_sends(settings):
    told = build()["genesys"]
    assert set(told) == {"contact_center_id", "api_key", "endpoint"}
    assert told["api_key"] == PUBLISHED
    assert json.loads((settings.DATA_DIR / "demo.json").read_text())["genesys"] == told


def test_each_of_them_begins_a_chat_and_so_does_nothing_at_all():
    told = build()["genesys"]
    for headers in ({"apikey": told["api_key"]}, {"ContactCenterId": told["contact_center_id"]}, {}):
        answer = request_chat(**headers)
        assert (answer.status_code, answer.json()["statusCode"]) == (200, 0)
    chats = Chat.objects.filter(foreign__isnull=False)
    assert {chat.center.slug for chat in chats} == {"acme"}
    assert chats.count() == 3


def test_its_endpoint_is_the_default_team():
    told = build()["genesys"]
    registration = Registration.objects.get(foreign_id=told["contact_center_id"])
    assert registration.rooms.get().foreign_id == told["endpoint"]
    assert registration.rooms.get().team.is_default
    assert registration.channel.kind == Channel.Kind.API


def test_a_second_run_tells_the_same_and_makes_nothing():
    first = build()
    counts = [model.objects.count() for model in (Registration, Application, Channel)]
    assert build() == first
    assert counts == [model.objects.count() for model in (Registration, Application, Channel)]


def test_what_an_admin_changed_stays():
    registration = Registration.objects.get(foreign_id=build()["genesys"]["contact_center_id"])
    registration.foreign_id, registration.public_key = "ours", "key"
    registration.save()
    registration.rooms.all().delete()
    assert build()["genesys"] == {"contact_center_id": "ours", "api_key": "key", "endpoint": ""}


def test_the_demo_s_own_pages_may_call(settings):
    build()
    settings.BASE_URL = "http://127.0.0.1:9000"
    registration = Registration.objects.get(foreign_id=build()["genesys"]["contact_center_id"])
    assert {"http://127.0.0.1:8000", "http://127.0.0.1:9000"} <= set(registration.application.allowed_origins)


def test_of_two_centers_with_the_published_key_the_default_one_is_meant(settings):
    build()
    mine = Registration.objects.get(public_key=PUBLISHED)
    theirs = Channel.objects.exclude(center=mine.center).first()
    application = Application.objects.create(center=theirs.center, name="Pages")
    Registration.objects.create(
        center=theirs.center,
        application=application,
        channel=theirs,
        protocol=Registration.Protocol.GENESYS,
        public_key=PUBLISHED,
    )
    settings.DEFAULT_CONTACT_CENTER = "acme"
    assert request_chat(apikey=PUBLISHED).status_code == 200
    assert Chat.objects.get(foreign__isnull=False).center == mine.center
    settings.DEFAULT_CONTACT_CENTER = ""
    assert request_chat(apikey=PUBLISHED).json()["statusCode"] == 3
