"""Events as they go over the socket (pure): an envelope, and beside the conversation's id the chat's, for clients that know chats only."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

from chats.live.listen import to_json
from chats.protocols.comapi.names import iso
from contactcenter.models import ApiSpace, Registration

Frame = dict[str, Any]


class Frames:
    """Of one API space."""

    def __init__(self, registration: Registration, space: ApiSpace) -> None:
        self.space_id, self.account = registration.foreign_id, space.account_number

    def info(self, at: datetime) -> str:
        """The first one."""
        name = str(uuid4())
        return self._frame("socket.info", {"socketId": name}, at=iso(at), socketId=name)

    def said(self, event: Frame) -> str:
        """`event`: of said.event_shape, for conversations."""
        payload = event["payload"]
        context = payload.get("context") or {}
        author = context.get("sentBy") or f"session:{payload.get('profileId', '')}"
        own = {name: event[name] for name in ("eventId", "conversationId", "conversationEventId", "chatId")}
        return self._frame(event["name"], payload, at=event["publishedOn"], by=author, **own)

    def changed(self, what: str, shape: Frame, *, revision: int, etag: str, row_id: UUID) -> str:
        """conversation.create, .update, .delete, .undelete."""
        name = shape["id"]
        payload = {"id": name, "conversationId": name} if what == "delete" else {**shape, "conversationId": name}
        return self._frame(
            f"conversation.{what}",
            payload,
            at=shape["_updatedOn"],
            by=shape["_updatedBy"],
            eventId=str(uuid5(row_id, f"{what} {revision}")),
            conversationId=name,
            revision=revision,
            etag=etag,
        )

    def joined(self, conversation: str, profile: str, at: datetime, row_id: UUID) -> str:
        """A conversation has been made, so its owner takes part in it."""
        payload = {"conversationId": conversation, "profileId": profile, "role": "owner"}
        event_id = str(uuid5(row_id, f"joined {profile}"))
        by = f"session:{profile}"
        return self._frame(
            "conversation.participantAdded", payload, at=iso(at), by=by, eventId=event_id, conversationId=conversation
        )

    def profile(self, shape: Frame, *, revision: int, etag: str, row_id: UUID) -> str:
        event_id = str(uuid5(row_id, f"profile {revision}"))
        # The SDK reads `eTag` here, and `etag` elsewhere.
        tags = {"revision": revision, "etag": etag, "eTag": etag}
        return self._frame(
            "profile.update", shape, at=shape["_updatedOn"], by=shape["_updatedBy"], eventId=event_id, **tags
        )

    def typing(self, conversation: str, chat: str, profile: str, *, active: bool, at: datetime) -> str:
        name = "conversation.participantTyping" if active else "conversation.participantTypingOff"
        payload = {"conversationId": conversation, "chatId": chat, "profileId": profile}
        own = {"eventId": str(uuid4()), "conversationId": conversation, "chatId": chat}
        return self._frame(name, payload, at=iso(at), by=profile, **own)

    def _frame(self, name: str, payload: Frame, *, at: str | None, by: str = "system", **own: Any) -> str:
        said = {"eventId": str(uuid4()), "name": name, "apiSpaceId": self.space_id, "accountId": self.account, **own}
        context = {"createdBy": by, "createdOn": at}
        return to_json({**said, "context": context, "payload": payload, "publishedOn": at})
