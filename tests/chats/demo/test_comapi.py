"""The demo's API space: complete at once, the same at every later run, and what an admin changed stays."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from chats.demo.build import build_demo
from contactcenter.models import ApiSpace, Application, Channel, Registration, RegistrationTeam

pytestmark = [pytest.mark.django_db, pytest.mark.both]


@pytest.fixture(autouse=True)
def own_directory(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    settings.BASE_URL = "http://127.0.0.1:8000"


def build() -> dict[str, Any]:
    return build_demo(timezone.now())


def basic(told: dict[str, str]) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{told['username']}:{told['password']}".encode()).decode()}


def bearer(told: dict[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {told['access_token']}"}


def test_the_demo_tells_what_a_client_enters_and_it_opens(settings: Any, client: Client) -> None:
    told = build()["comapi"]
    assert set(told) == {"api_space_id", "access_token", "username", "password", "shared_secret", "team_id"}
    assert json.loads((settings.DATA_DIR / "demo.json").read_text())["comapi"] == told
    teams = {team["teamId"]: team for team in client.get("/cpaas/chat/config", headers=basic(told)).json()["teams"]}
    assert told["team_id"] == "Customer_Services"
    assert teams["Customer_Services"]["channels"]["appMessagingConfig"]["replyAs"] == "team"
    body = {"name": "Boots", "teamId": told["team_id"], "channelId": "appMessaging", "participants": [{"id": "mia"}]}
    answer = client.post(
        f"/apispaces/{told['api_space_id']}/chats", body, content_type="application/json", headers=bearer(told)
    )
    assert answer.status_code == 201, answer.content
    made = Registration.objects.get(foreign_id=told["api_space_id"])
    assert (made.center.slug, made.channel.kind) == ("acme", Channel.Kind.APP)
    assert made.application.allowed_origins == ["http://127.0.0.1:8000", "http://localhost:8000"]


def test_a_second_run_tells_the_same_and_makes_nothing() -> None:
    first = build()
    models = (Registration, RegistrationTeam, Application, Channel, ApiSpace)
    counts = [model.objects.count() for model in models]
    assert build() == first
    assert counts == [model.objects.count() for model in models]


def test_what_an_admin_changed_stays_and_what_cannot_be_told_any_more_is_made_anew(
    settings: Any, client: Client
) -> None:
    before = build()["comapi"]
    made = Registration.objects.get(foreign_id=before["api_space_id"])
    made.foreign_id = "ours"
    made.save()
    made.rooms.all().delete()
    assert build()["comapi"] == before | {"api_space_id": "ours", "team_id": ""}
    made.space.renew_password()
    again = build()["comapi"]
    assert again["access_token"] == before["access_token"]
    assert again["password"] != before["password"]
    assert client.get("/cpaas/chat/config", headers=basic(again)).status_code == 200
    (settings.DATA_DIR / "demo-passwords.json").unlink()
    after = build()["comapi"]
    assert after["access_token"] != before["access_token"]
    assert client.get("/apispaces/ours/chat/config", headers=bearer(after)).status_code == 200
