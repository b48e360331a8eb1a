"""What an inbound message may hold. Unknown members are tolerated; parts are read in parts.py."""

from typing import Any

from rest_framework import serializers

from .asked_messages import MOST_PARTS, Fields

LONGEST = 254  # characters of an address
MEMBERS = ("profileId", "id", "phoneNumber", "email", "fbMessengerId", "address")  # of an object that says who


class Party(serializers.Field[Any, Any, Any, Any]):
    """Who: a text, or an object with an address in it. Gives (address, name)."""

    def to_internal_value(self, data: Any) -> tuple[str, str]:
        found, name = data, ""
        if isinstance(data, dict):
            found = next((data[key] for key in MEMBERS if data.get(key)), None)
            name = str(data.get("name") or "")
        if isinstance(found, int) and not isinstance(found, bool):
            found = str(found)
        if not isinstance(found, str) or not found.strip() or len(found) > LONGEST:
            raise serializers.ValidationError(f"must be a number, an address or an id of at most {LONGEST} characters.")
        return found.strip(), name[:100]

    def to_representation(self, value: Any) -> Any:
        return value


class InboundMessage(serializers.Serializer[Any]):
    """`messageParts`, else `body`, else channelData.body is what it says. `correlation`: by which a repeat is known."""

    channel = serializers.CharField(max_length=40)
    to = Party(required=False, allow_null=True)
    title = serializers.CharField(max_length=1000, required=False, allow_blank=True, allow_null=True)
    body = serializers.CharField(required=False, allow_blank=True, allow_null=True, trim_whitespace=False)
    conversationId = serializers.CharField(max_length=200, required=False, allow_blank=True, allow_null=True)
    metadata = serializers.JSONField(required=False, allow_null=True)
    channelData = serializers.DictField(required=False, allow_null=True)
    messageParts = serializers.ListField(
        child=serializers.DictField(), max_length=MOST_PARTS, required=False, allow_null=True
    )
    correlation = serializers.CharField(max_length=500, required=False, allow_blank=True, allow_null=True)

    def get_fields(self) -> Fields:
        """`from` is no name that Python takes."""
        return {"from": Party(), **super().get_fields()}
