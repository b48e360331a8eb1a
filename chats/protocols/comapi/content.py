"""Files that apps put here before they say the message which names them by their address (the SDKs' content service).

POST /content   multipart with a file, or JSON {data, name, type} with base64 → {type, size, id, folder, url}

The address opens the file once it stands in a message of this customer's; until then it is nobody's.
"""

from typing import Any, ClassVar
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from chats.doors.throttles import UPLOADS_BY_CUSTOMER, count
from chats.errors import Blocked, Forbidden, Invalid
from chats.files.early import Early, drop_early, keep_early, read_early
from chats.files.names import clean_name, extension_of
from chats.models import ForeignCustomer, SpaceChat
from contactcenter.models import Registration

from .door import AnyParser, Door
from .message_shapes import FILE_SIGNER
from .parts import MOST_FILES, Parts, decode, file_name

FOR_APPS = "Files are put here by apps. A program sends them as data within its messages."


class ContentQuery(serializers.Serializer[Any]):
    folder = serializers.CharField(max_length=200, required=False, allow_blank=True)


class ContentNew(serializers.Serializer[Any]):
    data = serializers.CharField(trim_whitespace=False)  # type: ignore[assignment]
    name = serializers.CharField(max_length=200, required=False, allow_blank=True, allow_null=True)
    type = serializers.CharField(max_length=100, required=False, allow_blank=True, allow_null=True)


class Content(Door):
    allows_apps = True
    parser_classes = (MultiPartParser, AnyParser)  # type: ignore[assignment]
    asks: ClassVar = {"POST": ContentNew}
    queries: ClassVar = {"POST": ContentQuery}

    def post(self, request: Request) -> Response:
        """Keep a file for a message that will name it."""
        profile = self.caller.profile
        if profile is None:
            raise Forbidden(FOR_APPS)
        if profile.customer.is_blocked_at(self.now):
            raise Blocked
        folder = self.read_query(ContentQuery).get("folder", "")
        count(UPLOADS_BY_CUSTOMER, str(profile.customer_id))
        early, kind, size = keep_early(profile.center_id, profile.pk, self.upload())
        url = early_url(self.caller.registration, early)
        return Response({"type": kind, "size": size, "id": str(early.id), "folder": folder, "url": url})

    def upload(self) -> UploadedFile:
        """The file that a form has, or that JSON holds. Raises Invalid."""
        if self.request.FILES:
            found: UploadedFile = next(iter(self.request.FILES.values()))
            data, name, kind = found.read(settings.ATTACHMENT_MAX_BYTES + 1), found.name or "", found.content_type or ""
        else:
            said = self.read(ContentNew)
            name, kind = said.get("name") or "", said.get("type") or ""
            try:
                data = decode(said["data"], 0)
            except Invalid:
                raise Invalid(fields={"data": "must be base64."}) from None
        return SimpleUploadedFile(file_name(name, kind, data), data)


def early_url(registration: Registration, early: Early) -> str:
    """Absolute, below the same addresses as files of messages: files.find_file knows both."""
    token = signing.Signer(salt=FILE_SIGNER).sign(f"{early.id}.{early.owner_id}.{early.extension}")
    return f"{_files_of(registration)}{token}"


def take_content(known: SpaceChat, parts: Parts) -> list[Early]:
    """Those parts that name what this chat's customer has put here become files; every other address stays a link. Raises Invalid."""
    taken: list[Early] = []
    for number, part in enumerate(parts.kept):
        early = _early_of(known, part.get("url", ""))
        data = read_early(early) if early is not None and early not in taken else None
        if early is None or data is None:
            continue
        name = part.get("name", "")
        if extension_of(name) != early.extension:
            name = f"{clean_name(name)}.{early.extension}"
        parts.files.append((number, name, data))
        parts.ids[number] = early.id
        parts.links = [link for link in parts.links if link["url"] != part["url"]]
        del part["url"]
        taken.append(early)
    if len(parts.files) > MOST_FILES:
        raise Invalid(fields={"parts": f"A message has at most {MOST_FILES} files."})
    return taken


def drop_content(taken: list[Early]) -> None:
    """They stand in a message now."""
    for early in taken:
        drop_early(early)


def _files_of(registration: Registration) -> str:
    return f"{settings.BASE_URL}/apispaces/{quote(registration.foreign_id, safe='')}/files/"


def _early_of(known: SpaceChat, url: str) -> Early | None:
    here = _files_of(known.registration)
    if not url.startswith(here):
        return None
    try:
        file_id, owner_id, extension = signing.Signer(salt=FILE_SIGNER).unsign(url.removeprefix(here)).split(".")
    except (signing.BadSignature, ValueError):  # another address, or one of a file that stands in a message
        return None
    owners = ForeignCustomer.objects.filter(registration=known.registration, customer_id=known.chat.customer_id)
    if not owners.filter(pk=owner_id).exists():
        return None
    return Early(known.center_id, UUID(owner_id), UUID(file_id), extension)


ROUTES: list[tuple[str, type[Door], str]] = [("content", Content, "content")]
