"""What requests about applications and their settings may hold: shapes only."""

from typing import Any

from rest_framework import serializers

from .asked_chats import word

ORIGIN = r"^https?://[A-Za-z0-9.\-\[\]:]{1,253}$"


def origins() -> serializers.ListField:
    return serializers.ListField(child=serializers.RegexField(ORIGIN), max_length=100, required=False)


class Queue(serializers.Serializer[Any]):
    active = serializers.BooleanField(required=False)


class Room(serializers.Serializer[Any]):
    id = word(100, required=True)
    team = word(64, required=True)


class ChangeApp(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=100, required=False)
    appId = word(100)
    secret = word(200)
    domainKey = word(100)
    queue = Queue(required=False, allow_null=True)
    allowedDomains = origins()
    rooms = serializers.ListField(child=Room(), required=False, max_length=100)
    active = serializers.BooleanField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """As the action takes it: those that were named."""
        rooms = attrs.get("rooms")
        if rooms is not None and len({room["id"] for room in rooms}) < len(rooms):
            raise serializers.ValidationError({"rooms": "Each id once."})
        found = {
            "name": attrs.get("name"),
            "foreign_id": attrs.get("appId") or None,
            "secret": attrs.get("secret") or None,
            "public_key": attrs.get("domainKey"),
            "uses_queue": (attrs.get("queue") or {}).get("active"),
            "allowed_origins": attrs.get("allowedDomains"),
            "rooms": None if rooms is None else {room["id"]: room["team"] for room in rooms},
            "is_active": attrs.get("active"),
        }
        return {name: value for name, value in found.items() if value is not None}


class MakeApp(ChangeApp):
    name = serializers.CharField(max_length=100)
    center = word(50, required=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return super().validate(attrs) | {"center": attrs["center"]}


class ChangeSettings(serializers.Serializer[Any]):
    queue = Queue(required=False, allow_null=True)
    allowedDomains = origins()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        found = {
            "uses_queue": (attrs.get("queue") or {}).get("active"),
            "allowed_origins": attrs.get("allowedDomains"),
        }
        return {name: value for name, value in found.items() if value is not None}
