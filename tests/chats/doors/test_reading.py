"""Serializers that are kept read each body as a new one would."""

from typing import Any

import pytest
from django.http import QueryDict
from django.utils import translation
from rest_framework import serializers

from chats.api.asked import EventsQuery, PostMessage
from chats.doors.reading import read
from tests.cases import cases


def fault(serializer: Any, body: Any) -> Any:
    with pytest.raises(serializers.ValidationError) as refused:
        read(serializer, body)
    return refused.value.detail


def test_a_refusal_is_said_in_each_readers_language() -> None:
    long = {"client_id": "c" * 1000, "text": "Hello"}
    said = []
    for language in ("en", "de", "en"):
        with translation.override(language):
            said.append(str(fault(PostMessage, long)["client_id"][0]))
    assert said[0] == said[2] != said[1]


def test_nothing_of_one_body_is_left_for_the_next() -> None:
    first = read(PostMessage, {"client_id": "one", "text": "Hello", "note": True, "as": "system"})
    first["text"] = "changed"
    assert read(PostMessage, {"client_id": "two"}) == {"client_id": "two"}
    assert read(EventsQuery, QueryDict("after=3&limit=5")) == {"after": 3, "limit": 5, "wait": 0}
    assert read(EventsQuery, QueryDict("")) == {"limit": 200, "wait": 0}


@cases("body", [None, [], "text", 3, {}, {"client_id": None}, {"client_id": []}])
def test_what_a_new_serializer_refuses_is_refused_alike(body: Any) -> None:
    new = PostMessage(data=body)
    assert not new.is_valid()
    assert fault(PostMessage, body) == new.errors
