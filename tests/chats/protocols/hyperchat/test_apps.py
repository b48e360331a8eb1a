"""Applications: seen by their own server, made and changed by an operator."""

import base64
from typing import Any

import pytest

from contactcenter.models import Application, ApplicationPassword, AuditEntry, Channel, Registration, User
from tests.cases import cases
from tests.chats.protocols.hyperchat.conftest import ORIGIN, SECRET, Hyper, is_error


class Operator(Hyper):
    """Somebody by HTTP Basic."""

    def __init__(self, user: User, secret: str = "") -> None:
        super().__init__()
        known = secret or ApplicationPassword.issue(user, "tests")[1]
        self.headers["Authorization"] = "Basic " + base64.b64encode(f"{user.username}:{known}".encode()).decode()


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root", "root@example.com", "correct horse")


@pytest.fixture
def operator(root: User) -> Operator:
    return Operator(root)


def body(**change: Any) -> dict[str, Any]:
    rooms = [{"id": 7, "team": "support"}, {"id": "vip", "team": "sales"}]
    return {"center": "acme", "name": "Bot", "appId": "vendor-1", "rooms": rooms, **change}


def test_a_server_sees_its_own_application_and_no_secret(direct, queued):
    (app,) = direct.server.get("apps/").json()["apps"]
    assert app == {
        "id": "app-direct",
        "appId": "app-direct",
        "name": "direct",
        "center": "acme",
        "domainKey": direct.registration.public_key,
        "queue": {"active": False},
        "allowedDomains": [ORIGIN],
        "rooms": [{"id": "1", "team": "support"}, {"id": "2", "team": "sales"}],
        "active": True,
    }
    assert direct.server.get("apps/app-direct").json() == {"app": app}
    assert is_error(direct.server.get("apps/app-queued"), 404)
    assert is_error(direct.server.get("apps/nobody"), 404)


def test_nobody_else_sees_applications(direct, ann):
    for caller in (direct.page, direct.keyed, direct.as_user(direct.user().token), direct.as_agent(ann)):
        assert is_error(caller.get("apps"), 403)
        assert is_error(caller.get("apps/app-direct"), 403)


def test_an_operator_sees_all(direct, queued, foreign, operator):
    apps = operator.get("apps").json()["apps"]
    assert [app["id"] for app in apps] == ["app-direct", foreign.app_id, "app-queued"]
    assert operator.get(f"apps/{foreign.app_id}").json()["app"]["center"] == "globex"


@pytest.mark.both
def test_an_operator_makes_an_application_that_works_at_once(acme, operator, root):
    answer = operator.post("apps", body(queue={"active": False}, allowedDomains=[ORIGIN]))
    app = answer.json()["app"]
    assert (app["id"], app["center"], app["queue"]) == ("vendor-1", "acme", {"active": False})
    assert app["rooms"] == [{"id": "7", "team": "support"}, {"id": "vip", "team": "sales"}]
    registration = Registration.objects.get()
    assert registration.channel.kind == Channel.Kind.API
    assert registration.application.allowed_origins == [ORIGIN]
    server = Hyper("vendor-1", secret=app["secret"])
    assert server.get("settings").json()["settings"]["rooms"][0]["id"] == "7"
    assert "secret" not in server.get("apps/vendor-1").json()["app"]
    entry = AuditEntry.objects.get(action="foreign access added")
    assert (entry.user_id, entry.center_id) == (root.pk, acme.center.pk)
    assert app["secret"] not in str(entry.changes)


def test_ids_and_keys_that_the_vendor_issued_are_kept(acme, operator):
    operator.post("apps", body(secret=SECRET, domainKey="domain-1", allowedDomains=[ORIGIN]))
    assert Hyper("vendor-1", secret=SECRET).get("settings").status_code == 200
    page = Hyper("vendor-1", key="domain-1")
    assert page.get("settings", Origin=ORIGIN).status_code == 200


def test_what_is_not_named_is_made_up(acme, operator):
    app = operator.post("apps", {"center": "acme", "name": "Bot"}).json()["app"]
    assert len(app["id"]) >= 20
    assert len(app["domainKey"]) >= 20
    assert app["rooms"] == []
    assert app["queue"] == {"active": True}


@pytest.mark.both
def test_a_taken_id_is_refused_and_nothing_is_left(foreign, acme, operator):
    assert is_error(operator.post("apps", body(appId=foreign.app_id)), 409)
    assert not Application.objects.filter(center=acme.center).exists()
    assert not Channel.objects.filter(center=acme.center, kind=Channel.Kind.API).exists()


@cases(
    "change",
    [
        {"center": "nowhere"},
        {"center": ""},
        {"center": None},
        {"name": ""},
        {"name": None},
        {"appId": "with blank"},
        {"appId": "ü"},
        {"appId": "x" * 101},
        {"secret": "short"},
        {"secret": "with a blank in it"},
        {"domainKey": "with blank"},
        {"rooms": "1"},
        {"rooms": [1]},
        {"rooms": [{"id": "1"}]},
        {"rooms": [{"id": "1", "team": "nobody"}]},
        {"rooms": [{"id": "a\tb", "team": "support"}]},
        {"rooms": [{"id": "1", "team": "support"}, {"id": "1", "team": "sales"}]},
        {"rooms": [{"id": "1", "team": "support"}, {"id": "2", "team": "support"}]},
        {"allowedDomains": ["ftp://a"]},
        {"queue": "on"},
        {"active": "perhaps"},
    ],
)
def test_odd_applications_are_refused_and_nothing_is_made(acme, operator, change):
    assert is_error(operator.post("apps", body(**change)), 400)
    assert not Registration.objects.exists()
    assert not Application.objects.exists()


@pytest.mark.both
def test_an_operator_changes_what_is_named(direct, acme, operator):
    answer = operator.put(
        "apps/app-direct",
        {"appId": "vendor-2", "secret": "another-long-secret", "name": "New", "rooms": [{"id": "1", "team": "sales"}]},
    )
    app = answer.json()["app"]
    assert (app["id"], app["name"], app["rooms"]) == ("vendor-2", "New", [{"id": "1", "team": "sales"}])
    assert (app["queue"], app["allowedDomains"]) == ({"active": False}, [ORIGIN])
    assert "secret" not in app
    assert is_error(direct.server.get("settings"), 401)
    assert Hyper("vendor-2", secret="another-long-secret").get("settings").status_code == 200
    assert AuditEntry.objects.get(action="foreign access changed").changes["secret"] == "replaced"


def test_an_application_is_switched_off(direct, operator):
    operator.put("apps/app-direct", {"active": False})
    assert is_error(direct.server.get("settings"), 401)
    operator.put("apps/app-direct/", {"active": True})
    assert direct.server.get("settings").status_code == 200


def test_rooms_that_stay_keep_their_rows(direct, operator):
    before = direct.registration.rooms.get(foreign_id="1").pk
    operator.put("apps/app-direct", {"rooms": [{"id": "1", "team": "support"}, {"id": "9", "team": "sales"}]})
    assert dict(direct.registration.rooms.values_list("foreign_id", "team__key")) == {"1": "support", "9": "sales"}
    assert direct.registration.rooms.get(foreign_id="1").pk == before


def test_teams_of_another_center_are_unknown(direct, globex, operator):
    globex.sales.key = "moon"
    globex.sales.save()
    assert is_error(operator.put("apps/app-direct", {"rooms": [{"id": "1", "team": "moon"}]}), 400)
    assert direct.registration.rooms.count() == 2


def test_another_applications_id_is_refused(direct, queued, operator):
    assert is_error(operator.put("apps/app-direct", {"appId": "app-queued"}), 409)
    assert is_error(operator.put("apps/nobody", {"name": "x"}), 404)


def test_servers_write_no_applications(direct):
    assert is_error(direct.server.post("apps", body()), 403)
    assert is_error(direct.server.put("apps/app-direct", {"name": "Eve"}), 403)
    assert Application.objects.get().name == "direct"


def test_other_people_are_no_operators(direct, ann, root):
    assert is_error(Operator(ann.user).get("apps"), 403)
    assert is_error(Operator(ann.user).post("apps", body()), 403)
    assert is_error(Operator(root, "correct horse").get("apps"), 401)
    assert is_error(Operator(root, "ap_wrong").get("apps"), 401)
    root.is_active = False
    root.save()
    assert is_error(Operator(root).get("apps"), 401)


@cases("value", ["Basic", "Basic x", "Basic ü", "Basic " + "x" * 600, "Basic /+8=", "Bearer x", "x"])
def test_odd_authorizations_are_refused(direct, value):
    caller = Hyper()
    caller.headers["Authorization"] = value
    assert is_error(caller.get("apps"), 401)


def test_an_operators_password_opens_nothing_else(direct, operator):
    assert is_error(operator.get("settings"), 401)
    assert is_error(operator.get("users"), 401)


@cases("who", ["page", "keyed", "server"])
def test_an_application_is_valid_with_what_it_shows(direct, who):
    answer = getattr(direct, who).get("apps/app-direct/validate/")
    assert answer.json() == {"success": True, "valid": True}


def test_an_application_that_shows_something_wrong_is_not(direct, queued):
    assert is_error(direct.page.get("apps/app-queued/validate"), 404)
    assert is_error(Hyper("nobody").get("apps/nobody/validate"), 401)
    assert is_error(Hyper("app-direct", secret="wrong").get("apps/app-direct/validate"), 401)
    assert is_error(direct.page.get("apps/app-direct/validate", Origin="https://evil.example"), 403)
