"""The routes below /cpaas as OpenAPI 3: what each view asks for (`Door.asks`, `Door.queries`), its first line of documentation as summary.

Both dialects have the same routes; one is described. GET /cpaas/openapi.json is open: it is nobody's secret.
"""

from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

SENTENCES = {
    "400": "Something in the request is not right: validationFailures says what.",
    "401": "Nobody, or a user name or password that is not known.",
    "403": "Not for this caller.",
    "404": "There is no such thing.",
    "405": "Not with this method.",
    "409": "Not as things stand.",
    "412": "The if-match header does not match.",
    "413": "Too large.",
    "429": "Too fast; Retry-After says when to come again.",
    "503": "We cannot store anything right now; Retry-After says when to come again.",
}
MATCHED = ("PUT", "PATCH", "DELETE")
ERROR = {
    "type": "object",
    "required": ["message"],
    "properties": {
        "message": {"type": "string"},
        "validationFailures": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["paramName", "message"],
                "properties": {"paramName": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
SUCCESS = {"200": "Done.", "201": "Made.", "204": "Done; there is nothing to say."}


class SpaceSchema(AutoSchema):  # type: ignore[misc]
    """Answers are described by their statuses alone: docs/protocols/comapi.md shows their members."""

    view: Any

    def get_operation_id(self) -> str:
        words = [word.strip("{}") for word in self.path.split("/") if word]
        return "_".join([self.method.lower(), *words])

    def get_summary(self) -> str:
        said = (self._handler().__doc__ or type(self.view).__doc__ or "").strip()
        return str(said.partition("\n")[0])

    def get_description(self) -> str:  # type: ignore[override]
        return ""

    def get_tags(self) -> list[str]:
        return [type(self.view).__module__.rpartition(".")[2]]

    def get_auth(self) -> list[dict[str, Any]]:
        return [] if self.view.is_open else [{"basic": []}]

    def get_request_serializer(self) -> Any:
        return self.view.asks.get(self.method)

    def get_response_serializers(self) -> Any:
        return None

    def _get_serializer_name(self, serializer: Any, direction: str, bypass_extensions: bool = False) -> str:
        """With its service's: two may have a Member."""
        of = type(getattr(serializer, "child", serializer)).__module__.rpartition(".")[2].removeprefix("asked_")
        return f"{of.title()}{super()._get_serializer_name(serializer, direction, bypass_extensions)}"

    def get_override_parameters(self) -> Any:
        query = self.view.queries.get(self.method)
        return [query] if query else []

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
        found: dict[str, Any] = {status: {"description": sentence} for status, sentence in SUCCESS.items()}
        return found | {status: {"description": said, "content": error} for status, said in SENTENCES.items()}

    def _handler(self) -> Any:
        return getattr(self.view, self.method.lower(), None)


class OpenApi(APIView):
    authentication_classes = ()
    permission_classes = ()
    schema = None

    def get(self, request: Request) -> Response:
        return Response(description())


@cache
def description() -> dict[str, Any]:
    """The whole of it."""
    from .urls import described

    found: dict[str, Any] = SchemaGenerator(patterns=described).get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    found["paths"] = {path.rstrip("/"): operations for path, operations in found["paths"].items()}
    found["info"] = {"title": "Chat API", "version": "1", "description": "Compatible with Comapi's Chat API."}
    parts = found.setdefault("components", {})
    parts["securitySchemes"] = {"basic": {"type": "http", "scheme": "basic"}}
    parts.setdefault("schemas", {})["Error"] = ERROR
    for operations in found["paths"].values():
        for method, operation in operations.items():
            if method.upper() in MATCHED:
                match = {"name": "If-Match", "in": "header", "schema": {"type": "string"}}
                operation.setdefault("parameters", []).append(match)
    return found
