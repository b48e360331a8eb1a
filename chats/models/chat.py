"""A chat: its state, its place in a queue, the heads of its log, and who takes part."""

from datetime import datetime
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from contactcenter.models.tenancy import CenterRow, addressable, center_key, own_key, same_center
from contactcenter.prepared import Prepared


class ChatQuerySet(models.QuerySet["Chat"]):
    def open(self) -> "ChatQuerySet":
        return self.exclude(state=Chat.State.CLOSED)

    def waiting(self) -> "ChatQuerySet":
        """Chats that look for an agent, the next one first."""
        return self.filter(state__in=Chat.WAITING).order_by("-priority", "queued_at", "id")

    def unsteered(self) -> "ChatQuerySet":
        """Those that their teams' routing serves: a program searches for the others (models.Search)."""
        return self.filter(search=None)

    def due(self, now: datetime) -> "ChatQuerySet":
        """Chats whose team's rules (search, reminders, closing) may want something."""
        return self.open().filter(due_at__lte=now).order_by("due_at")

    def locked(self) -> "ChatQuerySet":
        """Locked to write their log, in id order so that two writers of several chats never wait for each other."""
        return self.order_by("id").select_for_update(no_key=True, of=("self",))


class Chat(CenterRow):
    """One conversation. `position` and `index` are the heads of its log and are raised only by chats.events, with the row locked."""

    class State(models.TextChoices):
        SEARCHING = "searching", _("Searching for an agent")
        QUEUED = "queued", _("Waiting in the queue")
        ACTIVE = "active", _("With an agent")
        CLOSED = "closed", _("Closed")

    WAITING = (State.SEARCHING, State.QUEUED)

    class CloseReason(models.TextChoices):
        DONE = "done", _("Done")
        CUSTOMER_LEFT = "customer_left", _("The customer left")
        IDLE = "idle", _("Nobody wrote for too long")
        UNANSWERED = "unanswered", _("Nobody was found")
        OPERATOR = "operator", _("Closed by an administrator")

    center = center_key("chats")
    customer = own_key("chats.Customer", related_name="chats", verbose_name=_("customer"))
    channel = own_key("contactcenter.Channel", related_name="chats", verbose_name=_("channel"))
    team = own_key("contactcenter.Team", related_name="chats", verbose_name=_("team"), on_delete=models.PROTECT)
    agent = own_key(
        "agents.Agent", related_name="chats", verbose_name=_("agent"), null=True, blank=True, on_delete=models.PROTECT
    )
    state = models.CharField(_("state"), max_length=10, choices=State)
    client_id = models.CharField(
        max_length=64, help_text=_("Made by the client that started the chat; a repeat returns the same chat.")
    )
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    skills = models.JSONField(_("skills asked for"), default=list, blank=True)
    priority = models.SmallIntegerField(_("priority"), default=0, help_text=_("Higher goes first."))
    data = models.JSONField(_("custom data"), default=dict, blank=True)
    is_foreign = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Begun by a client of a foreign API: it has a ForeignChat.",
    )
    is_carried = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="What is said travels by SMS, email …: it has a Carriage, or a connector. Nobody is asked for signs of life.",
    )
    page_url = models.CharField(_("page"), max_length=2000, blank=True)
    page_title = models.CharField(_("page title"), max_length=300, blank=True)

    position = models.PositiveIntegerField(default=0, editable=False)
    index = models.PositiveIntegerField(default=0, editable=False)

    started_at = models.DateTimeField(_("started"), default=timezone.now)
    queued_at = models.DateTimeField(_("in the queue since"), null=True, blank=True)
    search_until = models.DateTimeField(_("search ends"), null=True, blank=True)
    first_accepted_at = models.DateTimeField(_("first accepted"), null=True, blank=True)
    first_answered_at = models.DateTimeField(_("first answered"), null=True, blank=True)
    last_customer_at = models.DateTimeField(_("customer last wrote"), null=True, blank=True)
    last_agent_at = models.DateTimeField(_("agent last wrote"), null=True, blank=True)
    waiting_since = models.DateTimeField(_("customer waits for an answer since"), null=True, blank=True)
    reminded_at = models.DateTimeField(_("reminded"), null=True, blank=True)
    due_at = models.DateTimeField(_("next look"), null=True, blank=True)
    pace_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="The customer's rate limit (GCRA: theoretical arrival time)."
    )
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    close_reason = models.CharField(_("why closed"), max_length=20, choices=CloseReason, blank=True)

    last_text = models.CharField(_("last line"), max_length=200, blank=True)
    last_text_at = models.DateTimeField(null=True, blank=True)
    last_sender_kind = models.CharField(max_length=10, blank=True)
    unread = models.PositiveIntegerField(
        _("unread"), default=0, help_text=_("The customer's messages that the agent has not read.")
    )

    disposition = own_key(
        "agents.Disposition",
        related_name="+",
        verbose_name=_("disposition"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )
    comment = models.TextField(_("closing comment"), blank=True)
    rating = models.PositiveSmallIntegerField(_("rating"), null=True, blank=True)
    rating_comment = models.TextField(_("customer's comment"), blank=True)

    # False where a message's look-up (models.hot) has told so beside the row: its center has no web hook, its API numbers no lines (ForeignLine).
    may_have_webhooks: bool = True
    may_be_numbered: bool = True

    objects = ChatQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at"]
        verbose_name = _("chat")
        verbose_name_plural = _("chats")
        constraints = [
            addressable("chat"),
            models.UniqueConstraint(
                fields=["customer"], condition=~Q(state="closed"), name="chat_one_open_of_customer"
            ),
            models.UniqueConstraint(fields=["customer", "client_id"], name="chat_client_id_of_customer"),
            models.CheckConstraint(condition=Q(index__lte=models.F("position")), name="chat_index_within_position"),
            models.CheckConstraint(
                condition=Q(state="active", agent__isnull=False) | ~Q(state="active"), name="chat_active_has_agent"
            ),
            models.CheckConstraint(condition=Q(state="closed") ^ Q(closed_at=None), name="chat_closed_has_time"),
            *same_center("chat", "customer", "channel", "team", "agent", "disposition"),
        ]
        indexes = [
            models.Index(
                fields=["team", "-priority", "queued_at"],
                condition=Q(state__in=["searching", "queued"]),
                name="chat_waiting",
            ),
            models.Index(fields=["due_at"], condition=~Q(state="closed"), name="chat_due"),
            models.Index(fields=["agent", "state"], name="chat_of_agent"),
            models.Index(fields=["center", "-started_at"], name="chat_newest"),
            models.Index(fields=["customer", "-started_at"], name="chat_of_customer"),
        ]

    def __str__(self) -> str:
        return self.subject or f"{self.customer}"

    @property
    def is_open(self) -> bool:
        return self.state != self.State.CLOSED

    @property
    def is_waiting(self) -> bool:
        return self.state in self.WAITING

    @cached_property
    def customer_part(self) -> "Participant":
        """The customer as a participant; asked for once."""
        part = _CUSTOMERS.first(self.pk)
        if part is None:
            raise Participant.DoesNotExist
        part.chat = self
        return part

    def part_of(self, agent_id: UUID) -> "Participant | None":
        """The agent's, also of one who wrote notes only, or has left."""
        return _AGENTS.first(self.pk, agent_id)


class ParticipantQuerySet(models.QuerySet["Participant"]):
    def guests(self) -> "ParticipantQuerySet":
        """Agents in, or asked into, a chat that is not theirs."""
        return self.filter(invited_at__isnull=False)

    def joined(self) -> "ParticipantQuerySet":
        """Those who are in the chat now."""
        return self.filter(joined_at__isnull=False, left_at=None)


class Participant(CenterRow):
    """Somebody who takes part in a chat, with cursors and (customers) a lease.

    A chat has one owner, in whose slot it sits; agents whom the owner invites are its guests and need none. Kept apart from the chat's row, so that heartbeats and read marks never wait for the log.
    """

    class Kind(models.TextChoices):
        CUSTOMER = "customer", _("Customer")
        AGENT = "agent", _("Agent")
        BOT = "bot", _("Bot")

    center = center_key("participants")
    chat = own_key("chats.Chat", related_name="participants")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    agent = own_key("agents.Agent", related_name="participations", null=True, blank=True, on_delete=models.PROTECT)
    name = models.CharField(_("name"), max_length=100, blank=True)
    joined_at = models.DateTimeField(
        _("joined"), null=True, blank=True, help_text=_("Empty: wrote notes, took no part.")
    )
    left_at = models.DateTimeField(_("left"), null=True, blank=True)
    invited_at = models.DateTimeField(
        _("invited as a guest"),
        null=True,
        blank=True,
        help_text=_("Empty for the chat's own agent, and when the guest has declined or left."),
    )
    read_index = models.PositiveIntegerField(default=0)
    delivered_index = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(_("client seen until"), null=True, blank=True)

    objects = ParticipantQuerySet.as_manager()

    class Meta:
        verbose_name = _("participant")
        verbose_name_plural = _("participants")
        constraints = [
            models.UniqueConstraint(fields=["chat", "agent"], name="participant_agent_once"),
            models.UniqueConstraint(fields=["chat"], condition=Q(kind="customer"), name="participant_one_customer"),
            models.CheckConstraint(
                condition=Q(kind="customer") ^ Q(agent__isnull=False), name="participant_agent_or_customer"
            ),
            addressable("participant"),
            *same_center("participant", "chat", "agent"),
        ]
        indexes = [
            models.Index(fields=["agent"], condition=Q(invited_at__isnull=False), name="participant_guest"),
        ]

    def __str__(self) -> str:
        return self.name or self.get_kind_display()

    @property
    def is_guest(self) -> bool:
        """In the chat beside its owner."""
        return self.invited_at is not None and self.joined_at is not None and self.left_at is None

    @property
    def is_asked(self) -> bool:
        """Invited as a guest, and has not answered yet."""
        return self.invited_at is not None and not self.is_guest


_CUSTOMERS = Prepared(lambda chat: Participant.objects.filter(chat=chat, kind=Participant.Kind.CUSTOMER))
_AGENTS = Prepared(lambda chat, agent: Participant.objects.filter(chat=chat, agent=agent))
