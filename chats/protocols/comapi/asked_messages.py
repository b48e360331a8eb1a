"""What requests about messages may hold. Unknown members are tolerated; the parts themselves are read in parts.py."""

from typing import Any

from rest_framework import serializers

LONGEST_ID, LONGEST_NAME = 200, 200
MOST_PARTS = 50
MOST_ITEMS, MOST_IDS = 100, 1000  # of one report of what was delivered and read
LARGEST = 2**31 - 1  # of a chat's numbers

Fields = dict[str, serializers.Field[Any, Any, Any, Any]]


class From(serializers.Serializer[Any]):
    profileId = serializers.CharField(max_length=LONGEST_ID)
    name = serializers.CharField(max_length=LONGEST_NAME, required=False, allow_blank=True, allow_null=True)


class MessagePost(serializers.Serializer[Any]):
    """`body` is what a real client sends beside the parts; it is read where there are none."""

    parts = serializers.ListField(child=serializers.DictField(), max_length=MOST_PARTS, required=False, allow_null=True)
    body = serializers.JSONField(required=False, allow_null=True)
    metadata = serializers.JSONField(required=False, allow_null=True)
    alert = serializers.DictField(required=False, allow_null=True)
    direction = serializers.ChoiceField(["inbound", "outbound"], required=False, allow_null=True)
    isAutomatedSend = serializers.BooleanField(required=False, allow_null=True)

    def get_fields(self) -> Fields:
        """`from` is no name that Python takes."""
        return {**super().get_fields(), "from": From(required=False, allow_null=True)}


class MessageQuery(serializers.Serializer[Any]):
    """`from`: the number of the event to go back from, itself included; the newest where it is missing."""

    limit = serializers.IntegerField(min_value=1, max_value=100)

    def get_fields(self) -> Fields:
        return {"from": serializers.IntegerField(min_value=0, required=False), **super().get_fields()}


class EventQuery(serializers.Serializer[Any]):
    """`from`: the number of the first event wanted. An answer holds a thousand at most."""

    limit = serializers.IntegerField(min_value=0)

    def get_fields(self) -> Fields:
        return {"from": serializers.IntegerField(min_value=0), **super().get_fields()}


class StatusUpdate(serializers.Serializer[Any]):
    """One of the array. `profileId`, an addition: in whose name a program reports."""

    messageIds = serializers.ListField(child=serializers.CharField(max_length=LONGEST_ID), max_length=MOST_IDS)
    status = serializers.ChoiceField(["delivered", "read"])
    timestamp = serializers.DateTimeField()
    profileId = serializers.CharField(max_length=LONGEST_ID, required=False, allow_null=True)


class StatusReport(serializers.ListSerializer[Any]):
    """The whole body: a bare array."""

    child = StatusUpdate()
