"""The demo's two HyperChat applications: complete at once, the same at every later run, and what an admin changed stays."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from agents.models import Agent, Membership
from chats.demo.build import build_demo
from contactcenter.models import Application, Channel, Registration, Team, hash_secret

pytestmark = [pytest.mark.django_db, pytest.mark.both]
NAMES = ("hyperchat", "hyperchat_queue")


@pytest.fixture(autouse=True)
def own_directory(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    settings.BASE_URL = "http://127.0.0.1:8000"


def build() -> dict[str, Any]:
    return build_demo(timezone.now())


def registration_of(told: dict[str, str]) -> Registration:
    return Registration.objects.get(foreign_id=told["app_id"])


def test_the_demo_tells_what_a_client_enters(settings):
    demo = build()
    for name in NAMES:
        assert set(demo[name]) == {"app_id", "secret", "domain_key", "room"}
        assert all(isinstance(value, str) and value for value in demo[name].values())
    assert json.loads((settings.DATA_DIR / "demo.json").read_text())["hyperchat"] == demo["hyperchat"]


def test_what_is_told_is_what_opens():
    demo = build()
    for name in NAMES:
        registration = registration_of(demo[name])
        assert registration.secret_hash == hash_secret(demo[name]["secret"])
        assert registration.public_key == demo[name]["domain_key"]
        assert [room.foreign_id for room in registration.rooms.all()] == [demo[name]["room"]]
        assert registration.is_active
        assert registration.channel.kind == Channel.Kind.API


def test_one_searches_itself_and_the_other_waits_in_line():
    demo = build()
    direct, queued = (registration_of(demo[name]) for name in NAMES)
    assert (direct.uses_queue, queued.uses_queue) == (False, True)
    assert direct.application != queued.application
    assert direct.channel != queued.channel
    assert direct.rooms.get().team.mode == Team.Mode.DIRECT
    assert queued.rooms.get().team.mode == Team.Mode.QUEUE


def test_the_demo_s_agents_answer_for_both():
    demo = build()
    for name in NAMES:
        team = registration_of(demo[name]).rooms.get().team
        members = Agent.objects.filter(memberships__team=team).values_list("user__username", flat=True)
        assert set(members) == {"maya", "noah", "sofia", "karim"}


def test_the_demo_s_own_pages_may_call():
    registration = registration_of(build()["hyperchat"])
    assert registration.application.allowed_origins == ["http://127.0.0.1:8000", "http://localhost:8000"]


def test_a_second_run_tells_the_same_and_makes_nothing():
    first = build()
    counts = [model.objects.count() for model in (Registration, Application, Channel, Team, Membership)]
    assert build() == first
    assert counts == [model.objects.count() for model in (Registration, Application, Channel, Team, Membership)]


def test_another_address_is_allowed_beside_the_ones_before(settings):
    build()
    settings.BASE_URL = "http://127.0.0.1:9000"
    allowed = registration_of(build()["hyperchat"]).application.allowed_origins
    assert {"http://127.0.0.1:8000", "http://127.0.0.1:9000", "http://localhost:9000"} <= set(allowed)


def test_what_an_admin_changed_stays():
    demo = build()
    queued = registration_of(demo["hyperchat_queue"])
    queued.uses_queue = False
    queued.foreign_id = "0123"
    queued.save()
    team = queued.rooms.get().team
    Membership.objects.filter(team=team, agent__user__username="noah").delete()
    again = build()["hyperchat_queue"]
    assert again == demo["hyperchat_queue"] | {"app_id": "0123"}
    assert not registration_of(again).uses_queue
    assert not Membership.objects.filter(team=team, agent__user__username="noah").exists()


def test_a_demo_of_an_older_release_gains_both(settings):
    """Its centers, teams and seats are there; its kept file knows no such secrets."""
    build()
    Registration.objects.all().delete()
    Channel.objects.filter(kind=Channel.Kind.API).delete()
    Application.objects.exclude(name="Shop server").delete()
    Membership.objects.filter(team__key__in=["fitting", "workshop"]).delete()
    Team.objects.filter(key__in=["fitting", "workshop"]).delete()
    kept = settings.DATA_DIR / "demo-passwords.json"
    secrets = {name: value for name, value in json.loads(kept.read_text()).items() if name not in NAMES}
    kept.write_text(json.dumps(secrets))
    demo = build()
    for name in NAMES:
        assert registration_of(demo[name]).secret_hash == hash_secret(demo[name]["secret"])
        assert registration_of(demo[name]).rooms.get().team.memberships.count() == 4


def test_a_lost_file_leads_to_a_new_secret(settings):
    before = build()["hyperchat"]
    (settings.DATA_DIR / "demo-passwords.json").unlink()
    after = build()["hyperchat"]
    assert after["secret"] != before["secret"]
    assert after["app_id"] == before["app_id"]
    assert registration_of(after).secret_hash == hash_secret(after["secret"])
