"""Web hooks as applications register them: what is stored, what is refused, and what the audit log says."""

from datetime import timedelta

import pytest

from chats.actions import hook_rules
from chats.actions.hook_rules import check_events, check_url, own_patterns
from chats.actions.hooks import (
    add_webhook,
    change_webhook,
    delete_webhook,
    renew_secret,
)
from chats.errors import Conflict, Full, Gone, Invalid
from chats.events import all_event_types
from chats.models import Delivery, Webhook
from contactcenter.models import Application, AuditEntry, Channel, Registration
from tests.cases import cases
from tests.conftest import make_chat

URL = "https://hooks.example.com/in?for=acme"
HOUR = timedelta(hours=1)


@pytest.fixture
def shop(acme):
    return Application.objects.create(center=acme.center, name="Shop")


@pytest.fixture
def access(acme, shop):
    channel = Channel.objects.create(center=acme.center, name="Chat API", kind=Channel.Kind.API)
    return Registration.objects.create(center=acme.center, application=shop, channel=channel)


def add(application, now, *, url=URL, events=("message.posted",), registration=None):
    return add_webhook(application, url=url, events=events, registration=registration, now=now)


# Adding ---------------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_one_of_ours_is_live_at_once_and_has_a_secret_that_the_database_does_not_show(shop, now):
    webhook = add(shop, now, events=["message.posted", "chat.*", "message.posted"])
    assert list(Webhook.objects.live()) == [webhook]
    kept = Webhook.objects.get()
    assert (kept.url, kept.events, kept.center_id) == (URL, ["message.posted", "chat.*"], shop.center_id)
    assert kept.secret == webhook.secret
    assert kept.secret.startswith("whsec_")
    assert kept.live_secrets(now) == [kept.secret]
    stored = Webhook.objects.values_list("pk", flat=True).query
    assert kept.secret not in str(stored)


def test_a_foreign_one_waits_for_hands_to_be_shaken(shop, access, now):
    webhook = add(shop, now, events=["chats:create", " messages:new "], registration=access)
    assert webhook.verified_at is None
    assert webhook.events == ["chats:create", "messages:new"]
    assert not Webhook.objects.live().exists()


def test_one_hears_nothing_while_its_access_application_or_center_is_switched_off(shop, access, now):
    add(shop, now, events=["chats:create"], registration=access)
    Webhook.objects.update(verified_at=now)
    for owner in (access, shop, shop.center):
        assert Webhook.objects.live().count() == 1
        type(owner).objects.filter(pk=owner.pk).update(is_active=False)
        assert not Webhook.objects.live().exists()
        type(owner).objects.filter(pk=owner.pk).update(is_active=True)


def test_a_foreign_access_of_another_application_is_refused(acme, access, now):
    other = Application.objects.create(center=acme.center, name="Other")
    with pytest.raises(Invalid) as refused:
        add(other, now, registration=access, events=["chats:create"])
    assert "registration" in refused.value.fields
    assert not Webhook.objects.exists()


def test_the_same_address_twice_would_tell_everything_twice(shop, access, now):
    add(shop, now)
    with pytest.raises(Conflict):
        add(shop, now, events=["*"])
    for _again in range(2):
        add(shop, now, registration=access, events=["chats:create"])
    assert Webhook.objects.count() == 3


def test_another_application_may_have_the_same_address(acme, shop, now):
    add(shop, now)
    add(Application.objects.create(center=acme.center, name="Other"), now)
    assert Webhook.objects.count() == 2


def test_there_are_twenty_at_most_and_deleted_ones_do_not_count(shop, now):
    hooks = [add(shop, now, url=f"{URL}&n={number}") for number in range(hook_rules.MOST_WEBHOOKS)]
    with pytest.raises(Full):
        add(shop, now)
    delete_webhook(hooks[0], now=now)
    add(shop, now)
    assert Webhook.objects.kept().count() == hook_rules.MOST_WEBHOOKS


# Addresses and events -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["https://a.example", "http://a.example:8080/x?y=z", "HTTPS://A.example/", "https://10.0.0.1/", "https://[2001:db8::1]:8443/h",
     "https://my_host/x", "https://xn--bcher-kva.example/%20", f"https://a.example/{'x' * 1982}"],
)  # fmt: skip
def test_addresses_that_may_be_called(url):
    assert check_url(f" {url}\n") == url


@pytest.mark.parametrize(
    "url",
    ["", "a.example", "//a.example", "ftp://a.example", "javascript:alert(1)", "https://", "https:///x", "https://:80/", "http:a.example",
     "https://me@a.example/", "https://me:pw@a.example/", "https://a.example@b.example", "https://a.example\\@b.example/",
     "https://a.example:0/", "https://a.example:99999/", "https://a.example:x/", "https://[::1", "https://[fe80::1%25eth0]/",
     "https://a b.example/", "https://a.example/\nX: y", "https://a\t.example", "https://bücher.example/", "https://a.example/\0",
     "https://a.example/#top", f"https://a.example/{'x' * 1983}", "https://a..b\ud800.example/"],
)  # fmt: skip
def test_addresses_that_may_not(url):
    with pytest.raises(Invalid) as refused:
        check_url(url)
    assert list(refused.value.fields) == ["url"]


def test_every_event_of_ours_can_be_asked_for_alone_by_family_and_all_at_once():
    types = [kind.type for kind in all_event_types()]
    assert set(types) < set(own_patterns())
    assert {"*", "chat.*", "message.*", "history.*"} <= set(own_patterns())
    assert check_events(own_patterns()) == own_patterns()


def test_an_api_without_web_hooks_has_none(shop, access, now):
    Registration.objects.update(protocol=Registration.Protocol.GENESYS)
    access.refresh_from_db()
    with pytest.raises(Invalid):
        add(shop, now, events=["*"], registration=access)
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    "events",
    [[], [""], ["message"], ["message.read"], ["*.posted"], ["chat.**"], ["chats:create"], ["x" * 5000], ["\0"], [f"e{n}" for n in range(101)]],
)  # fmt: skip
def test_events_that_nobody_would_ever_hear(events):
    with pytest.raises(Invalid) as refused:
        check_events(events)
    assert len(str(refused.value.fields["events"])) < 80


@cases("event", ["", "x" * 41, "a\0b", "a\nb", "message.posted", "chat.*"])
def test_foreign_events_are_short_words_and_none_of_ours(access, event):
    with pytest.raises(Invalid):
        check_events([event], registration=access)


def test_all_foreign_events_are_asked_for_as_ours_are(access):
    assert check_events(["*", "chats:create"], registration=access) == ["*", "chats:create"]


# Changing -------------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_a_change_is_stored_and_told_with_old_and_new(shop, now):
    webhook = add(shop, now)
    changed = change_webhook(webhook, {"events": ["*"], "is_active": False}, now)
    assert (changed.events, changed.is_active, changed.secret) == (["*"], False, webhook.secret)
    entry = AuditEntry.objects.get(action="web hook changed")
    assert entry.changes == {"events": [["message.posted"], ["*"]], "is_active": [True, False]}
    assert (entry.actor, entry.center, entry.subject) == ("application Shop", shop.center, URL)


def test_what_does_not_change_leaves_no_line(shop, now):
    webhook = add(shop, now)
    change_webhook(webhook, {"url": URL, "events": ["message.posted"]}, now)
    assert not AuditEntry.objects.filter(action="web hook changed").exists()


@cases("fields", [{"is_active": True}, {"url": "https://new.example/"}])
def test_switching_on_again_ends_what_the_receiver_began(shop, now, fields):
    webhook = add(shop, now)
    Webhook.objects.update(disabled_at=now, disabled_reason="410")
    changed = change_webhook(webhook, fields, now)
    assert (changed.disabled_at, changed.disabled_reason) == (None, "")
    assert Webhook.objects.live().exists()
    assert AuditEntry.objects.filter(action="web hook changed").count() == 1


def test_other_events_do_not_switch_it_on_again(shop, now):
    webhook = add(shop, now)
    Webhook.objects.update(disabled_at=now, disabled_reason="410")
    assert change_webhook(webhook, {"events": ["*"]}, now).disabled_at == now


def test_a_new_address_of_a_foreign_one_shakes_hands_anew(shop, access, now):
    webhook = add(shop, now, registration=access, events=["chats:create"])
    Webhook.objects.update(verified_at=now)
    assert change_webhook(webhook, {"url": URL}, now).verified_at == now
    assert change_webhook(webhook, {"url": "https://new.example/"}, now).verified_at is None


def test_one_cannot_move_where_another_is(shop, now):
    add(shop, now)
    webhook = add(shop, now, url="https://other.example/")
    with pytest.raises(Conflict):
        change_webhook(webhook, {"url": URL}, now)
    assert change_webhook(webhook, {"url": "https://other.example/"}, now).url == "https://other.example/"


def test_a_full_application_may_still_change_what_it_has(shop, now):
    hooks = [add(shop, now, url=f"{URL}&n={number}") for number in range(hook_rules.MOST_WEBHOOKS)]
    assert change_webhook(hooks[0], {"url": URL}, now).url == URL


@cases("fields", [{"url": "ftp://x"}, {"events": ["nothing"]}])
def test_a_wrong_change_changes_nothing(shop, now, fields):
    webhook = add(shop, now)
    with pytest.raises(Invalid):
        change_webhook(webhook, {"is_active": False} | fields, now)
    webhook.refresh_from_db()
    assert (webhook.url, webhook.events, webhook.is_active) == (URL, ["message.posted"], True)


# Secrets --------------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_the_old_secret_signs_beside_the_new_one_for_a_day(shop, now):
    webhook = add(shop, now)
    secret = renew_secret(webhook, now=now)
    kept = Webhook.objects.get()
    assert kept.live_secrets(now + 23 * HOUR) == [secret, webhook.secret]
    assert kept.live_secrets(now + 24 * HOUR) == [secret]


def test_no_secret_stands_in_the_audit_log(shop, now):
    webhook = add(shop, now)
    secret = renew_secret(webhook, now=now)
    lines = str(list(AuditEntry.objects.values()))
    assert AuditEntry.objects.filter(action="web hook secret renewed").count() == 1
    assert secret not in lines
    assert webhook.secret not in lines


# Deleting -------------------------------------------------------------------------------------------------------------


@pytest.mark.both
def test_a_deleted_one_is_gone_for_everybody(shop, now):
    webhook = add(shop, now)
    delete_webhook(webhook, now=now)
    assert not Webhook.objects.live().exists()
    assert not Webhook.objects.kept().exists()
    for refused in [
        lambda: delete_webhook(webhook, now=now),
        lambda: renew_secret(webhook, now=now),
        lambda: change_webhook(webhook, {"is_active": True}, now),
    ]:
        with pytest.raises(Gone):
            refused()
    assert AuditEntry.objects.filter(action="web hook deleted").count() == 1


def test_who_files_for_one_at_the_moment_of_its_deletion_does_not_fail(acme, shop, now):
    webhook = add(shop, now)
    delete_webhook(webhook, now=now)
    Delivery.objects.create(center=acme.center, webhook=webhook, chat=make_chat(acme, now).chat, event="chat.started")
    assert Webhook.objects.get().deleted_at == now


# Foreign ones ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def space(acme, shop, access):
    return Registration.objects.create(
        center=acme.center, application=shop, channel=access.channel, protocol=Registration.Protocol.COMAPI
    )


@pytest.mark.both
def test_an_api_spaces_one_needs_no_handshake_and_brings_its_secret_and_facts(shop, space, now):
    own = {"secret": "", "facts": {"name": "Bot"}}
    webhook = add_webhook(shop, url=URL, events=["chat.closed", "chat.create"], registration=space, own=own, now=now)
    assert list(Webhook.objects.live()) == [webhook]
    moved = change_webhook(webhook, {"url": f"{URL}2", "secret": "a new secret", "facts": {"name": "Desk"}}, now)
    assert (moved.verified_at, moved.secret, moved.facts) == (now, "a new secret", {"name": "Desk"})
    noted = AuditEntry.objects.filter(action="web hook changed").get().changes
    assert (noted["secret"], noted["facts"]) == ("changed", "changed")


def test_our_words_that_nobody_says_there_are_refused(shop, space, now):
    for word in ("message.posted", "chat.*"):
        with pytest.raises(Invalid):
            add(shop, now, events=[word], registration=space)
