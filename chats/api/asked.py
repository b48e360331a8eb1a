"""What requests may hold: shapes only. Texts are kept as sent, so nothing is trimmed but what a machine reads."""

import json
from typing import Any

from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from agents.models import Agent, Presence
from chats.models import Chat
from contactcenter.models import Channel, Team

HIGHEST = 2**31 - 1
MOST_ADDRESS = 254  # characters of models.Account.address
MOST_DATA = 8000  # characters of custom data as JSON


class Text(serializers.CharField):
    """A text and nothing that could be taken for one: a number is no text."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


def text(length: int | None = None, **options: Any) -> Text:
    """A text that people wrote; may be empty or absent."""
    options.setdefault("required", False)
    options.setdefault("allow_blank", True)
    return Text(max_length=length, trim_whitespace=False, **options)


def client_id() -> Text:
    return Text(max_length=64, trim_whitespace=False, help_text="Made by the client; a repeat gets the first answer.")


def account(**options: Any) -> Text:
    """Who somebody is on a channel that we do not speak."""
    return Text(max_length=200, required=False, validators=[RegexValidator(r"^[^\x00-\x1f\x7f]+$")], **options)


def language() -> serializers.RegexField:
    return serializers.RegexField(
        r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$", max_length=10, required=False, allow_blank=True
    )


class DataField(serializers.DictField):
    """Custom data: short words to plain values."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().to_internal_value(data)
        if len(json.dumps(found)) > MOST_DATA:
            raise serializers.ValidationError(_("This is too much data."))
        return found


class Page(serializers.Serializer[Any]):
    url = text(2000)
    title = text(300)


class Identity(serializers.Serializer[Any]):
    id = Text(max_length=200, trim_whitespace=False)
    name = text(100)
    email = serializers.EmailField(required=False, allow_blank=True)
    phone = text(32)
    expires = serializers.IntegerField(min_value=0, max_value=2**53, help_text="Unix seconds.")
    signature = Text(max_length=64, help_text="Hex HMAC-SHA256 over id, a line feed and expires.")


class ConfigQuery(serializers.Serializer[Any]):
    key = Text(max_length=64, required=False, help_text="The public key, unless X-Public-Key has it.")


class OpenSession(serializers.Serializer[Any]):
    key = Text(max_length=64)
    token = Text(max_length=200, required=False, allow_blank=True)
    language = language()
    identity = Identity(required=False)
    page = Page(required=False)


class OfflineMessage(serializers.Serializer[Any]):
    client_id = client_id()
    name = text(100, required=True)
    email = serializers.EmailField()
    phone = text(32)
    team = text(64)
    text = text(required=True, allow_blank=False)
    page = Page(required=False)


class CustomerNamed(serializers.Serializer[Any]):
    """The customer for whom an application starts a chat: one that is known (id), known to the application (external_id), or a new one."""

    id = serializers.UUIDField(required=False)
    external_id = text(200, allow_blank=False)
    name = text(100)
    email = serializers.EmailField(required=False, allow_blank=True)
    phone = text(32)
    language = language()
    data = DataField(required=False)  # type: ignore[assignment]


class StartChat(serializers.Serializer[Any]):
    client_id = client_id()
    team = text(64, help_text="Key or id.")
    subject = text(200)
    text = text()
    form = serializers.DictField(child=Text(allow_blank=True, trim_whitespace=False), required=False)
    data = DataField(required=False)  # type: ignore[assignment]
    page = Page(required=False)
    language = language()
    # For applications alone:
    channel = serializers.UUIDField(required=False, help_text="Applications: which channel it comes in by.")
    customer = CustomerNamed(required=False)
    skills = serializers.ListField(child=Text(max_length=100), max_length=20, required=False)
    priority = serializers.IntegerField(min_value=-100, max_value=100, required=False)


class PostMessage(serializers.Serializer[Any]):
    client_id = client_id()
    text = text()
    attachments = serializers.ListField(child=serializers.UUIDField(), max_length=10, required=False)
    note = serializers.BooleanField(required=False, help_text="Staff: a private note.")

    def get_fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().get_fields()
        # `as` is a word of Python's own.
        fields["as"] = serializers.ChoiceField(
            ["customer", "system"], required=False, help_text="Applications: in whose name."
        )
        return fields


class Typing(serializers.Serializer[Any]):
    active = serializers.BooleanField()
    text = text(500)


class ReadUpTo(serializers.Serializer[Any]):
    index = serializers.IntegerField(min_value=0, max_value=HIGHEST)


class CloseChat(serializers.Serializer[Any]):
    disposition = text(100, help_text="Staff: id or name.")
    comment = text(10_000)


class Survey(serializers.Serializer[Any]):
    rating = serializers.IntegerField(min_value=1, max_value=5, required=False, allow_null=True)
    comment = text()


class MailTranscript(serializers.Serializer[Any]):
    email = serializers.EmailField()
    language = language()


class Transfer(serializers.Serializer[Any]):
    team = text(64, help_text="Key or id.")
    agent = serializers.UUIDField(required=False)
    note = text(10_000)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs.get("team")) == bool(attrs.get("agent")):
            raise serializers.ValidationError({"team": _("Name a team or an agent.")})
        return attrs


class Assign(serializers.Serializer[Any]):
    agent = serializers.UUIDField()


class SetStatus(serializers.Serializer[Any]):
    status = serializers.ChoiceField(Presence.Status.values)


class EditCustomer(serializers.Serializer[Any]):
    name = text(100)
    email = serializers.EmailField(required=False, allow_blank=True)
    phone = text(32)
    language = language()
    time_zone = text(64)
    notes = text(10_000)
    data = DataField(required=False, help_text="Merged; null removes a key.")  # type: ignore[assignment]


class Block(serializers.Serializer[Any]):
    until = serializers.DateTimeField(required=False, allow_null=True, help_text="Absent = for good.")
    reason = text(200)


class Merge(serializers.Serializer[Any]):
    into = serializers.UUIDField()


class Upload(serializers.Serializer[Any]):
    chat = serializers.UUIDField()
    file = serializers.FileField(allow_empty_file=True, max_length=None)


class FileQuery(serializers.Serializer[Any]):
    thumb = serializers.BooleanField(default=False, help_text="The small picture.")


class EventsQuery(serializers.Serializer[Any]):
    after = serializers.IntegerField(min_value=0, max_value=HIGHEST, required=False)
    before = serializers.IntegerField(min_value=0, max_value=HIGHEST, required=False)
    wait = serializers.IntegerField(
        min_value=0, max_value=25, default=0, help_text="Seconds to hold an empty answer back."
    )
    limit = serializers.IntegerField(min_value=1, max_value=500, default=200)


class PageQuery(serializers.Serializer[Any]):
    limit = serializers.IntegerField(min_value=1, max_value=200, default=50)
    after = Text(max_length=600, required=False, help_text="Where the next page begins, from `next`.")


class ChatsQuery(PageQuery):
    state = serializers.ChoiceField([*Chat.State.values, "open", "waiting"], required=False)
    team = text(64, help_text="Key or id.")
    agent = text(36, help_text="Id, or me.")
    customer = serializers.UUIDField(required=False)
    search = text(200)
    since = serializers.DateTimeField(required=False, help_text="Started at or after.")
    until = serializers.DateTimeField(required=False, help_text="Started before.")


class SearchQuery(PageQuery):
    search = text(200)


class RepliesQuery(SearchQuery):
    team = text(64, help_text="Key or id.")


class AgentsQuery(SearchQuery):
    team = text(64, help_text="Key or id.")
    status = serializers.ChoiceField(Presence.Status.values, required=False)


class OfflineQuery(PageQuery):
    handled = serializers.BooleanField(required=False)
    team = text(64, help_text="Key or id.")


class InvitationsQuery(serializers.Serializer[Any]):
    wait = serializers.IntegerField(min_value=0, max_value=25, default=0)


class ReportQuery(serializers.Serializer[Any]):
    since = serializers.DateTimeField(required=False, help_text="Default: seven days ago.")
    until = serializers.DateTimeField(required=False, help_text="Default: now.")
    team = text(64, help_text="Key or id.")


class TranscriptQuery(serializers.Serializer[Any]):
    format = serializers.ChoiceField(["text", "html", "pdf"], default="text")
    notes = serializers.BooleanField(default=False, help_text="Staff: with private notes.")
    language = language()


class AddWebhook(serializers.Serializer[Any]):
    url = Text(max_length=2000, help_text="http or https.")
    events = serializers.ListField(
        child=Text(max_length=40), max_length=100, help_text="message.posted, chat.* (a family) or * (all)."
    )


class EditWebhook(AddWebhook):
    is_active = serializers.BooleanField(help_text="true also ends what the receiver's 410 began.")


class SendOutbound(serializers.Serializer[Any]):
    channel = Text(max_length=40, help_text="As its connector calls it: sms, whatsapp … Or the channel's id.")
    to = account(help_text="The same as account; one of the two.")
    account = account(help_text="On that channel: a phone number, say.")
    text = text(required=True, allow_blank=False)
    client_id = client_id()
    expires_in = serializers.IntegerField(
        min_value=60, max_value=7 * 86_400, required=False, help_text="Seconds after which it is given up; a day."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        named = {attrs.pop(name) for name in ("account", "to") if name in attrs}
        if len(named) != 1:
            raise serializers.ValidationError({"account": _("Name one account.")})
        return attrs | {"account": named.pop()}


class WriteFirst(serializers.Serializer[Any]):
    channel = serializers.UUIDField(help_text="One of channels/outbound.")
    address = Text(max_length=MOST_ADDRESS, help_text="A phone number or a mail address, in any spelling.")
    subject = text(200, help_text="Of a mail.")
    text = text(required=True, allow_blank=False)
    client_id = client_id()


class GoOn(serializers.Serializer[Any]):
    channel = serializers.UUIDField()
    address = text(MOST_ADDRESS, help_text="Absent: the one from which the customer wrote last.")


class DeliveriesQuery(serializers.Serializer[Any]):
    since = text(
        600, help_text="A time: filed at or after. Or the cursor of the last answer: filed after what it held."
    )
    webhook = serializers.UUIDField(required=False)
    state = serializers.ChoiceField(["pending", "sent", "failed"], required=False)
    limit = serializers.IntegerField(min_value=1, max_value=200, default=50)


class EditTeam(serializers.ModelSerializer[Team]):
    key = serializers.SlugField(max_length=64)
    languages = serializers.ListField(child=language(), max_length=50, required=False)

    class Meta:
        model = Team
        fields = (
            *("key", "name", "is_active", "mode", "strategy", "languages", "search_seconds", "on_nobody"),
            *("invitation_seconds", "target_seconds", "grace_seconds", "away_reminder_seconds", "away_close_seconds"),
            *("idle_reminder_seconds", "idle_close_seconds", "greeting", "reminder", "closing"),
        )


class EditChannel(serializers.ModelSerializer[Channel]):
    kind = serializers.ChoiceField([Channel.Kind.WEB, Channel.Kind.APP, Channel.Kind.API], required=False)
    team = text(64, help_text="Key or id; empty = the customer's choice.")
    allowed_origins = serializers.ListField(
        child=serializers.RegexField(r"^https?://[A-Za-z0-9.\-\[\]:]{1,253}$"), max_length=100, required=False
    )

    class Meta:
        model = Channel
        fields = ("kind", "name", "team", "allowed_origins", "is_active")


class Person(serializers.Serializer[Any]):
    email = serializers.EmailField()


class EditAgent(serializers.Serializer[Any]):
    """A seat. Administrators' seats are made and changed in the admin alone."""

    name = Text(max_length=100, required=False)
    role = serializers.ChoiceField([Agent.Role.AGENT, Agent.Role.SUPERVISOR], required=False)
    capacity = serializers.IntegerField(min_value=0, max_value=50, required=False)
    languages = serializers.ListField(child=language(), max_length=50, required=False)
    skills = serializers.ListField(child=Text(max_length=100), max_length=50, required=False)
    teams = serializers.ListField(child=Text(max_length=64), max_length=100, required=False)
    is_active = serializers.BooleanField(required=False)


class AddAgent(EditAgent):
    name = Text(max_length=100)
    is_bot = serializers.BooleanField(default=False)
    user = Person(required=False, help_text="Whose seat it is; bots have none.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs["is_bot"] and "user" not in attrs:
            raise serializers.ValidationError({"user": _("A person needs an email address.")})
        return attrs
