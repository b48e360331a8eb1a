"""Who calls: tokens, keys, application passwords, sessions with CSRF, public keys."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from chats.models import CustomerSession
from contactcenter.models import Application, ApplicationPassword
from tests.cases import cases
from tests.chats.api.conftest import Api, as_agent, as_application, as_customer, as_person, basic
from tests.conftest import make_agent


def test_nobody_is_told_to_sign_in(nobody, db):
    for path in ("me", "chats", "customers", "teams", "queue", "reports/summary", "agents"):
        refused = nobody.get(path)
        assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized"), path
        assert refused["WWW-Authenticate"].startswith("Bearer")


@cases(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer sk_x",
        "Basic",
        "Basic !!",
        "Basic YQ==",
        "Basic YTpi",
        "Digest a",
        "bearer \xff",
    ],
)
def test_broken_credentials_are_refused(nobody, db, header):
    assert nobody.get("me", Authorization=header).status_code == 401


def test_an_application_password_opens_the_seat_and_is_noted_once_a_minute(ann):
    api = as_agent(ann)
    assert api.get("me").json()["agent"]["name"] == "Ann"
    first = ApplicationPassword.objects.get().last_used_at
    assert first is not None
    api.get("me")
    assert ApplicationPassword.objects.get().last_used_at == first


def test_a_persons_own_password_is_no_application_password(ann, nobody):
    assert nobody.get("me", Authorization=basic("ann", "correct horse")).status_code == 401


def test_an_application_password_works_for_its_own_user_alone(ann, bob, nobody):
    secret = ApplicationPassword.issue(ann.user, "tests")[1]
    assert nobody.get("me", Authorization=basic("bob", secret)).status_code == 401


def test_wrong_passwords_are_slowed_down_but_right_ones_never(ann, nobody):
    answers = [nobody.get("me", Authorization=basic("ann", f"wrong {number}")) for number in range(25)]
    assert answers[0].status_code == 401
    assert answers[-1].status_code == 429
    assert int(answers[-1]["Retry-After"]) >= 1
    assert as_agent(ann).get("me").status_code == 200


def test_a_session_reads_but_changes_nothing_without_the_csrf_token(ann):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann.user)
    api = Api(client)
    assert api.get("me").status_code == 200
    refused = api.post("agent/ticket")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    client.get("/accounts/logout/")
    token = client.cookies["csrftoken"].value
    assert api.call("POST", "agent/ticket", {}, **{"X-CSRFToken": token}).status_code == 200


def test_a_ticket_of_a_session_remembers_the_session(ann):
    assert as_person(ann).post("agent/ticket").json()["ticket"]
    assert ann.tickets.get().session_key
    as_agent(ann).post("agent/ticket")
    assert ann.tickets.exclude(session_key="").count() == 1


def test_who_has_several_seats_says_which(acme, globex, ann):
    from agents.seats import open_seat

    open_seat(globex.center, ann.user, name="Ann elsewhere", teams=[])
    api = as_agent(ann)
    assert api.get("me").status_code == 400
    assert api.get("me", **{"X-Contact-Center": "acme"}).json()["center"]["slug"] == "acme"
    assert api.get("me", **{"X-Contact-Center": "globex"}).json()["agent"]["name"] == "Ann elsewhere"
    assert api.get("me", **{"X-Contact-Center": "nowhere"}).status_code == 403


def test_a_stranger_has_no_seat(eve, globex):
    api = Api(Client())
    api.client.force_login(eve)
    assert api.get("me").status_code == 403
    assert api.get("me", **{"X-Contact-Center": "globex"}).status_code == 403


def test_a_seat_or_a_center_that_is_switched_off_opens_nothing(acme, ann):
    api = as_agent(ann)
    ann.is_active = False
    ann.save()
    assert api.get("me").status_code == 403
    ann.is_active = True
    ann.save()
    acme.center.is_active = False
    acme.center.save()
    assert api.get("me").status_code == 403


def test_a_secret_key_ends_when_it_is_renewed_or_its_program_switched_off(acme):
    shop = as_application(acme)
    assert shop.get("teams").status_code == 200
    assert Application.objects.get().last_used_at is not None
    shop.application.renew_secret()
    assert shop.get("teams").status_code == 401
    fresh = Api(Authorization=f"Bearer {shop.application.renew_secret()}")
    Application.objects.update(is_active=False)
    assert fresh.get("teams").status_code == 401


def test_a_secret_is_kept_only_as_a_hash(acme, now):
    shop, mia = as_application(acme), as_customer(acme, now)
    secret = shop.headers["Authorization"].removeprefix("Bearer ")
    assert secret not in str(vars(Application.objects.get()))
    assert mia.token not in str(vars(CustomerSession.objects.get()))
    assert len(mia.token) >= 43  # 256 bits


def test_a_public_key_gives_no_more_than_configuration(acme, nobody):
    key = {"X-Public-Key": acme.channel.key}
    assert nobody.get("widget/config", **key).status_code == 200
    for path in ("chats", "teams", "me", "customers"):
        assert nobody.get(path, **key).status_code == 403, path
    assert nobody.get("chats", **{"X-Public-Key": "pk_wrong"}).status_code == 401


def test_a_customers_session_slides_and_ends(acme, now):
    mia = as_customer(acme, now)
    CustomerSession.objects.update(expires_at=now + timedelta(days=5))
    assert mia.post("chats", {"client_id": "a"}).status_code == 201
    assert CustomerSession.objects.get().expires_at > timezone.now() + timedelta(days=29)
    CustomerSession.objects.update(expires_at=now - timedelta(seconds=1))
    assert mia.post("chats", {"client_id": "b"}).status_code == 401


def test_a_customers_token_binds_browsers_to_the_channels_origins(acme, now):
    mia = as_customer(acme, now)
    assert mia.post("chats", {"client_id": "a"}, Origin="https://evil.example").status_code == 403
    assert mia.post("chats", {"client_id": "a"}, Origin="null").status_code == 403
    assert mia.post("chats", {"client_id": "a"}, Origin="https://www.acme.example").status_code == 201
    assert mia.post("chats", {"client_id": "a"}, Origin="http://testserver").status_code == 200


def test_the_supervisors_report_is_not_for_agents(ann, sue, mia):
    assert as_agent(ann).get("reports/summary").status_code == 403
    assert mia.get("reports/summary").status_code == 403
    assert as_agent(sue).get("reports/summary").status_code == 200


def test_bots_are_seats_like_others(acme):
    bot = make_agent(acme, "Robot", is_bot=True)
    assert as_agent(bot).get("me").json()["agent"]["is_bot"] is True
