"""Applications as foreign APIs know them: made and changed by an operator, and their mode also by their own server. Each change is audited."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from chats.errors import Conflict, Invalid
from contactcenter import audit
from contactcenter.models import Application, Channel, ContactCenter, Registration, RegistrationTeam, Team, User

OWN_FIELDS = ("foreign_id", "public_key", "uses_queue", "is_active")


@transaction.atomic
def add_registration(center: ContactCenter, fields: dict[str, Any], *, by: User) -> tuple[Registration, str]:
    """A new application with a channel of its own, and its secret, which is never shown again.

    fields: name, and if wanted foreign_id, public_key, secret, uses_queue, is_active, allowed_origins, rooms (room id → team).
    Raises Invalid, or Conflict when another application has the id.
    """
    name = fields["name"]
    program = Application.objects.create(
        center=center, name=name, allowed_origins=fields.get("allowed_origins", []), may_configure=False
    )
    channel = Channel.objects.create(center=center, kind=Channel.Kind.API, name=name)
    registration = Registration(center=center, application=program, channel=channel)
    for field in OWN_FIELDS:
        setattr(registration, field, fields.get(field, getattr(registration, field)))
    if fields.get("secret"):
        _set_secret(registration, fields["secret"])
    _save(registration)
    _set_rooms(registration, fields.get("rooms", {}))
    secret = fields.get("secret") or registration.renew_secret()
    _note("foreign access added", registration, fields, by)
    return registration, secret


@transaction.atomic
def change_registration(registration: Registration, fields: dict[str, Any], *, by: User | Application) -> Registration:
    """Change what is named, of the same fields; the rooms that are named are all that there are. Raises Invalid, Conflict."""
    rows = Registration.objects.select_related("application", "channel", "center")
    kept = rows.select_for_update(no_key=True, of=("self",)).get(pk=registration.pk)
    for field in OWN_FIELDS:
        setattr(kept, field, fields.get(field, getattr(kept, field)))
    if fields.get("secret"):
        _set_secret(kept, fields["secret"])
    _save(kept)
    own = {name: fields[name] for name in ("name", "allowed_origins") if name in fields}
    if own:
        for name, value in own.items():
            setattr(kept.application, name, value)
        kept.application.save(update_fields=list(own))
    if "rooms" in fields:
        _set_rooms(kept, fields["rooms"])
    _note("foreign access changed", kept, fields, by)
    return kept


def _save(registration: Registration) -> None:
    try:
        registration.clean_fields(exclude=["secret_hash", "secret_hint"])
        with transaction.atomic():
            registration.save()
    except ValidationError as error:
        raise Invalid(fields={name: why[0] for name, why in error.message_dict.items()}) from None
    except IntegrityError:
        # Ids are one for the whole server, so the sentence must not say whose it is.
        raise Conflict(_("This application id is taken.")) from None


def _set_secret(registration: Registration, secret: str) -> None:
    try:
        registration.set_secret(secret)
    except ValidationError as error:
        raise Invalid(fields={"secret": error.messages[0]}) from None


def _set_rooms(registration: Registration, rooms: dict[str, Team]) -> None:
    if len({team.pk for team in rooms.values()}) < len(rooms):
        raise Invalid(fields={"rooms": _("Each team is one room.")})
    for known in registration.rooms.all():
        if rooms.get(known.foreign_id) == known.team:
            rooms = {room: team for room, team in rooms.items() if room != known.foreign_id}
        else:
            known.delete()
    for room, team in rooms.items():
        row = RegistrationTeam(center_id=registration.center_id, registration=registration, team=team, foreign_id=room)
        try:
            row.clean_fields()
        except ValidationError as error:
            raise Invalid(fields={"rooms": error.messages[0]}) from None
        row.save(force_insert=True)


def _note(action: str, registration: Registration, fields: dict[str, Any], by: User | Application) -> None:
    shown = {name: value for name, value in fields.items() if name != "secret"}
    changes = {name: str(list(value) if isinstance(value, dict) else value)[:200] for name, value in shown.items()}
    if fields.get("secret"):
        changes["secret"] = "replaced"  # noqa: S105 - says that, not what
    who: dict[str, Any] = {"user": by} if isinstance(by, User) else {"actor": f"application {by.name}"}
    audit.note(action, center=registration.center, subject=registration, changes=changes, **who)
