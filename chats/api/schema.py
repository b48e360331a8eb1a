"""What the schema says beside shapes: how callers prove themselves, which refusals every route may give."""

from functools import cache
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework.serializers import CharField, Serializer

from . import asked

SENTENCES = {
    "400": "Something in the request is not right.",
    "401": "Nobody, or a key or token that is not known.",
    "403": "Not for this caller.",
    "404": "There is no such thing, or it is not the caller's.",
    "405": "Not with this method.",
    "406": "Not in the format that was asked for.",
    "409": "Not any more, or not as things stand: conflict, closed, gone, full.",
    "413": "Too large.",
    "415": "Not a format that we read.",
    "429": "Too fast; Retry-After says when to come again.",
    "503": "We cannot store anything right now; Retry-After says when to come again.",
}


class Operation(AutoSchema):  # type: ignore[misc]
    """Names operations by method and address: two addresses never share one."""

    def get_operation_id(self) -> str:
        words = [word.strip("{}").replace("-", "_") for word in self.path.split("/")[3:] if word]
        return "_".join([self.method.lower(), *words])


@cache
def listing(of: Any) -> Any:
    """The schema of a page of these."""
    name = of.__name__
    fields = {"results": of(many=True), "next": CharField(allow_null=True)}
    return inline_serializer(f"{name}Page", fields)


def described(
    summary: str,
    *,
    asks: Any = None,
    query: type[Serializer[Any]] | None = None,
    gives: dict[int, Any] | Any = None,
    page: type[asked.PageQuery] | None = None,
) -> Any:
    """extend_schema in our words. gives: the answer's serializer, or one by status."""
    responses = gives if isinstance(gives, dict) else {200: gives} if gives is not None else {204: None}
    parameters = [wanted for wanted in (query, page) if wanted is not None]
    return extend_schema(summary=summary, request=asks, responses=responses, parameters=parameters)


def tell_refusals(result: dict[str, Any], **_options: Any) -> dict[str, Any]:
    """SPECTACULAR_SETTINGS["POSTPROCESSING_HOOKS"]: each operation may answer with any of our refusals."""
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    result.setdefault("components", {}).setdefault("schemas", {})["Error"] = ERROR
    for operations in result["paths"].values():
        for operation in operations.values():
            for status, sentence in SENTENCES.items():
                operation["responses"].setdefault(status, {"description": sentence, "content": error})
    return result


ERROR = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {
        "code": {"type": "string"},
        "message": {"type": "string"},
        "fields": {"type": "object", "additionalProperties": {"type": "string"}},
        "retry_after": {"type": "number"},
    },
}


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "chats.api.principals.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        words = "A customer's session token, or an application's secret key (sk_…)."
        return {"type": "http", "scheme": "bearer", "description": words}


class PasswordScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "chats.api.principals.ApplicationPasswordAuthentication"
    name = "application password"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        words = "An agent's user name and an application password."
        return {"type": "http", "scheme": "basic", "description": words}


class PublicKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "chats.api.principals.PublicKeyAuthentication"
    name = "public key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "header", "name": "X-Public-Key"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "chats.api.principals.SeatSessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        words = "The cookie of a signed-in person; X-CSRFToken for what changes something."
        return {"type": "apiKey", "in": "cookie", "name": "session", "description": words}
