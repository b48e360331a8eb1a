"""What a registration of a web hook may hold: shapes only."""

from typing import Any

from rest_framework import serializers

from chats.actions.hook_rules import MOST_EVENTS, MOST_URL
from chats.outbox.batches import LARGEST, LONGEST

from .catalogue import OFFERS

MOST_NAME = 200
MOST_SECRET = 200
MOST_FILTERS = 20  # of one subscription
MOST_VALUE = 300


class Filter(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=50)
    value = serializers.CharField(max_length=MOST_VALUE)


class Subscription(serializers.Serializer[Any]):
    type = serializers.ChoiceField(list(OFFERS))
    filters = serializers.ListField(child=Filter(), required=False, allow_null=True, max_length=MOST_FILTERS)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """{type, filters}, whose names are those that the event offers."""
        filters = [dict(one) for one in attrs.get("filters") or []]
        offered = OFFERS[attrs["type"]].filters
        for one in filters:
            if one["name"] not in offered:
                raise serializers.ValidationError(
                    {"filters": f"{attrs['type']} can be filtered by: {', '.join(offered)}."}
                )
        return {"type": attrs["type"], "filters": filters}


class AskedWebhook(serializers.Serializer[Any]):
    """The whole registration. A secret that is left out stays as it is; an empty one means calls without a signature."""

    name = serializers.CharField(max_length=MOST_NAME)
    url = serializers.CharField(max_length=MOST_URL)
    secret = serializers.CharField(
        max_length=MOST_SECRET, required=False, allow_blank=True, allow_null=True, trim_whitespace=False
    )
    subscriptions = serializers.ListField(child=Subscription(), min_length=1, max_length=MOST_EVENTS)
    batch = serializers.BooleanField(required=False, allow_null=True)
    maxBatchSize = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=LARGEST)
    batchTimeout = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=LONGEST)


class AskedEvents(serializers.Serializer[Any]):
    includeSchemas = serializers.BooleanField(required=False, default=False)


class AskedDeleted(serializers.Serializer[Any]):
    includeDeleted = serializers.BooleanField(required=False, default=False)
