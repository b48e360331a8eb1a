"""What administrators do: give seats, shape channels, renew secrets, and what is written down about it."""

import re
from importlib import import_module
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import Error, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from agents.models import Agent, Slot
from chats.actions.locking import lock_chat
from chats.events import NotePosted, RoutingDecided, record
from chats.models import Chat
from contactcenter.models import (
    Application,
    ApplicationPassword,
    AuditEntry,
    Channel,
    ContactCenter,
    Team,
    User,
    WidgetSettings,
    hash_secret,
)
from tests.cases import cases
from tests.conftest import make_agent, make_chat, make_held_chat, online
from tests.contactcenter.admin_cast import make_admin, make_operator

pytestmark = [pytest.mark.django_db, pytest.mark.both]
NO_ROWS = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
SEAT = {"name": "Nina", "role": "agent", "capacity": "2", "languages": "de\nen", "skills": ""} | NO_ROWS


@pytest.fixture
def ada(acme: SimpleNamespace) -> Agent:
    return make_admin(acme, "Ada")


@pytest.fixture
def desk(ada: Agent, client: Client) -> Client:
    client.force_login(ada.user)
    return client


def url(page: str, *args: Any) -> str:
    return reverse(f"admin:{page}", args=args)


def seat_form(agent: Agent, **changes: Any) -> dict[str, str]:
    form = {"name": agent.name, "role": agent.role, "capacity": str(agent.capacity), "is_active": "on"} | NO_ROWS
    return {name: value for name, value in (form | changes).items() if value != ""}


# Seats ----------------------------------------------------------------------------------------------------------------


def test_a_new_seat_writes_to_a_new_person_who_sets_a_password_and_signs_in(
    desk: Client, acme: SimpleNamespace, django_capture_on_commit_callbacks: Any
) -> None:
    rows = {"memberships-TOTAL_FORMS": "1", "memberships-0-team": str(acme.support.pk)}
    with django_capture_on_commit_callbacks(execute=True):
        answer = desk.post(url("agents_agent_add"), SEAT | {"email": "Nina@Example.com"} | rows)
    assert answer.status_code == 302
    nina = Agent.objects.get(name="Nina")
    assert (nina.center, nina.user.email, nina.languages) == (acme.center, "nina@example.com", ["de", "en"])
    assert nina.slots.filter(is_retired=False).count() == 2
    assert list(nina.teams.all()) == [acme.support]
    assert mail.outbox[0].to == ["nina@example.com"]
    link = urlsplit(re.findall(r"https?://\S+", mail.outbox[0].body)[0]).path
    page = Client()
    form = page.get(link, follow=True)
    assert form.status_code == 200
    page.post(form.request["PATH_INFO"], {"password1": "a long pass phrase", "password2": "a long pass phrase"})
    assert page.login(username="nina@example.com", password="a long pass phrase")


def test_a_seat_for_a_known_person_answers_alike_and_tells_nothing(
    desk: Client, acme: SimpleNamespace, gil: Agent, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = desk.post(url("agents_agent_add"), SEAT | {"email": gil.user.email}, follow=True)
    assert Agent.objects.get(center=acme.center, name="Nina").user == gil.user
    assert "Globex" not in answer.content.decode() + mail.outbox[0].subject + mail.outbox[0].body
    assert "password" not in mail.outbox[0].body.lower()


def test_an_address_that_somebody_only_claims_gets_no_seat(desk: Client, acme: SimpleNamespace, eve: User) -> None:
    eve.emailaddress_set.create(email="nina@example.com", verified=False, primary=True)
    User.objects.filter(pk=eve.pk).update(email="nina@example.com")
    desk.post(url("agents_agent_add"), SEAT | {"email": "nina@example.com"})
    assert Agent.objects.get(name="Nina").user != eve


def test_one_seat_for_a_person(desk: Client, ada: Agent) -> None:
    answer = desk.post(url("agents_agent_add"), SEAT | {"email": ada.user.email})
    assert "has a seat" in answer.content.decode()
    assert not Agent.objects.filter(name="Nina").exists()


def test_a_bot_gets_an_account_of_its_own(desk: Client, acme: SimpleNamespace, eve: User) -> None:
    desk.post(url("agents_agent_add"), SEAT | {"is_bot": "on", "email": eve.email})
    assert Agent.objects.get(name="Nina").user.username == "acme-nina"
    assert not mail.outbox


def test_capacity_makes_slots(desk: Client, acme: SimpleNamespace) -> None:
    bob = make_agent(acme, "Bob", capacity=2)
    assert desk.post(url("agents_agent_change", bob.pk), seat_form(bob, capacity="4")).status_code == 302
    assert Slot.objects.filter(agent=bob, is_retired=False).count() == 4
    desk.post(url("agents_agent_change", bob.pk), seat_form(bob, capacity="1"))
    assert Slot.objects.filter(agent=bob, is_retired=False).count() == 1


def test_the_last_administrator_stays(desk: Client, ada: Agent) -> None:
    answer = desk.post(url("agents_agent_change", ada.pk), seat_form(ada, role="agent"))
    assert "last administrator" in answer.content.decode()
    ada.refresh_from_db()
    assert ada.role == Agent.Role.ADMIN


def test_a_person_cannot_become_a_bot(desk: Client, acme: SimpleNamespace) -> None:
    bob = make_agent(acme, "Bob")
    desk.post(url("agents_agent_change", bob.pk), seat_form(bob, is_bot="on"))
    bob.refresh_from_db()
    assert not bob.is_bot


@cases("change", [{"role": "supervisor"}, {"is_active": ""}])
def test_a_changed_role_or_a_closed_seat_ends_sessions(
    desk: Client, acme: SimpleNamespace, change: dict[str, str]
) -> None:
    bob, his = make_agent(acme, "Bob"), Client()
    his.force_login(bob.user)
    desk.post(url("agents_agent_change", bob.pk), seat_form(bob, **change))
    assert his.get(reverse("account_change_password")).status_code == 302
    version = bob.user.session_version
    bob.user.refresh_from_db()
    assert bob.user.session_version == version + 1


def test_application_passwords_are_for_own_bots_alone(
    desk: Client, acme: SimpleNamespace, globex: SimpleNamespace
) -> None:
    bob, robo = make_agent(acme, "Bob"), make_agent(acme, "Robo", is_bot=True)
    foreign = make_agent(globex, "Robot", is_bot=True)
    shared = make_agent(acme, "Both", is_bot=True)
    Agent.objects.create(center=globex.center, user=shared.user, name="Both", is_bot=True)
    for person in [bob, foreign, shared]:
        answer = desk.post(url("contactcenter_applicationpassword_add"), {"user": str(person.user.pk), "name": "x"})
        assert answer.status_code == 200
        assert not ApplicationPassword.objects.exists()
    answer = desk.post(url("contactcenter_applicationpassword_add"), {"user": str(robo.user.pk), "name": "x"})
    secret = re.findall(r"ap_[\w-]{20,}", answer.content.decode())[0]
    assert ApplicationPassword.objects.get().secret_hash == hash_secret(secret)
    assert secret not in str(list(AuditEntry.objects.values_list("subject", "changes")))


# Forms ----------------------------------------------------------------------------------------------------------------


def channel_form(channel: Channel, **changes: Any) -> dict[str, Any]:
    form = {"name": channel.name, "kind": "web", "is_active": "on", "key": channel.key, "allowed_origins": ""}
    form |= {f"form_fields-{kind}_FORMS": "0" for kind in ("TOTAL", "INITIAL")}
    form |= {"widget-TOTAL_FORMS": "1", "widget-INITIAL_FORMS": "0", "widget-0-side": "end"}
    return form | changes


@cases(
    "origin",
    ["www.example.com", "https://example.com/", "https://example.com/a", "https://*.example.com", "null", "ftp://a.b",
     "https://user@example.com", "HTTPS://example.com", "https://example.com:99999", "https://a.example https://b"],
)  # fmt: skip
def test_origins_are_exact(desk: Client, acme: SimpleNamespace, origin: str) -> None:
    page = url("contactcenter_channel_change", acme.channel.pk)
    answer = desk.post(page, channel_form(acme.channel, allowed_origins=f"https://ok.example\n{origin}"))
    assert answer.status_code == 200
    assert "no origin" in answer.content.decode()


def test_a_channel_is_shaped_with_its_widget_and_form(desk: Client, acme: SimpleNamespace) -> None:
    page = url("contactcenter_channel_change", acme.channel.pk)
    rows = {
        "form_fields-TOTAL_FORMS": "1", "form_fields-0-key": "topic", "form_fields-0-label": "Topic",
        "form_fields-0-kind": "select", "form_fields-0-order": "0", "form_fields-0-options": "Order\nReturn\nOrder",
        "widget-0-title": "Ask us", "widget-0-accent": "#AA0000", "widget-0-languages": "en\npt-BR",
    }  # fmt: skip
    origins = "https://a.example\r\n http://b.example:8080 \r\n"
    assert desk.post(page, channel_form(acme.channel, allowed_origins=origins, **rows)).status_code == 302
    channel = Channel.objects.get(pk=acme.channel.pk)
    assert channel.allowed_origins == ["https://a.example", "http://b.example:8080"]
    assert channel.form_fields.get().options == ["Order", "Return"]
    widget = WidgetSettings.objects.get(channel=channel)
    assert (widget.center, widget.accent, widget.languages) == (acme.center, "#aa0000", ["en", "pt-BR"])
    body = desk.get(page).content.decode()
    assert f"data-key=&quot;{channel.key}&quot;" in body
    assert channel.identity_secret not in body


def test_a_new_channel_comes_with_its_widget(desk: Client, acme: SimpleNamespace) -> None:
    form = channel_form(Channel(name="Second"), **{"widget-0-title": "Hi"})
    assert desk.post(url("contactcenter_channel_add"), form).status_code == 302
    assert Channel.objects.get(name="Second").widget.center == acme.center


def test_unreadable_colours_are_refused(desk: Client, acme: SimpleNamespace) -> None:
    form = {"name": "Acme", "time_zone": "Europe/Berlin", "language": "en", "accent": "#747474"}
    page = url("contactcenter_contactcenter_change", acme.center.pk)
    assert "readable" in desk.post(page, form | {"accent": "#7b7b7b"}).content.decode()
    assert ContactCenter.objects.get(pk=acme.center.pk).accent == "#2f6fed"
    assert desk.post(page, form | {"accent": "#ffdd00"}).status_code == 302
    assert ContactCenter.objects.get(pk=acme.center.pk).accent == "#ffdd00"


def picture(kind: str, side: int = 8) -> SimpleUploadedFile:
    data = BytesIO()
    Image.new("RGB", (side, side), "red").save(data, kind)
    return SimpleUploadedFile(f"me.{kind.lower()}", data.getvalue())


def test_pictures_are_small_and_of_common_kinds(
    desk: Client, acme: SimpleNamespace, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    bob = make_agent(acme, "Bob")
    page = url("agents_agent_change", bob.pk)
    fake = SimpleUploadedFile("me.png", b"<svg onload=alert(1)>")
    for wrong in [picture("GIF"), picture("PNG", 4001), fake]:
        assert desk.post(page, seat_form(bob) | {"avatar": wrong}).status_code == 200
    assert desk.post(page, seat_form(bob) | {"avatar": picture("PNG")}).status_code == 302
    bob.refresh_from_db()
    assert bob.avatar.size > 0


def test_a_picture_is_shown_where_it_may_be_seen_and_can_be_taken_away(
    desk: Client, acme: SimpleNamespace, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    bob = make_agent(acme, "Bob")
    page, center = url("agents_agent_change", bob.pk), url("contactcenter_contactcenter_change", acme.center.pk)
    desk.post(page, seat_form(bob) | {"avatar": picture("PNG")})
    acme.center.logo.save("logo.png", picture("PNG"))
    for shown, address in [(page, f"/avatars/{bob.pk}"), (center, f"/api/v1/pictures/centers/{acme.center.pk}")]:
        answer = desk.get(shown).content.decode()
        assert "/media/" not in answer
        found = re.search(f'src="({re.escape(address)}[^"]*)"', answer)
        assert found
        assert desk.get(found[1])["Content-Type"] == "image/png"
    desk.post(page, seat_form(bob) | {"avatar-clear": "on"})
    bob.refresh_from_db()
    assert not bob.avatar
    assert f"/avatars/{bob.pk}" not in desk.get(page).content.decode()


def test_a_repeated_key_is_a_sentence_and_no_crash(desk: Client, acme: SimpleNamespace) -> None:
    fields = ["search_seconds", "invitation_seconds", "target_seconds", "grace_seconds", "away_reminder_seconds",
              "away_close_seconds", "idle_reminder_seconds", "idle_close_seconds"]  # fmt: skip
    form = dict.fromkeys(fields, "60") | {"name": "Again", "key": "support", "mode": "queue", "strategy": "round_robin"}
    form |= {"on_nobody": "close", "always_open": "on", "reminder": "?"}
    form |= {f"{p}-{kind}_FORMS": "0" for p in ("opening_hours", "holidays") for kind in ("TOTAL", "INITIAL")}
    answer = desk.post(url("contactcenter_team_add"), form)
    assert answer.status_code == 200
    assert "already exists" in answer.content.decode()
    assert desk.post(url("contactcenter_team_add"), form | {"key": "again"}).status_code == 302
    assert Team.objects.get(key="again").center == acme.center


# Secrets and chats ----------------------------------------------------------------------------------------------------


def test_an_applications_secret_is_shown_once(desk: Client, acme: SimpleNamespace) -> None:
    rows = {"application_teams-TOTAL_FORMS": "0", "application_teams-INITIAL_FORMS": "0"}
    form = {"name": "Shop", "public_key": "pk_shop", "allowed_origins": "", "is_active": "on"} | rows
    shown = re.findall(r"sk_[\w-]{20,}", desk.post(url("contactcenter_application_add"), form).content.decode())[0]
    application = Application.objects.get(name="Shop")
    assert application.secret_hash == hash_secret(shown)
    renew = url("contactcenter_application_renew_secret_key", application.pk)
    assert "sk_" not in desk.get(renew).content.decode()
    answer = desk.post(renew)
    assert "no-store" in answer["Cache-Control"]
    renewed = re.findall(r"sk_[\w-]{20,}", answer.content.decode())[0]
    application.refresh_from_db()
    assert application.secret_hash == hash_secret(renewed) != hash_secret(shown)
    assert renewed not in desk.get(url("contactcenter_application_change", application.pk)).content.decode()
    assert AuditEntry.objects.filter(action="renew secret key", center=acme.center).count() == 1


def test_the_identity_secret_is_shown_and_renewed_on_request(desk: Client, acme: SimpleNamespace) -> None:
    old = acme.channel.identity_secret
    show = url("contactcenter_channel_show_identity_secret", acme.channel.pk)
    assert old not in desk.get(show).content.decode()
    assert old in desk.post(show).content.decode()
    desk.post(url("contactcenter_channel_renew_identity_secret", acme.channel.pk))
    assert Channel.objects.get(pk=acme.channel.pk).identity_secret != old
    actions = set(AuditEntry.objects.filter(center=acme.center).values_list("action", flat=True))
    assert {"show identity secret", "renew identity secret"} <= actions


def test_a_chat_is_read_with_its_notes_and_ended(desk: Client, acme: SimpleNamespace, ada: Agent) -> None:
    now = timezone.now()
    held = make_held_chat(acme, online(make_agent(acme, "Ann"), now), now)
    with transaction.atomic():
        chat = lock_chat(acme.center.chats, held.chat.pk)
        away = [{"agent": "x", "name": "Sue", "why": "away"}]
        found = RoutingDecided(team="Support", strategy="round_robin", chosen=None, excluded=away)
        record(chat, found, NotePosted(text="be <b>kind</b>"), sender=held.agent, now=now)
    body = desk.get(url("chats_chat_change", held.chat.pk)).content.decode()
    for words in ["Offered to Ann.", "Sue is away.", "Only your team sees this", "be &lt;b&gt;kind&lt;/b&gt;"]:
        assert words in body
    assert desk.get(url("chats_chat_close", held.chat.pk)).status_code == 200
    desk.post(url("chats_chat_close", held.chat.pk))
    chat = Chat.objects.get(pk=held.chat.pk)
    assert (chat.state, chat.close_reason) == ("closed", "operator")


def test_customers_are_blocked_and_unblocked(desk: Client, acme: SimpleNamespace) -> None:
    customer = make_chat(acme, timezone.now()).chat.customer
    desk.post(url("chats_customer_block_one", customer.pk))
    customer.refresh_from_db()
    assert customer.is_blocked
    assert not customer.chats.open().exists()
    form = {"action": "unblock", "_selected_action": [str(customer.pk)]}
    desk.post(url("chats_customer_changelist"), form)
    customer.refresh_from_db()
    assert not customer.is_blocked


def test_the_dashboard_counts(desk: Client, acme: SimpleNamespace, globex: SimpleNamespace) -> None:
    now = timezone.now()
    make_held_chat(acme, online(make_agent(acme, "Ann"), now), now)
    make_chat(acme, now, client_id="w")
    make_chat(globex, now, client_id="g")
    figures = {str(figure["name"]): figure["value"] for figure in desk.get(url("index")).context["figures"]}
    assert (figures["Waiting"], figures["With an agent"], figures["Agents online"]) == (1, 1, 1)


# The audit log --------------------------------------------------------------------------------------------------------


def test_changes_are_written_down_with_old_and_new(desk: Client, acme: SimpleNamespace, ada: Agent) -> None:
    bob = make_agent(acme, "Bob")
    desk.post(url("agents_agent_change", bob.pk), seat_form(bob, name="Robert", role="supervisor"))
    entry = AuditEntry.objects.get(action="changed")
    assert (entry.center, entry.user, entry.address) == (acme.center, ada.user, "127.0.0.1")
    assert entry.changes["name"] == ["Bob", "Robert"]
    assert entry.changes["role"] == ["agent", "supervisor"]
    assert "Robert" in desk.get(url("contactcenter_auditentry_change", entry.pk)).content.decode()


def test_nobody_changes_a_line_of_it(acme: SimpleNamespace, ada: Agent) -> None:
    guard = import_module("contactcenter.migrations.0002_audit_is_append_only")
    entry = AuditEntry.objects.create(actor="ada", action="changed")
    with connection.cursor() as cursor:
        guard.guard(None, SimpleNamespace(connection=connection, execute=cursor.execute))
    for attempt in [
        lambda: AuditEntry.objects.filter(pk=entry.pk).update(actor="x"),
        lambda: AuditEntry.objects.filter(pk=entry.pk).delete(),
    ]:
        with pytest.raises(Error, match="append-only"), transaction.atomic():
            attempt()
    assert AuditEntry.objects.get(pk=entry.pk).actor == "ada"


def test_operators_change_people_and_end_their_sessions(client: Client, acme: SimpleNamespace) -> None:
    bob, his = make_agent(acme, "Bob"), Client()
    his.force_login(bob.user)
    client.force_login(make_operator())
    page = reverse("operator:contactcenter_user_change", args=[bob.user.pk])
    assert "Acme: Agent" in client.get(page).content.decode()
    form = {"username": "bob", "email": "bob@example.com", "first_name": "B", "last_name": ""}
    assert client.post(page, form).status_code == 302
    bob.user.refresh_from_db()
    assert not bob.user.is_active
    assert his.get(reverse("account_change_password")).status_code == 302
    entry = AuditEntry.objects.get(action="changed")
    assert entry.changes["is_active"] == [True, False]
