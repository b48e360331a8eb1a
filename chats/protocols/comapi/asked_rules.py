"""What requests about inbound rules may hold."""

import json
from typing import Any

from rest_framework import serializers

from chats.actions.rules import ANY, CHANNELS, text_of
from chats.actions.text import MAX_TEXT
from chats.models import InboundRule

MOST_PARTS, MOST_PROPERTIES = 20, 50
LARGEST = 32 * 1024  # bytes of actionData as JSON
REPLY, UPDATE, START = InboundRule.Action.REPLY, InboundRule.Action.UPDATE, InboundRule.Action.START_CHAT


class Scalar(serializers.Field[Any, Any, Any, Any]):
    """A text, a number, or true and false."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str | int | float | bool) or len(str(data)) > 1000:
            raise serializers.ValidationError("must be a text of at most 1,000 characters, a number, true or false.")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class RulePart(serializers.Serializer[Any]):
    """A MessagePart: what else it holds is left out."""

    name = serializers.CharField(max_length=200, required=False, allow_blank=True, allow_null=True)
    type = serializers.CharField(max_length=100, required=False, allow_blank=True, allow_null=True)
    url = serializers.CharField(max_length=2000, required=False, allow_blank=True, allow_null=True)
    data = serializers.CharField(  # type: ignore[assignment]
        max_length=MAX_TEXT, required=False, allow_blank=True, allow_null=True, trim_whitespace=False
    )
    size = serializers.IntegerField(min_value=0, max_value=2**31, required=False, allow_null=True)


class RuleProperty(serializers.Serializer[Any]):
    propertyName = serializers.CharField(max_length=100)
    propertyValue = Scalar()


class ActionData(serializers.Serializer[Any]):
    chatTeamId = serializers.CharField(max_length=100, required=False, allow_blank=True, allow_null=True)
    messageParts = serializers.ListField(child=RulePart(), required=False, allow_null=True, max_length=MOST_PARTS)
    profileUpdate = serializers.ListField(
        child=RuleProperty(), required=False, allow_null=True, max_length=MOST_PROPERTIES
    )


class RuleBody(serializers.Serializer[Any]):
    """An inbound rule; its id and what begins with _ are ours. actionData must hold what the action needs."""

    channel = serializers.ChoiceField(CHANNELS)
    inbound = serializers.CharField(max_length=200, required=False, allow_blank=True, allow_null=True, default=ANY)
    keyword = serializers.CharField(max_length=500, required=False, allow_blank=True, allow_null=True, default="")
    action = serializers.ChoiceField([REPLY.value, UPDATE.value, START.value])
    actionData = ActionData(required=False, allow_null=True, default=dict)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        data = {name: value for name, value in (attrs["actionData"] or {}).items() if value}
        if "messageParts" in data:
            data["messageParts"] = [_said(part) for part in data["messageParts"]]
        attrs |= {"actionData": data, "inbound": attrs["inbound"] or ANY, "keyword": attrs["keyword"] or ""}
        wrong = _wrong(attrs["action"], data)
        if wrong:
            raise serializers.ValidationError({"actionData": wrong})
        return attrs


def _said(part: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if value is not None}


def _wrong(action: str, data: dict[str, Any]) -> dict[str, str]:
    if action == START and not data.get("chatTeamId"):
        return {"chatTeamId": "is needed to start a chat."}
    if action == REPLY and not text_of(data).strip():
        return {"messageParts": "must hold a text to reply with."}
    if action == UPDATE and not data.get("profileUpdate"):
        return {"profileUpdate": "must name a property."}
    if len(json.dumps(data).encode()) > LARGEST:
        return {"messageParts": f"actionData must not be larger than {LARGEST} bytes."}
    return {}
