"""The addresses of the customer channel's REST half, below /api and /legacy/api. Each is taken with and without a trailing slash."""

from typing import Any

from django.urls import URLPattern, re_path

from .customer import Init
from .door import Door, Nowhere
from .media import Media
from .papers import Paper
from .past import Past

app_name = "expertflow"


def route(pattern: str, view: type[Door], name: str) -> URLPattern:
    """`pattern` with {name} for one segment of a path."""
    inner = pattern.replace("{", "(?P<").replace("}", ">[^/]{1,200})")
    found: Any = re_path(rf"^(?:legacy/)?api/{inner}/?\Z", view.as_view(), name=name)
    return found


urlpatterns: list[URLPattern] = [
    route("customer/init", Init, "init"),
    route("customer/transcript/{conversation_id}/{kind}", Paper, "transcript"),
    route("customer/file/{token}", Media, "file"),
    # The public page puts a slash behind its base that is there already.
    route("/?getMessagesByRefId", Past, "past"),
    re_path(r"^(?:legacy/)?api/customer(?:/|\Z)", Nowhere.as_view(), name="nowhere"),  # stays the last
]
