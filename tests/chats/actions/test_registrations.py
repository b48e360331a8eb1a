"""Applications as foreign APIs know them, made and changed."""

import pytest

from chats.actions.registrations import add_registration, change_registration
from chats.errors import Conflict, Invalid
from contactcenter.models import Application, AuditEntry, Channel, Registration, User, hash_secret
from tests.cases import cases


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root")


@pytest.mark.both
def test_an_application_comes_with_a_channel_a_secret_and_rooms(acme, root):
    fields = {"name": "Bot", "rooms": {"1": acme.support, "2": acme.sales}, "uses_queue": False}
    registration, secret = add_registration(acme.center, fields, by=root)
    kept = Registration.objects.get()
    assert kept == registration
    assert kept.secret_hash == hash_secret(secret)
    assert (kept.application.name, kept.channel.kind, kept.uses_queue) == ("Bot", Channel.Kind.API, False)
    assert not kept.application.may_configure
    assert dict(kept.rooms.values_list("foreign_id", "team__key")) == {"1": "support", "2": "sales"}


def test_its_making_is_audited_without_the_secret(acme, root):
    secret = add_registration(acme.center, {"name": "Bot", "secret": "vendors-own-secret"}, by=root)[1]
    assert secret == "vendors-own-secret"
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.user_id, entry.center_id) == ("foreign access added", root.pk, acme.center.pk)
    assert "vendors-own-secret" not in str(entry.changes)


@pytest.mark.both
@cases(
    ("fields", "error"),
    [
        ({"foreign_id": "taken"}, Conflict),
        ({"foreign_id": "a b"}, Invalid),
        ({"foreign_id": ""}, Invalid),
        ({"secret": "short"}, Invalid),
        ({"public_key": "ü"}, Invalid),
    ],
)
def test_what_is_refused_leaves_nothing(acme, globex, root, fields, error):
    add_registration(globex.center, {"name": "Other", "foreign_id": "taken"}, by=root)
    with pytest.raises(error):
        add_registration(acme.center, {"name": "Bot", **fields}, by=root)
    assert not Application.objects.filter(center=acme.center).exists()
    assert AuditEntry.objects.count() == 1


def test_a_change_touches_what_is_named(acme, root):
    registration, secret = add_registration(
        acme.center, {"name": "Bot", "foreign_id": "app", "rooms": {"1": acme.support}}, by=root
    )
    change_registration(registration, {"uses_queue": False}, by=registration.application)
    kept = Registration.objects.get()
    assert (kept.foreign_id, kept.uses_queue, kept.secret_hash) == ("app", False, hash_secret(secret))
    assert kept.rooms.count() == 1
    assert AuditEntry.objects.get(action="foreign access changed").actor == "application Bot"


def test_a_room_moves_to_another_team(acme, root):
    registration, _ = add_registration(acme.center, {"name": "Bot", "rooms": {"1": acme.support}}, by=root)
    change_registration(registration, {"rooms": {"1": acme.sales, "2": acme.support}}, by=root)
    assert dict(registration.rooms.values_list("foreign_id", "team__key")) == {"1": "sales", "2": "support"}


@cases("rooms", [{"1": "support", "2": "support"}, {"a ": "support"}, {"x" * 101: "support"}])
def test_odd_rooms_leave_the_old_ones(acme, root, rooms):
    registration, _ = add_registration(acme.center, {"name": "Bot", "rooms": {"1": acme.sales}}, by=root)
    with pytest.raises(Invalid):
        change_registration(
            registration, {"name": "New", "rooms": {room: getattr(acme, key) for room, key in rooms.items()}}, by=root
        )
    assert dict(registration.rooms.values_list("foreign_id", "team__key")) == {"1": "sales"}
    assert Application.objects.get().name == "Bot"


def test_a_room_may_be_called_as_people_call_it(acme, root):
    for name in ("General support", "الدعم العام", "客服", "x"):
        registration, _secret = add_registration(acme.center, {"name": name, "rooms": {name: acme.support}}, by=root)
        assert registration.rooms.get().foreign_id == name
    for name in (" x", "x ", "a\nb", "a\x7fb", ""):
        with pytest.raises(Invalid):
            add_registration(acme.center, {"name": "Odd", "rooms": {name: acme.support}}, by=root)
