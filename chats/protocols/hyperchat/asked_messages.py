"""What requests about messages, files and typing may hold. Ids may come as numbers; what is not known here is left out."""

from typing import Any

from rest_framework import serializers

from .asked_chats import MOST_PAGES, text, word


class PostMessage(serializers.Serializer[Any]):
    sender = word()
    message = text()
    chatId = word()
    clientId = word(64)


class Activity(serializers.Serializer[Any]):
    type = serializers.ChoiceField(["writing", "not-writing", "stop-writing"])
    chatId = word(required=True)


class Read(serializers.Serializer[Any]):
    """Who read; some say it in other words."""

    userId = word()
    user = word()


class Upload(serializers.Serializer[Any]):
    chatId = word(required=True)
    senderId = word()
    media = serializers.FileField(allow_empty_file=True, max_length=None)


class MediaQuery(serializers.Serializer[Any]):
    chatId = word()
    page = serializers.IntegerField(min_value=1, max_value=MOST_PAGES, default=1)
    limit = serializers.IntegerField(min_value=1, max_value=200, default=50)
