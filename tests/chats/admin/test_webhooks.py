"""What administrators do with web hooks and their deliveries: add, mend, shake hands, look what went wrong, try again."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from agents.models import Agent
from chats.actions.hook_rules import MOST_WEBHOOKS
from chats.models import Attempt, Delivery, Webhook
from contactcenter.models import Application, AuditEntry, Channel, Registration
from tests.cases import cases
from tests.chats.outbox.receiver import Receiver
from tests.conftest import MARKER, make_chat
from tests.contactcenter.admin_cast import make_admin, make_operator

pytestmark = [pytest.mark.django_db, pytest.mark.both]
URL = "https://hooks.example.com/in"
SECRET = re.compile(r'id="secret">(whsec_[^<]+)<')


@pytest.fixture
def desk(acme: SimpleNamespace, client: Client) -> Client:
    client.force_login(make_admin(acme, "Ada").user)
    return client


@pytest.fixture
def shop(acme: SimpleNamespace) -> Application:
    return Application.objects.create(center=acme.center, name="Shop")


@pytest.fixture
def access(acme: SimpleNamespace, shop: Application) -> Registration:
    channel = Channel.objects.create(center=acme.center, name="Chat API", kind=Channel.Kind.API)
    return Registration.objects.create(center=acme.center, application=shop, channel=channel)


@pytest.fixture
def hook(acme: SimpleNamespace, shop: Application) -> Webhook:
    return make_hook(shop)


@pytest.fixture
def receiver(settings: Any) -> Any:
    """It says the secret back, as receivers of foreign words do."""
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    receiver = Receiver(lambda call: (200, {"X-Hook-Secret": call.headers["x-hook-secret"]}, b""))
    yield receiver
    receiver.stop()


def make_hook(shop: Application, url: str = URL, **fields: Any) -> Webhook:
    fields = {"events": ["message.posted"]} | fields
    return Webhook.objects.create(center=shop.center, application=shop, url=url, **fields)


def file(hook: Webhook, chat: Any = None, **fields: Any) -> Delivery:
    fields = {"event": "message.posted", "payload": {"text": "<b>Grüße</b>"}} | fields
    return Delivery.objects.create(center=hook.center, webhook=hook, chat=chat, **fields)


def url(page: str, *args: Any) -> str:
    return reverse(f"admin:chats_{page}", args=args)


def form(shop: Application | None = None, **changes: Any) -> dict[str, str]:
    fields = {"url": URL, "events": "message.posted\nchat.*", "is_active": "on", "application": shop and shop.pk}
    return {name: str(value) for name, value in (fields | changes).items() if value is not None}


# Adding and changing --------------------------------------------------------------------------------------------------


def test_one_of_ours_is_live_at_once_and_its_secret_is_shown_once(desk: Client, shop: Application) -> None:
    answer = desk.post(url("webhook_add"), form(shop))
    kept = Webhook.objects.get()
    assert "no-store" in answer["Cache-Control"]
    assert SECRET.findall(answer.content.decode()) == [kept.secret]
    assert (kept.center, kept.application, kept.events) == (shop.center, shop, ["message.posted", "chat.*"])
    assert list(Webhook.objects.live()) == [kept]
    for page in [
        url("webhook_change", kept.pk),
        url("webhook_changelist"),
        reverse("admin:contactcenter_auditentry_changelist"),
    ]:
        assert kept.secret not in desk.get(page).content.decode()
    assert kept.secret not in str(list(AuditEntry.objects.values()))


def test_a_foreign_one_is_told_nothing_until_hands_are_shaken(
    desk: Client, shop: Application, access: Registration, receiver: Receiver
) -> None:
    foreign = form(shop, registration=access.pk, events="chats:create\nmessages:new", url=receiver.url)
    assert "Shake hands next" in desk.post(url("webhook_add"), foreign).content.decode()
    kept = Webhook.objects.get()
    assert kept.state == "unverified"
    assert "Hands are not shaken yet" in desk.get(url("webhook_change", kept.pk)).content.decode()
    page = url("webhook_shake_again", kept.pk)
    assert "must say the secret back" in desk.get(page).content.decode()
    assert receiver.calls == []
    assert "Hands are shaken." in desk.post(page, follow=True).content.decode()
    assert receiver.calls[0].headers["x-hook-secret"] == kept.secret
    assert list(Webhook.objects.live()) == [kept]
    assert AuditEntry.objects.filter(action="hands shaken").count() == 1


def test_a_receiver_that_does_not_say_the_secret_back_stays_unverified(
    desk: Client, shop: Application, access: Registration, receiver: Receiver
) -> None:
    receiver.answer = lambda call: 404
    hook = make_hook(shop, receiver.url, registration=access, events=["chats:create"], verified_at=None)
    answer = desk.post(url("webhook_shake_again", hook.pk), follow=True).content.decode()
    assert "Hands were not shaken:" in answer
    assert "404" in answer
    hook.refresh_from_db()
    assert hook.verified_at is None


def test_only_foreign_ones_shake_hands(desk: Client, hook: Webhook) -> None:
    assert "shake-hands" not in desk.get(url("webhook_change", hook.pk)).content.decode()
    assert desk.post(url("webhook_shake_again", hook.pk)).status_code == 403


@cases(
    ("field", "value"),
    [("url", "ftp://a.example"), ("url", "http://10.0.0.1/"), ("url", "http://localhost/"), ("url", "https://a:b@c.example"),
     ("events", "message.sent"), ("events", ""), ("events", "chats:create"), ("events", "x" * 90), ("application", "")],
)  # fmt: skip
def test_mistakes_are_sentences(desk: Client, shop: Application, field: str, value: str) -> None:
    answer = desk.post(url("webhook_add"), form(shop, **{field: value}))
    assert answer.status_code == 200
    assert list(answer.context["adminform"].form.errors) == [field]
    assert not Webhook.objects.exists()


def test_a_second_one_for_an_address_and_a_twenty_first_are_sentences(desk: Client, shop: Application) -> None:
    make_hook(shop)
    assert "There is a web hook for this address." in desk.post(url("webhook_add"), form(shop)).content.decode()
    for number in range(MOST_WEBHOOKS - 1):
        make_hook(shop, f"{URL}/{number}")
    assert "20 web hooks at most" in desk.post(url("webhook_add"), form(shop, url=f"{URL}/new")).content.decode()


def test_the_access_is_one_of_the_application(
    desk: Client, acme: SimpleNamespace, shop: Application, access: Registration
) -> None:
    other = Application.objects.create(center=acme.center, name="Other")
    answer = desk.post(url("webhook_add"), form(other, registration=access.pk, events="chats:create"))
    assert "Choose one of this application." in answer.content.decode()


def test_nothing_of_another_center_can_be_linked(desk: Client, globex: SimpleNamespace, shop: Application) -> None:
    theirs = Application.objects.create(center=globex.center, name=f"Shop {MARKER}")
    hidden = Registration.objects.create(center=globex.center, application=theirs, channel=globex.channel)
    for wrong in [form(theirs), form(shop, registration=hidden.pk, events="chats:create")]:
        answer = desk.post(url("webhook_add"), wrong)
        assert answer.status_code == 200
        assert MARKER not in answer.content.decode()
    assert not Webhook.objects.exists()


def test_a_new_address_is_stored_and_told_but_whose_it_is_stays(
    desk: Client, acme: SimpleNamespace, hook: Webhook
) -> None:
    other = Application.objects.create(center=acme.center, name="Other")
    changed = form(other, url="https://new.example.com/", events="*")
    assert desk.post(url("webhook_change", hook.pk), changed).status_code == 302
    kept = Webhook.objects.get()
    assert (kept.url, kept.events, kept.application_id) == ("https://new.example.com/", ["*"], hook.application_id)
    assert kept.secret == hook.secret
    entry = AuditEntry.objects.get(action="changed")
    assert entry.changes["url"] == [URL, "https://new.example.com/"]


def test_a_new_address_of_a_foreign_one_shakes_hands_anew(
    desk: Client, shop: Application, access: Registration, now: Any
) -> None:
    hook = make_hook(shop, registration=access, events=["chats:create"], verified_at=now)
    desk.post(url("webhook_change", hook.pk), form(events="chats:create\nchats:close"))
    hook.refresh_from_db()
    assert hook.verified_at == now
    desk.post(url("webhook_change", hook.pk), form(events="chats:create", url="https://new.example.com/"))
    hook.refresh_from_db()
    assert hook.verified_at is None


def test_one_that_its_receiver_ended_shows_as_off_and_is_switched_on_again(
    desk: Client, hook: Webhook, now: Any
) -> None:
    Webhook.objects.update(disabled_at=now, disabled_reason="It answered 410.")
    page = url("webhook_change", hook.pk)
    answer = desk.get(page)
    assert "</span> It answered 410." in answer.content.decode()
    assert answer.context["adminform"].form["is_active"].value() is False
    desk.post(page, form())
    hook.refresh_from_db()
    assert (hook.state, hook.disabled_reason) == ("active", "")


def test_a_secret_is_renewed_and_the_old_one_lives_for_a_day(desk: Client, hook: Webhook, now: Any) -> None:
    page = url("webhook_renew_secret", hook.pk)
    assert "For a day" in desk.get(page).content.decode()
    (shown,) = SECRET.findall(desk.post(page).content.decode())
    kept = Webhook.objects.get()
    assert kept.live_secrets(now) == [shown, hook.secret]
    assert AuditEntry.objects.filter(action="renew secret").count() == 1


def test_deleting_takes_it_away_at_once_and_names_no_delivery(desk: Client, hook: Webhook) -> None:
    delivery = file(hook)
    page = url("webhook_delete", hook.pk)
    assert str(delivery.id) not in desk.get(page).content.decode()
    assert desk.post(page, {"post": "yes"}).status_code == 302
    assert not Webhook.objects.kept().exists()
    assert Webhook.objects.exists()
    assert desk.get(url("webhook_change", hook.pk)).status_code == 404
    assert desk.get(url("delivery_change", delivery.pk)).status_code == 404
    assert AuditEntry.objects.get(action="deleted").subject.endswith(URL)


def test_several_are_deleted_from_the_list(desk: Client, shop: Application) -> None:
    chosen = [make_hook(shop, f"{URL}/{number}") for number in range(3)]
    data = {"action": "delete_selected", "_selected_action": [str(hook.pk) for hook in chosen[:2]], "post": "yes"}
    desk.post(url("webhook_changelist"), data)
    assert list(Webhook.objects.kept()) == chosen[2:]


# Deliveries -----------------------------------------------------------------------------------------------------------


def test_figures_lead_to_the_deliveries(desk: Client, hook: Webhook, now: Any) -> None:
    waiting, given_up, sent = file(hook), file(hook, failed_at=now, event="chat.closed"), file(hook, sent_at=now)
    body = desk.get(url("webhook_change", hook.pk)).content.decode()
    for state, found in {"pending": waiting, "failed": given_up, "sent": sent}.items():
        query = f"webhook__id__exact={hook.pk}&state={state}"
        if state != "sent":
            assert query.replace("&", "&amp;") in body
        listed = desk.get(f"{url('delivery_changelist')}?{query}").context["cl"].result_list
        assert list(listed) == [found]
    by_event = desk.get(f"{url('delivery_changelist')}?event=chat.closed").context["cl"].result_list
    assert list(by_event) == [given_up]


@cases("query", ["state=lost", "event=%00", "event=nothing", "webhook__id__exact=x", "webhook__id__exact=%00"])
def test_odd_filters_are_no_crash(desk: Client, hook: Webhook, query: str) -> None:
    file(hook)
    assert desk.get(f"{url('delivery_changelist')}?{query}", follow=True).status_code in (200, 400)


def test_a_delivery_is_shown_with_attempts_chat_and_content_as_text(
    desk: Client, acme: SimpleNamespace, hook: Webhook, now: Any
) -> None:
    chat = make_chat(acme, now).chat
    delivery = file(hook, chat, failed_at=now, error="It answered 500.")
    Attempt.objects.create(
        center=acme.center, delivery=delivery, at=now, milliseconds=1234, status=500, body="<script>alert(1)</script>"
    )
    body = desk.get(url("delivery_change", delivery.pk)).content.decode()
    assert reverse("admin:chats_chat_change", args=[chat.pk]) in body
    for words in [
        "&lt;b&gt;Grüße&lt;/b&gt;",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "It answered 500.",
        "1234",
        "given up",
    ]:
        assert words in body
    assert "<script>alert(1)" not in body
    assert desk.post(url("delivery_change", delivery.pk), {"event": "x"}).status_code == 403
    assert desk.post(url("delivery_delete", delivery.pk), {"post": "yes"}).status_code == 403


def test_one_is_tried_again(desk: Client, hook: Webhook, now: Any) -> None:
    delivery = file(hook, failed_at=now)
    page = url("delivery_try_again", delivery.pk)
    assert "under its old id" in desk.get(page).content.decode()
    assert "is tried again" in desk.post(page, follow=True).content.decode()
    delivery.refresh_from_db()
    assert delivery.state == "pending"
    assert AuditEntry.objects.filter(action="tried again").count() == 1


def test_what_has_arrived_or_cannot_be_sent_is_not_tried_again(desk: Client, hook: Webhook, now: Any) -> None:
    sent, given_up = file(hook, sent_at=now), file(hook, failed_at=now)
    assert "arrived already" in desk.post(url("delivery_try_again", sent.pk), follow=True).content.decode()
    Webhook.objects.update(is_active=False)
    for page in [url("delivery_try_again", given_up.pk), url("webhook_try_all_again", hook.pk)]:
        assert "Switch it on first." in desk.post(page, follow=True).content.decode()
    given_up.refresh_from_db()
    assert given_up.failed_at == now
    assert not AuditEntry.objects.filter(action__contains="tried").exists()


def test_chosen_ones_are_tried_again_and_others_passed_by(desk: Client, hook: Webhook, now: Any) -> None:
    given_up, sent, left = file(hook, failed_at=now), file(hook, sent_at=now), file(hook, failed_at=now)
    data = {"action": "try_again_chosen", "_selected_action": [given_up.pk, sent.pk]}
    answer = desk.post(url("delivery_changelist"), data, follow=True).content.decode()
    assert "Deliveries tried again: 1" in answer
    assert list(Delivery.objects.pending()) == [given_up]
    assert Delivery.objects.get(pk=left.pk).state == "failed"


def test_all_of_a_web_hook_are_tried_again(desk: Client, shop: Application, hook: Webhook, now: Any) -> None:
    mine = [file(hook, failed_at=now) for _each in range(3)]
    other = file(make_hook(shop, f"{URL}/other"), failed_at=now)
    page = url("webhook_try_all_again", hook.pk)
    assert "the oldest of each chat first" in desk.get(page).content.decode()
    assert "Deliveries tried again: 3" in desk.post(page, follow=True).content.decode()
    assert set(Delivery.objects.pending()) == set(mine)
    assert Delivery.objects.get(pk=other.pk).state == "failed"
    assert AuditEntry.objects.get(action="all tried again").changes == {"deliveries": 3}


# Around ---------------------------------------------------------------------------------------------------------------


def test_an_application_leads_to_its_web_hooks_and_accesses_and_is_kept_with_them(
    desk: Client, shop: Application, access: Registration, hook: Webhook
) -> None:
    page = reverse("admin:contactcenter_application_change", args=[shop.pk])
    body = desk.get(page).content.decode()
    for model in ["chats_webhook", "contactcenter_registration"]:
        assert f"{reverse(f'admin:{model}_changelist')}?application__id__exact={shop.pk}" in body
    delete = reverse("admin:contactcenter_application_delete", args=[shop.pk])
    assert desk.post(delete, {"post": "yes"}).status_code == 403


def test_operators_see_the_web_hooks_of_all_centers(client: Client, globex: SimpleNamespace, hook: Webhook) -> None:
    theirs = Application.objects.create(center=globex.center, name="Theirs")
    make_hook(theirs, f"https://{MARKER.lower()}.example.com/")
    client.force_login(make_operator())
    body = client.get(reverse("operator:chats_webhook_changelist")).content.decode()
    assert URL.removeprefix("https://") in body
    assert MARKER.lower() in body
    page = reverse("operator:chats_webhook_add")
    assert client.post(page, form(theirs, center=hook.center_id, url=f"{URL}/x")).status_code == 200
    assert Webhook.objects.count() == 2


def test_agents_see_nothing(client: Client, ann: Agent, hook: Webhook) -> None:
    client.force_login(ann.user)
    for page in [url("webhook_changelist"), url("webhook_change", hook.pk), url("delivery_changelist")]:
        assert client.get(page, follow=True).status_code == 403
