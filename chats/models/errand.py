"""What is to be told to somebody outside: the base of calls to web hooks and of messages that carriers send."""

from datetime import datetime
from typing import Any, ClassVar, TypeVar

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contactcenter.models.ids import new_id
from contactcenter.models.tenancy import own_key

Row = TypeVar("Row", bound="Errand", covariant=True)


class ErrandQuerySet(models.QuerySet[Row]):
    """`target`: the field that names to whom; errands of one target and chat are a lane."""

    def pending(self) -> "ErrandQuerySet[Row]":
        return self.filter(sent_at=None, failed_at=None)

    def in_state(self, state: str) -> "ErrandQuerySet[Row]":
        """Those whose `state` is this one."""
        match state:
            case "pending":
                return self.pending()
            case "sent":
                return self.exclude(sent_at=None)
        return self.exclude(failed_at=None)

    def due(self, now: datetime) -> "ErrandQuerySet[Row]":
        """What is to be sent by now, held back or not."""
        return self.pending().filter(due_at__lte=now).order_by("due_at")

    def free(self, now: datetime) -> "ErrandQuerySet[Row]":
        """Those that nobody is sending at the moment."""
        return self.filter(Q(leased_until=None) | Q(leased_until__lte=now))

    def heads(self, now: datetime) -> "ErrandQuerySet[Row]":
        """What may be sent now: due, nobody's at the moment, and nothing of the same chat for the same target waits before it."""
        target = self.model.target
        same: dict[str, Any] = {f"{target}_id": OuterRef(f"{target}_id"), "chat_id": OuterRef("chat_id")}
        earlier = self.model._default_manager.filter(
            sent_at=None, failed_at=None, number__lt=OuterRef("number"), **same
        )
        return self.due(now).free(now).filter(Q(chat=None) | ~Exists(earlier))


class Errand(models.Model):
    """Filed in the transaction that causes it; `number` orders those of one chat, whose row the writer has locked.

    `id` stays the same over all attempts. `number` is no cursor: numbers of different chats commit out of order.
    """

    target: ClassVar[str] = ""  # the field that names to whom

    number = models.BigAutoField(primary_key=True)
    id = models.UUIDField(unique=True, default=new_id, editable=False)
    # The database's clock at the insertion: never before the start of its transaction, which a reader's horizon relies on.
    filed_at = models.DateTimeField(_("filed"), db_default=Now(), editable=False)
    due_at = models.DateTimeField(_("due"), default=timezone.now)
    leased_until = models.DateTimeField(null=True, blank=True)
    attempts_made = models.PositiveSmallIntegerField(_("attempts"), default=0)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    failed_at = models.DateTimeField(_("given up"), null=True, blank=True)
    error = models.CharField(_("last error"), max_length=300, blank=True)

    class Meta:
        abstract = True

    @property
    def target_id(self) -> Any:
        return getattr(self, f"{self.target}_id")

    @property
    def is_done(self) -> bool:
        return self.sent_at is not None or self.failed_at is not None

    @property
    def state(self) -> str:
        """pending, sent, or failed: given up."""
        if self.sent_at is not None:
            return "sent"
        return "pending" if self.failed_at is None else "failed"


def chat_key(related_name: str) -> Any:
    """The chat among whose errands one keeps its place; empty for one that has none."""
    return own_key(
        "chats.Chat", related_name=related_name, verbose_name=_("chat"), null=True, blank=True, db_index=False
    )


def lane_indexes(model: str, target: str) -> list[models.Index]:
    """What finding the next errand of a lane, and what is due, needs."""
    pending = Q(sent_at__isnull=True, failed_at__isnull=True)
    return [
        models.Index(fields=[target, "chat", "number"], condition=pending, name=f"{model}_lane"),
        models.Index(fields=["due_at"], condition=pending, name=f"{model}_due"),
    ]
