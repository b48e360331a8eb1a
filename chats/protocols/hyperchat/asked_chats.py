"""What requests about chats may hold: shapes only. Numbers are taken for texts, null for absent, and what is not known here is left out."""

from typing import Any

from rest_framework import serializers

MOST_PAGES = 1000
MOST_ENTRIES = 150  # of a history, as their own widget sends at most
MOST_MESSAGE = 20_000  # characters of one imported message, before it is cut


def word(length: int = 100, *, required: bool = False) -> serializers.CharField:
    """A short text or a number; absent, null and empty are the same where it is not required."""
    return serializers.CharField(
        max_length=length, required=required, allow_null=not required, allow_blank=not required
    )


def text() -> serializers.CharField:
    """What somebody wrote, kept as it is; our own limits are the actions'."""
    return serializers.CharField(required=False, allow_null=True, allow_blank=True, trim_whitespace=False)


def language() -> serializers.RegexField:
    return serializers.RegexField(
        r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$", max_length=10, required=False, allow_null=True, allow_blank=True
    )


class Kept(serializers.Field[Any, Any, Any, Any]):
    """A text or a number that must come back with the JSON type in which it came: their clients compare with ===."""

    default_error_messages = {"invalid": "Not a text or a number.", "long": "This is too long."}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str | int | float | bool):
            self.fail("invalid")
        if len(str(data)) > 100:
            self.fail("long")
        return data


class Anything(serializers.Field[Any, Any, Any, Any]):
    """Taken as it is: a text, or the object that stands for one."""

    def to_internal_value(self, data: Any) -> Any:
        if len(str(data)) > MOST_MESSAGE:
            raise serializers.ValidationError("This is too long.")
        return data


class HistoryEntry(serializers.Serializer[Any]):
    sender = word(200)
    type = word()
    message = Anything(required=False, allow_null=True)
    created = Anything(required=False, allow_null=True)


class ImportHistory(serializers.Serializer[Any]):
    history = serializers.ListField(child=HistoryEntry(), max_length=MOST_ENTRIES)


class ChangeChat(serializers.Serializer[Any]):
    lang = language()
    externalId = word(200)

    def get_fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().get_fields()
        fields["source"] = Kept(required=False, allow_null=True)  # a serializer has a member of this name
        fields["room"] = Kept(required=False, allow_null=True)
        return fields


class BeginChat(ChangeChat):
    creator = word()
    message = text()
    history = serializers.ListField(child=HistoryEntry(), max_length=MOST_ENTRIES, required=False, allow_null=True)

    def get_fields(self) -> dict[str, Any]:
        return super().get_fields() | {"room": Kept()}


class ChatsQuery(serializers.Serializer[Any]):
    status = serializers.ChoiceField(["waiting", "active", "closed"], required=False)
    room = word()
    creator = word()
    externalId = word(200)
    page = serializers.IntegerField(min_value=1, max_value=MOST_PAGES, default=1)
    limit = serializers.IntegerField(min_value=1, max_value=200, default=50)


class Named(serializers.Serializer[Any]):
    """A user by id."""

    userId = word()


class Assign(serializers.Serializer[Any]):
    algorithm = word()
    maxAttempts = serializers.IntegerField(min_value=1, required=False, allow_null=True)
    interval = serializers.IntegerField(min_value=1, required=False, allow_null=True, help_text="Seconds.")
