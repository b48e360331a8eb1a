"""What requests about users and agents may hold: shapes only. Numbers are taken for texts, null for absent, and what is not known here is left out."""

import json
import re
from typing import Any

from rest_framework import serializers

from .asked_chats import language, word

LONGEST_NAME = 100  # of what we keep; the rest is cut off, since clients send what their users typed
MOST_EXTRA = 8000  # characters of extra information as JSON
MOST_WORDS = 100  # in one list
LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")


class Name(serializers.CharField):
    """Cut rather than refused."""

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(data)[:LONGEST_NAME].strip()


class Extra(serializers.DictField):
    """Whatever the client wants to know again. PHP writes an empty object as []."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().to_internal_value({} if data == [] else data)
        if len(json.dumps(found)) > MOST_EXTRA:
            raise serializers.ValidationError("This is too much data.")
        return found


class Words(serializers.Field[Any, Any, Any, Any]):
    """A list of short texts or numbers, or one text with commas."""

    default_error_messages = {"invalid": "Not a list of texts.", "long": "This is too long."}

    def to_internal_value(self, data: Any) -> list[str]:
        parts = data.split(",") if isinstance(data, str) else data if isinstance(data, list) else [data]
        if any(isinstance(part, bool) or not isinstance(part, str | int) for part in parts):
            self.fail("invalid")
        found = list(dict.fromkeys(text for part in parts if (text := str(part).strip())))
        if len(found) > MOST_WORDS or any(len(text) > LONGEST_NAME for text in found):
            self.fail("long")
        return found


def words() -> Words:
    return Words(required=False, allow_null=True)


class ChangeUser(serializers.Serializer[Any]):
    name = Name(required=False, allow_null=True, max_length=10_000)
    nickname = Name(required=False, allow_null=True, allow_blank=True, max_length=10_000)
    contact = word(254)
    externalId = word(200)
    extraInfo = Extra(required=False, allow_null=True)
    lang = language()


class MakeUser(ChangeUser):
    name = Name(max_length=10_000)


class UsersQuery(serializers.Serializer[Any]):
    externalId = word(200)
    page = serializers.IntegerField(min_value=1, max_value=1000, default=1)
    limit = serializers.IntegerField(min_value=1, max_value=100, default=50)


class RoomsQuery(serializers.Serializer[Any]):
    roomIds = words()
    roomId = words()
    room = words()
    langs = words()
    lang = words()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """rooms: None where none is named; langs: a list."""
        named = [attrs[name] for name in ("roomIds", "roomId", "room") if attrs.get(name)]
        langs = [*(attrs.get("langs") or []), *(attrs.get("lang") or [])]
        return {"rooms": named[0] if named else None, "langs": langs}


class Agent(serializers.Serializer[Any]):
    """A seat. Several names of one thing are taken, since none of them is documented."""

    name = Name(required=False, allow_null=True, max_length=10_000)
    nickname = Name(required=False, allow_null=True, max_length=10_000)
    email = serializers.EmailField(required=False, allow_null=True)
    contact = serializers.EmailField(required=False, allow_null=True)
    rooms = words()
    roomIds = words()
    languages = words()
    langs = words()
    capacity = serializers.IntegerField(min_value=0, max_value=50, required=False, allow_null=True)
    slots = serializers.IntegerField(min_value=0, max_value=50, required=False, allow_null=True)
    active = serializers.BooleanField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """name, email, rooms, languages, capacity, is_active: those that were named."""
        if any(not LANGUAGE.fullmatch(code) for name in ("languages", "langs") for code in attrs.get(name) or ()):
            raise serializers.ValidationError({"languages": "Not a language code."})
        sent = {name: value for name, value in attrs.items() if value is not None}
        pairs = {
            "name": ("nickname", "name"),
            "email": ("email", "contact"),
            "rooms": ("rooms", "roomIds"),
            "languages": ("languages", "langs"),
            "capacity": ("capacity", "slots"),
            "is_active": ("active",),
        }
        return {
            own: next(sent[name] for name in names if name in sent)
            for own, names in pairs.items()
            if any(name in sent for name in names)
        }


class Login(serializers.Serializer[Any]):
    username = word(254)
    email = word(254)
    contact = word(254)
    password = serializers.CharField(max_length=500, trim_whitespace=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        name = attrs.get("username") or attrs.get("email") or attrs.get("contact")
        if not name:
            raise serializers.ValidationError({"username": "This field is required."})
        return {"name": name, "password": attrs["password"]}


class NamesAgent(serializers.Serializer[Any]):
    agentId = word()
    userId = word()
    id = word()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {"agent": attrs.get("agentId") or attrs.get("userId") or attrs.get("id") or ""}


class Invitation(serializers.Serializer[Any]):
    invitationId = word()
    id = word()
    chatId = word()
    chat = word()
    agentId = word()
    userId = word()
    user = word()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """invitation, chat, agent: ids as sent, empty where not."""
        names = {
            "invitation": ("invitationId", "id"),
            "chat": ("chatId", "chat"),
            "agent": ("agentId", "userId", "user"),
        }
        return {own: next((attrs[name] for name in sent if attrs.get(name)), "") for own, sent in names.items()}


class Survey(serializers.Serializer[Any]):
    sourceType = word()
    sourceId = word()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {"type": attrs.get("sourceType") or "", "source": attrs.get("sourceId") or ""}
