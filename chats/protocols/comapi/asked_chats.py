"""What requests about chats may hold: shapes only. null is absent; what is not known here is left out."""

import json
from typing import Any

from rest_framework import serializers

from .names import AGENT

LONGEST_NAME = 200
LONGEST_DESCRIPTION = 10_000
LONGEST_ID = 250
LONGEST_CONVERSATION = 200
MOST_PARTICIPANTS = 100
LARGEST_CONTEXT = 4096  # bytes of JSON
AGENT_ROLE, CUSTOMER_ROLE = "agent", "participant"


def word(length: int = LONGEST_ID, *, required: bool = True) -> serializers.CharField:
    return serializers.CharField(
        max_length=length, required=required, allow_null=not required, allow_blank=not required
    )


class Context(serializers.Field[Any, Any, Any, Any]):
    """An object, given back as it is; `conversationId` links an app's conversation."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise serializers.ValidationError("must be an object.")
        if len(json.dumps(data).encode()) > LARGEST_CONTEXT:
            raise serializers.ValidationError(f"must not be larger than {LARGEST_CONTEXT} bytes.")
        conversation = data.get("conversationId")
        if conversation is not None and not (
            isinstance(conversation, str) and 0 < len(conversation) <= LONGEST_CONVERSATION
        ):
            raise serializers.ValidationError(
                {"conversationId": [f"must be a text of 1 to {LONGEST_CONVERSATION} characters."]}
            )
        return data


class Participant(serializers.Serializer[Any]):
    id = word()
    role = serializers.ChoiceField([AGENT_ROLE, CUSTOMER_ROLE], required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """An agent's id says what it is."""
        is_agent = attrs.get("role") == AGENT_ROLE or attrs["id"].startswith(AGENT)
        return {"id": attrs["id"], "role": AGENT_ROLE if is_agent else CUSTOMER_ROLE}


class ChatCreate(serializers.Serializer[Any]):
    name = word(LONGEST_NAME)
    teamId = word()
    channelId = word()
    description = word(LONGEST_DESCRIPTION, required=False)
    participants = serializers.ListField(
        child=Participant(), max_length=MOST_PARTICIPANTS, required=False, allow_null=True
    )
    context = Context(required=False, allow_null=True)  # type: ignore[assignment]  # a serializer's own word


class ChatUpdate(serializers.Serializer[Any]):
    name = word(LONGEST_NAME)
    description = word(LONGEST_DESCRIPTION, required=False)


class ChatAssign(serializers.Serializer[Any]):
    teamId = word()
    agentId = word(required=False)


class ChatClose(serializers.Serializer[Any]):
    bypassMessage = serializers.BooleanField(required=False, allow_null=True)


class ChatChannel(serializers.Serializer[Any]):
    channelId = word()


class ChatList(serializers.Serializer[Any]):
    profileId = word(required=False)
    scope = serializers.ChoiceField(["profile", "all"], required=False, allow_blank=True)
    includeClosed = serializers.BooleanField(required=False, default=False)
    includeDeleted = serializers.BooleanField(required=False, default=False)
    idsOnly = serializers.BooleanField(required=False, default=False)


class ChatQuery(serializers.Serializer[Any]):
    includeDeleted = serializers.BooleanField(required=False, default=False)
