"""Bodies and queries through serializers. Each is made once: making its fields anew costs more than all that they check."""

from functools import cache
from typing import Any, TypeVar

from django.utils.translation import get_language
from rest_framework import serializers

Read = TypeVar("Read", bound=serializers.BaseSerializer[Any])


def read(serializer: type[Read], data: Any, **options: Any) -> dict[str, Any]:
    """What the serializer makes of the body or query. Raises DRF's ValidationError.

    With `options`, or of nothing at all, by a serializer of its own. The one that is kept serves all threads: ours keep nothing of what they read.
    """
    if options or data is None:
        checked = serializer(data=data, **options)
        checked.is_valid(raise_exception=True)
        found: dict[str, Any] = checked.validated_data
        return found
    kept: Any = serializer
    made: dict[str, Any] = _kept(kept, get_language()).run_validation(data)
    return made


# DRF keeps some sentences in the language in which they were said first.
@cache
def _kept(serializer: Any, _language: str | None) -> Any:
    return serializer()
