"""How an application is set up: what its clients may know, what its server may change."""

import pytest
from django.utils import timezone

from chats.actions.hooks import add_webhook
from contactcenter.models import Application, AuditEntry, Registration, Team
from tests.cases import cases
from tests.chats.protocols.hyperchat.conftest import ORIGIN, is_error


@cases("who", ["page", "keyed"])
def test_without_the_secret_only_queue_and_languages_are_told(direct, queued, who):
    assert getattr(direct, who).get("settings/").json() == {"settings": {"queue": {"active": False}, "languages": []}}
    assert getattr(queued, who).get("settings").json() == {"settings": {"queue": {"active": True}, "languages": []}}


def test_a_users_token_sees_no_more(queued):
    answer = queued.as_user(queued.user().token).get("settings")
    assert set(answer.json()["settings"]) == {"queue", "languages"}


def test_languages_are_those_of_the_rooms_teams(direct, acme):
    Team.objects.filter(pk=acme.support.pk).update(languages=["de", "en"])
    Team.objects.filter(pk=acme.sales.pk).update(languages=["en", "fr"])
    assert sorted(direct.page.get("settings").json()["settings"]["languages"]) == ["de", "en", "fr"]


@pytest.mark.both
def test_with_the_secret_everything_is_told(queued, acme):
    told = queued.server.get("settings").json()["settings"]
    assert told["queue"] == {"active": True}
    assert told["rooms"] == [{"id": "1", "name": "Support"}, {"id": "2", "name": "Sales"}]
    assert told["allowedDomains"] == [ORIGIN]
    assert told["agentsCanEndSession"] is True
    assert "image/png" in told["fileTypes"]["users"]
    assert told["fileTypes"]["users"] == told["fileTypes"]["agents"]
    assert told["webhooks"] == []


def test_web_hooks_are_told_without_their_secrets(queued, direct):
    program = queued.registration.application
    add_webhook(
        program,
        url="https://hook.example/",
        events=["chats:close"],
        registration=queued.registration,
        now=timezone.now(),
    )
    (webhook,) = queued.server.get("settings").json()["settings"]["webhooks"]
    assert (webhook["events"], webhook["target"]) == (["chats:close"], "https://hook.example/")
    assert "secret" not in webhook
    assert direct.server.get("settings").json()["settings"]["webhooks"] == []


@pytest.mark.both
@cases("wrap", [lambda body: body, lambda body: {"settings": body}])
def test_the_server_switches_the_queue_and_the_log_tells_of_it(direct, wrap):
    answer = direct.server.put("settings", wrap({"queue": {"active": True}}))
    assert answer.json()["settings"]["queue"] == {"active": True}
    assert Registration.objects.get(pk=direct.registration.pk).uses_queue
    assert direct.page.get("settings").json()["settings"]["queue"] == {"active": True}
    entry = AuditEntry.objects.get(action="foreign access changed")
    assert (entry.actor, entry.changes) == ("application direct", {"uses_queue": "True"})


def test_a_chat_begins_as_the_switch_stands(direct):
    assert direct.chat().state == "searching"
    direct.server.put("settings", {"queue": {"active": True}})
    direct.registration.refresh_from_db()
    assert direct.chat().state == "queued"


def test_domains_are_changed_only_by_who_may_configure(direct):
    body = {"allowedDomains": ["https://new.example"]}
    assert is_error(direct.server.put("settings", body), 403)
    assert Application.objects.get().allowed_origins == [ORIGIN]
    Application.objects.update(may_configure=True)
    assert direct.server.put("settings", body).json()["settings"]["allowedDomains"] == ["https://new.example"]
    assert is_error(direct.keyed.get("settings"), 403)


def test_unknown_members_are_left_out_and_nothing_is_noted(direct):
    answer = direct.server.put("settings", {"theme": "dark", "queue": {"priority": 3}, "languages": ["de"]})
    assert answer.json()["settings"]["languages"] == []
    assert not AuditEntry.objects.filter(action="foreign access changed").exists()


def test_only_the_server_changes_them(direct):
    for caller in (direct.page, direct.keyed, direct.as_user(direct.user().token)):
        assert is_error(caller.put("settings", {"queue": {"active": True}}), 403)
    assert not Registration.objects.get(pk=direct.registration.pk).uses_queue


@cases(
    "body",
    [
        {"queue": True},
        {"queue": {"active": "perhaps"}},
        {"queue": {"active": None}},
        {"queue": []},
        {"allowedDomains": "https://a.example"},
        {"allowedDomains": ["javascript:alert(1)"]},
        {"allowedDomains": ["https://a.example/path"]},
        {"allowedDomains": ["https://a.example"] * 101},
        {"settings": {"queue": 1}},
        [],
        None,
    ],
)
def test_odd_settings_are_refused(direct, body):
    Application.objects.update(may_configure=True)
    assert is_error(direct.server.call("PUT", "settings", b"null" if body is None else body), 400)
    assert not Registration.objects.get(pk=direct.registration.pk).uses_queue
    assert Application.objects.get().allowed_origins == [ORIGIN]
