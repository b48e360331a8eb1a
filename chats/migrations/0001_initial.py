import chats.models.attachment
import contactcenter.models.ids
import contactcenter.models.tenancy
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("agents", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Customer",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=contactcenter.models.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "center",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="customers",
                        to="contactcenter.contactcenter",
                        verbose_name="contact center",
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=100, verbose_name="name")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="email")),
                ("phone", models.CharField(blank=True, max_length=32, verbose_name="phone")),
                ("language", models.CharField(blank=True, max_length=10, verbose_name="language")),
                ("time_zone", models.CharField(blank=True, max_length=64, verbose_name="time zone")),
                (
                    "external_id",
                    models.CharField(
                        blank=True, max_length=200, null=True, verbose_name="id in the center's own systems"
                    ),
                ),
                (
                    "is_identified",
                    models.BooleanField(
                        default=False,
                        help_text="The center's own server vouched for the id.",
                        verbose_name="identified",
                    ),
                ),
                ("data", models.JSONField(blank=True, default=dict, verbose_name="custom data")),
                ("notes", models.TextField(blank=True, max_length=10000, verbose_name="notes")),
                ("is_blocked", models.BooleanField(default=False, verbose_name="blocked")),
                (
                    "blocked_until",
                    models.DateTimeField(
                        blank=True, help_text="Empty = for good.", null=True, verbose_name="blocked until"
                    ),
                ),
                ("block_reason", models.CharField(blank=True, max_length=200, verbose_name="why")),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="merged",
                        to="chats.customer",
                        verbose_name="merged into",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="created"),
                ),
                ("last_seen_at", models.DateTimeField(blank=True, null=True, verbose_name="last seen")),
            ],
            options={
                "verbose_name": "customer",
                "verbose_name_plural": "customers",
                "ordering": ["-created_at"],
                "indexes": [
                    models.Index(fields=["center", "email"], name="customer_email"),
                    models.Index(fields=["center", "-created_at"], name="customer_newest"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("center", "id"), name="customer_center_id"),
                    models.UniqueConstraint(fields=("center", "external_id"), name="customer_external_id_in_center"),
                    contactcenter.models.tenancy.SameCenter(
                        field="merged_into", name="customer_merged_into_same_center"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CustomerSession",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=contactcenter.models.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "center",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="customer_sessions",
                        to="contactcenter.contactcenter",
                        verbose_name="contact center",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to="chats.customer",
                        verbose_name="customer",
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to="contactcenter.channel",
                        verbose_name="channel",
                    ),
                ),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="created")),
                ("expires_at", models.DateTimeField(db_index=True, verbose_name="expires")),
            ],
            options={
                "verbose_name": "customer session",
                "verbose_name_plural": "customer sessions",
                "constraints": [
                    contactcenter.models.tenancy.SameCenter(
                        field="customer", name="customersession_customer_same_center"
                    ),
                    contactcenter.models.tenancy.SameCenter(
                        field="channel", name="customersession_channel_same_center"
                    ),
                ],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="Chat",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=contactcenter.models.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "center",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="chats",
                        to="contactcenter.contactcenter",
                        verbose_name="contact center",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="chats",
                        to="chats.customer",
                        verbose_name="customer",
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="chats",
                        to="contactcenter.channel",
                        verbose_name="channel",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chats",
                        to="contactcenter.team",
                        verbose_name="team",
                    ),
                ),
                (
                    "agent",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chats",
                        to="agents.agent",
                        verbose_name="agent",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("searching", "Searching for an agent"),
                            ("queued", "Waiting in the queue"),
                            ("active", "With an agent"),
                            ("closed", "Closed"),
                        ],
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "client_id",
                    models.CharField(
                        help_text="Made by the client that started the chat; a repeat returns the same chat.",
                        max_length=64,
                    ),
                ),
                ("subject", models.CharField(blank=True, max_length=200, verbose_name="subject")),
                ("language", models.CharField(blank=True, max_length=10, verbose_name="language")),
                ("skills", models.JSONField(blank=True, default=list, verbose_name="skills asked for")),
                (
                    "priority",
                    models.SmallIntegerField(default=0, help_text="Higher goes first.", verbose_name="priority"),
                ),
                ("data", models.JSONField(blank=True, default=dict, verbose_name="custom data")),
                ("page_url", models.CharField(blank=True, max_length=2000, verbose_name="page")),
                ("page_title", models.CharField(blank=True, max_length=300, verbose_name="page title")),
                ("position", models.PositiveIntegerField(default=0, editable=False)),
                ("index", models.PositiveIntegerField(default=0, editable=False)),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="started")),
                ("queued_at", models.DateTimeField(blank=True, null=True, verbose_name="in the queue since")),
                ("search_until", models.DateTimeField(blank=True, null=True, verbose_name="search ends")),
                ("first_accepted_at", models.DateTimeField(blank=True, null=True, verbose_name="first accepted")),
                ("first_answered_at", models.DateTimeField(blank=True, null=True, verbose_name="first answered")),
                ("last_customer_at", models.DateTimeField(blank=True, null=True, verbose_name="customer last wrote")),
                ("last_agent_at", models.DateTimeField(blank=True, null=True, verbose_name="agent last wrote")),
                (
                    "waiting_since",
                    models.DateTimeField(blank=True, null=True, verbose_name="customer waits for an answer since"),
                ),
                ("reminded_at", models.DateTimeField(blank=True, null=True, verbose_name="reminded")),
                ("due_at", models.DateTimeField(blank=True, null=True, verbose_name="next look")),
                (
                    "pace_at",
                    models.DateTimeField(
                        blank=True,
                        editable=False,
                        help_text="The customer's rate limit (GCRA: theoretical arrival time).",
                        null=True,
                    ),
                ),
                ("closed_at", models.DateTimeField(blank=True, null=True, verbose_name="closed")),
                (
                    "close_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("done", "Done"),
                            ("customer_left", "The customer left"),
                            ("idle", "Nobody wrote for too long"),
                            ("unanswered", "Nobody was found"),
                            ("operator", "Closed by an administrator"),
                        ],
                        max_length=20,
                        verbose_name="why closed",
                    ),
                ),
                ("last_text", models.CharField(blank=True, max_length=200, verbose_name="last line")),
                ("last_text_at", models.DateTimeField(blank=True, null=True)),
                ("last_sender_kind", models.CharField(blank=True, max_length=10)),
                (
                    "unread",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="The customer's messages that the agent has not read.",
                        verbose_name="unread",
                    ),
                ),
                (
                    "disposition",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="agents.disposition",
                        verbose_name="disposition",
                    ),
                ),
                ("comment", models.TextField(blank=True, verbose_name="closing comment")),
                ("rating", models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="rating")),
                ("rating_comment", models.TextField(blank=True, verbose_name="customer's comment")),
            ],
            options={
                "verbose_name": "chat",
                "verbose_name_plural": "chats",
                "ordering": ["-started_at"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["searching", "queued"])),
                        fields=["team", "-priority", "queued_at"],
                        name="chat_waiting",
                    ),
                    models.Index(
                        condition=models.Q(("state", "closed"), _negated=True), fields=["due_at"], name="chat_due"
                    ),
                    models.Index(fields=["agent", "state"], name="chat_of_agent"),
                    models.Index(fields=["center", "-started_at"], name="chat_newest"),
                    models.Index(fields=["customer", "-started_at"], name="chat_of_customer"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("center", "id"), name="chat_center_id"),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "closed"), _negated=True),
                        fields=("customer",),
                        name="chat_one_open_of_customer",
                    ),
                    models.UniqueConstraint(fields=("customer", "client_id"), name="chat_client_id_of_customer"),
                    models.CheckConstraint(
                        condition=models.Q(("index__lte", models.F("position"))), name="chat_index_within_position"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("agent__isnull", False), ("state", "active")),
                            models.Q(("state", "active"), _negated=True),
                            _connector="OR",
                        ),
                        name="chat_active_has_agent",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state", "closed"), ("closed_at", None), _connector="XOR"),
                        name="chat_closed_has_time",
                    ),
                    contactcenter.models.tenancy.SameCenter(field="customer", name="chat_customer_same_center"),
                    contactcenter.models.tenancy.SameCenter(field="channel", name="chat_channel_same_center"),
                    contactcenter.models.tenancy.SameCenter(field="team", name="chat_team_same_center"),
                    contactcenter.models.tenancy.SameCenter(field="agent", name="chat_agent_same_center"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Participant",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=contactcenter.models.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "center",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="participants",
                        to="contactcenter.contactcenter",
                        verbose_name="contact center",
                    ),
                ),
                (
                    "chat",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="participants",
                        to="chats.chat",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("customer", "Customer"), ("agent", "Agent"), ("bot", "Bot")],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                (
                    "agent",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="participations",
                        to="agents.agent",
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=100, verbose_name="name")),
                (
                    "joined_at",
                    models.DateTimeField(
                        blank=True, help_text="Empty: wrote notes, took no part.", null=True, verbose_name="joined"
                    ),
                ),
                ("left_at", models.DateTimeField(blank=True, null=True, verbose_name="left")),
                ("read_index", models.PositiveIntegerField(default=0)),
                ("delivered_index", models.PositiveIntegerField(default=0)),
                ("lease_until", models.DateTimeField(blank=True, null=True, verbose_name="client seen until")),
            ],
            options={
                "verbose_name": "participant",
                "verbose_name_plural": "participants",
                "constraints": [
                    models.UniqueConstraint(fields=("chat", "agent"), name="participant_agent_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "customer")), fields=("chat",), name="participant_one_customer"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind", "customer"), ("agent__isnull", False), _connector="XOR"),
                        name="participant_agent_or_customer",
                    ),
                    models.UniqueConstraint(fields=("center", "id"), name="participant_center_id"),
                    contactcenter.models.tenancy.SameCenter(field="chat", name="participant_chat_same_center"),
                    contactcenter.models.tenancy.SameCenter(field="agent", name="participant_agent_same_center"),
                ],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "chat_id", "position", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "center",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="contactcenter.contactcenter",
                        verbose_name="contact center",
                    ),
                ),
                (
                    "chat",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="chats.chat",
                    ),
                ),
                ("position", models.PositiveIntegerField()),
                ("index", models.PositiveIntegerField(null=True)),
                ("type", models.CharField(max_length=30)),
                (
                    "sender",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="chats.participant",
                    ),
                ),
                ("sender_kind", models.CharField(default="system", max_length=10)),
                ("sender_name", models.CharField(blank=True, max_length=100)),
                ("client_id", models.CharField(max_length=64, null=True)),
                ("text", models.TextField(blank=True)),
                ("data", models.JSONField(default=dict)),
                ("at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "event",
                "verbose_name_plural": "events",
                "ordering": ["chat", "position"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("index__isnull", False)),
                        fields=("chat", "index"),
                        name="event_index_of_chat",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("client_id__isnull", False)),
                        fields=("chat", "sender", "client_id"),
                        name="event_client_id_of_sender",
                    ),
                    contactcenter.models.tenancy.SameCenter(field="chat", name="event_chat_same_center"),
                    contactcenter.models.tenancy.SameCenter(field="sender", name="event_sender_same_center"),
                ],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="Invitation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=contactcenter.models.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "center",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="invitations",
                        to="contactcenter.contactcenter",
                        verbose_name="contact center",
                    ),
                ),
                (
                    "chat",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="invitations",
                        to="chats.chat",
                        verbose_name="chat",
                    ),
                ),
                (
                    "agent",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="invitations",
                        to="agents.agent",
                        verbose_name="agent",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="invitations",
                        to="contactcenter.team",
                        verbose_name="team",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("accepted", "Accepted"),
                            ("declined", "Declined"),
                            ("expired", "Not answered in time"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="pending",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=50, verbose_name="why this agent")),
                ("offered_at", models.DateTimeField(verbose_name="offered")),
                ("expires_at", models.DateTimeField(verbose_name="expires")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended")),
            ],
            options={
                "verbose_name": "invitation",
                "verbose_name_plural": "invitations",
                "ordering": ["-offered_at"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "pending")), fields=["expires_at"], name="invitation_overdue"
                    ),
                    models.Index(fields=["chat", "-offered_at"], name="invitation_of_chat"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("center", "id"), name="invitation_center_id"),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "pending")),
                        fields=("chat",),
                        name="invitation_one_pending_of_chat",
                    ),
                    contactcenter.models.tenancy.SameCenter(field="chat", name="invitation_chat_same_center"),
                    contactcenter.models.tenancy.SameCenter(field="agent", name="invitation_agent_same_center"),
                    contactcenter.models.tenancy.SameCenter(field="team", name="invitation_team_same_center"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Occupation",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=contactcenter.models.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "center",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="occupations",
                        to="contactcenter.contactcenter",
                        verbose_name="contact center",
                    ),
                ),
                (
                    "slot",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="occupation",
                        to="agents.slot",
                        verbose_name="slot",
                    ),
                ),
                (
                    "chat",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="occupation",
                        to="chats.chat",
                        verbose_name="chat",
                    ),
                ),
                (
                    "agent",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="occupations",
                        to="agents.agent",
                        verbose_name="agent",
                    ),
                ),
                (
                    "invitation",
                    models.OneToOneField(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="occupation",
                        to="chats.invitation",
                        verbose_name="invitation",
                    ),
                ),
                ("since", models.DateTimeField(verbose_name="since")),
            ],
            options={
                "verbose_name": "occupied slot",
                "verbose_name_plural": "occupied slots",
                "constraints": [
                    contactcenter.models.tenancy.SameCenter(field="slot", name="occupation_slot_same_center"),
                    contactcenter.models.tenancy.SameCenter(field="chat", name="occupation_chat_same_center"),
                    contactcenter.models.tenancy.SameCenter(field="agent", name="occupation_agent_same_center"),
                    contactcenter.models.tenancy.SameCenter(
                        field="invitation", name="occupation_invitation_same_center"
                    ),
                ],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="Queue",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=contactcenter.models.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "center",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="queues",
                        to="contactcenter.contactcenter",
                        verbose_name="contact center",
                    ),
                ),
                (
                    "team",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="queue",
                        to="contactcenter.team",
                        verbose_name="team",
                    ),
                ),
                ("routing_due_at", models.DateTimeField(blank=True, null=True, verbose_name="to be routed at")),
                (
                    "seconds_per_chat",
                    models.FloatField(
                        blank=True,
                        help_text="A moving average.",
                        null=True,
                        verbose_name="seconds until one place in the queue moves on",
                    ),
                ),
                ("moved_at", models.DateTimeField(blank=True, null=True, verbose_name="last moved on")),
            ],
            options={
                "verbose_name": "queue",
                "verbose_name_plural": "queues",
                "indexes": [models.Index(fields=["routing_due_at"], name="queue_due")],
                "constraints": [contactcenter.models.tenancy.SameCenter(field="team", name="queue_team_same_center")],
            },
        ),
        migrations.CreateModel(
            name="Attachment",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=contactcenter.models.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "center",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attachments",
                        to="contactcenter.contactcenter",
                        verbose_name="contact center",
                    ),
                ),
                (
                    "chat",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attachments",
                        to="chats.chat",
                        verbose_name="chat",
                    ),
                ),
                (
                    "uploader",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attachments",
                        to="chats.participant",
                        verbose_name="uploaded by",
                    ),
                ),
                (
                    "position",
                    models.PositiveIntegerField(
                        blank=True, help_text="Of the event that carries it; empty until it is sent.", null=True
                    ),
                ),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                ("size", models.PositiveIntegerField(verbose_name="size (bytes)")),
                ("content_type", models.CharField(max_length=100, verbose_name="type")),
                ("width", models.PositiveIntegerField(blank=True, null=True)),
                ("height", models.PositiveIntegerField(blank=True, null=True)),
                ("file", models.FileField(upload_to=chats.models.attachment.storage_name)),
                ("thumbnail", models.FileField(blank=True, upload_to=chats.models.attachment.storage_name)),
                ("uploaded_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="uploaded")),
            ],
            options={
                "verbose_name": "attachment",
                "verbose_name_plural": "attachments",
                "constraints": [
                    contactcenter.models.tenancy.SameCenter(field="chat", name="attachment_chat_same_center"),
                    contactcenter.models.tenancy.SameCenter(field="uploader", name="attachment_uploader_same_center"),
                ],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="TranscriptRequest",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=contactcenter.models.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "center",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="transcript_requests",
                        to="contactcenter.contactcenter",
                        verbose_name="contact center",
                    ),
                ),
                (
                    "chat",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="transcript_requests",
                        to="chats.chat",
                        verbose_name="chat",
                    ),
                ),
                ("email", models.EmailField(max_length=254, verbose_name="to")),
                ("language", models.CharField(blank=True, max_length=10)),
                ("requested_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="requested")),
                ("due_at", models.DateTimeField(blank=True, db_index=True, null=True, verbose_name="due")),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="sent")),
                ("failed_at", models.DateTimeField(blank=True, null=True, verbose_name="given up")),
                ("error", models.CharField(blank=True, max_length=300, verbose_name="last error")),
            ],
            options={
                "verbose_name": "transcript by mail",
                "verbose_name_plural": "transcripts by mail",
                "ordering": ["-requested_at"],
                "constraints": [
                    models.UniqueConstraint(fields=("chat", "email"), name="transcriptrequest_once"),
                    contactcenter.models.tenancy.SameCenter(field="chat", name="transcriptrequest_chat_same_center"),
                ],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="OfflineMessage",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=contactcenter.models.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "center",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="offline_messages",
                        to="contactcenter.contactcenter",
                        verbose_name="contact center",
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="offline_messages",
                        to="contactcenter.channel",
                        verbose_name="channel",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="offline_messages",
                        to="contactcenter.team",
                        verbose_name="team",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="offline_messages",
                        to="chats.customer",
                        verbose_name="customer",
                    ),
                ),
                ("client_id", models.CharField(max_length=64)),
                ("name", models.CharField(blank=True, max_length=100, verbose_name="name")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="email")),
                ("phone", models.CharField(blank=True, max_length=32, verbose_name="phone")),
                ("text", models.TextField(max_length=10000, verbose_name="message")),
                ("page_url", models.CharField(blank=True, max_length=2000, verbose_name="page")),
                ("left_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="left")),
                ("handled_at", models.DateTimeField(blank=True, null=True, verbose_name="handled")),
                (
                    "handled_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="agents.agent",
                        verbose_name="handled by",
                    ),
                ),
            ],
            options={
                "verbose_name": "offline message",
                "verbose_name_plural": "offline messages",
                "ordering": ["-left_at"],
                "constraints": [
                    models.UniqueConstraint(fields=("customer", "client_id"), name="offlinemessage_once"),
                    contactcenter.models.tenancy.SameCenter(field="channel", name="offlinemessage_channel_same_center"),
                    contactcenter.models.tenancy.SameCenter(field="team", name="offlinemessage_team_same_center"),
                    contactcenter.models.tenancy.SameCenter(
                        field="customer", name="offlinemessage_customer_same_center"
                    ),
                    contactcenter.models.tenancy.SameCenter(
                        field="handled_by", name="offlinemessage_handled_by_same_center"
                    ),
                ],
                "indexes": [],
            },
        ),
    ]
