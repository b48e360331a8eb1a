"""The demo's application for Expertflow's customer channel: complete at once, the same at every later run, and what an admin changed stays."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from chats.demo.build import build_demo
from chats.models import Connector
from chats.protocols.expertflow.callers import has_secret
from contactcenter.models import Application, Channel, Registration, RegistrationTeam

pytestmark = [pytest.mark.django_db, pytest.mark.both]


@pytest.fixture(autouse=True)
def own_directory(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    settings.BASE_URL = "http://127.0.0.1:8000"


def build() -> dict[str, Any]:
    return build_demo(timezone.now())


def registration_of(told: dict[str, str]) -> Registration:
    return Registration.objects.get(foreign_id=told["contact_center_id"])


def test_the_demo_tells_what_a_client_enters_and_it_opens(settings):
    told = build()["expertflow"]
    assert set(told) == {"contact_center_id", "subject", "secret"}
    assert json.loads((settings.DATA_DIR / "demo.json").read_text())["expertflow"] == told
    made = registration_of(told)
    assert has_secret(made, told["secret"])
    assert made.center.slug == "acme"
    assert made.channel.kind == Channel.Kind.API
    assert made.application.allowed_origins == ["http://127.0.0.1:8000", "http://localhost:8000"]
    rooms = {room.foreign_id: room.team.key for room in made.rooms.all()}
    assert rooms == {"Support": "support", "Sales": "orders"}
    assert told["subject"] == "Support"
    sms = Connector.objects.get()
    assert (sms.registration, sms.name, sms.channel.kind) == (made, "sms", Channel.Kind.SMS)


def test_a_second_run_tells_the_same_and_makes_nothing():
    first = build()
    models = (Registration, RegistrationTeam, Application, Channel, Connector)
    counts = [model.objects.count() for model in models]
    assert build() == first
    assert counts == [model.objects.count() for model in models]


def test_what_an_admin_changed_stays_and_a_lost_file_leads_to_a_new_secret(settings):
    before = build()["expertflow"]
    made = registration_of(before)
    made.foreign_id, made.demands_secret = "ours", True
    made.save()
    made.rooms.all().delete()
    made.connectors.all().delete()
    assert build()["expertflow"] == before | {"contact_center_id": "ours", "subject": ""}
    assert not Connector.objects.exists()
    (settings.DATA_DIR / "demo-passwords.json").unlink()
    after = build()["expertflow"]
    assert after["secret"] != before["secret"]
    assert has_secret(Registration.objects.get(foreign_id="ours"), after["secret"])
