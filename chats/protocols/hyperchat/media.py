"""Files: taken in as messages of their own, listed, given out so that nothing in them can run."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db.models import Exists, OuterRef, QuerySet
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from chats.actions.post import Post
from chats.doors.storing import store_post
from chats.doors.throttles import UPLOADS_BY_CUSTOMER, count
from chats.errors import Forbidden, NotFound
from chats.files.kinds import WrongKind
from chats.files.serve import serve_attachment
from chats.files.store import store_attachment
from chats.models import Attachment, Chat

from .asked_messages import MediaQuery, Upload
from .callers import SERVER, USER_OR_SERVER
from .door import Door
from .reach import Reach, as_id, part_in
from .shapes import sender_id

REFUSED = "File type is not allowed"  # compared by clients


class Media(Door):
    access = {"GET": SERVER, "POST": USER_OR_SERVER}

    def get(self, request: Request) -> Response:
        query = self.read(MediaQuery, self.query())
        return Response({"media": [_shape(file, file.chat) for file in _chosen(self.reach, query)]})

    def post(self, request: Request) -> Response:
        return Response({"media": send_file(self.reach, self.read(Upload), self.now)})


class OneMedia(Door):
    """Pages put its address into a picture's tag: with the keys in the query."""

    access = {"GET": USER_OR_SERVER}

    def get(self, request: Request, row_id: str) -> HttpResponseBase:
        file_id = as_id(row_id)
        file = sent_files(self.reach).filter(pk=file_id).first() if file_id else None
        if file is None:
            raise NotFound
        response = serve_attachment(file)
        # Programs want the type. It is what we sniffed, and everything but pictures stays something to save.
        response["Content-Type"] = file.content_type
        return response


def send_file(reach: Reach, said: dict[str, Any], now: datetime) -> dict[str, Any]:
    """`said`: of asked_messages.Upload. The file is kept and becomes a message at once.

    Raises NotFound, Forbidden (also for kinds that are not taken), Closed, TooMany, TooLarge, Invalid.
    """
    chat = reach.chat(said["chatId"])
    sender = part_in(chat, reach.acting(said.get("senderId")))
    if sender.agent_id is None:
        count(UPLOADS_BY_CUSTOMER, str(chat.customer_id))
    elif chat.agent_id != sender.agent_id:
        raise Forbidden("This agent does not have the chat")
    try:
        file = store_attachment(chat, sender, said["media"], now)
    except WrongKind:
        raise Forbidden(REFUSED) from None
    store_post(Post(chat.pk, sender.pk, uuid4().hex, "", (file.pk,)), now)
    return _shape(file, chat)


def sent_files(reach: Reach) -> "QuerySet[Attachment]":
    """Files that stand in messages of chats in reach: not those of notes, and not those that nobody has sent."""
    in_message = Chat.objects.filter(
        pk=OuterRef("chat_id"), events__position=OuterRef("position"), events__index__isnull=False
    )
    files = Attachment.objects.filter(Exists(in_message), chat__in=reach.chats().values("pk"))
    return files.select_related("uploader")


def _chosen(reach: Reach, query: dict[str, Any]) -> "QuerySet[Attachment]":
    """One page, newest first."""
    files = sent_files(reach).prefetch_related("chat").order_by("-uploaded_at", "-pk")
    if query.get("chatId"):
        chat_id = as_id(query["chatId"])
        files = files.filter(chat_id=chat_id) if chat_id else files.none()
    start = (query["page"] - 1) * query["limit"]
    return files[start : start + query["limit"]]


def _shape(file: Attachment, chat: Chat) -> dict[str, Any]:
    return {"id": str(file.pk), "name": file.name, "size": file.size, "senderId": sender_id(file.uploader, chat)}
