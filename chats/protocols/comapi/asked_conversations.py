"""What requests about conversations may hold. null is absent; what is not known here is left out."""

import json
from typing import Any

from rest_framework import serializers

LONGEST_NAME, LONGEST_DESCRIPTION, LONGEST_ID = 200, 2000, 200
MOST_PARTICIPANTS = 100
LARGEST_ROLES = 2048  # bytes of JSON


class Roles(serializers.Field[Any, Any, Any, Any]):
    """{owner, participant: {canSend, canAddParticipants, canRemoveParticipants}}, given back as it is: two take part in any case."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict) or len(json.dumps(data).encode()) > LARGEST_ROLES:
            raise serializers.ValidationError(f"must be an object of at most {LARGEST_ROLES} bytes.")
        return data


class Member(serializers.Serializer[Any]):
    id = serializers.CharField(max_length=LONGEST_ID)
    role = serializers.CharField(max_length=50, required=False, allow_null=True, allow_blank=True)


class ConversationForm(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=LONGEST_NAME, required=False, allow_null=True, allow_blank=True)
    description = serializers.CharField(
        max_length=LONGEST_DESCRIPTION, required=False, allow_null=True, allow_blank=True
    )
    roles = Roles(required=False, allow_null=True)
    isPublic = serializers.BooleanField(required=False, allow_null=True)


class ConversationNew(ConversationForm):
    """`id`: the client's own; one is made where it is missing."""

    id = serializers.CharField(max_length=LONGEST_ID, required=False, allow_null=True)
    participants = serializers.ListField(child=Member(), max_length=MOST_PARTICIPANTS, required=False, allow_null=True)


class ConversationList(serializers.Serializer[Any]):
    scope = serializers.CharField(max_length=20, required=False)
    profileId = serializers.CharField(max_length=LONGEST_ID, required=False)
