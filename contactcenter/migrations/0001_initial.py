import contactcenter.models.channel
import contactcenter.models.ids
import contactcenter.models.tenancy
import django.contrib.auth.models
import django.contrib.auth.validators
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="Installation",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                (
                    "epoch",
                    models.UUIDField(
                        default=uuid.uuid4,
                        help_text="Changes when the database is restored from a backup.",
                        verbose_name="epoch",
                    ),
                ),
                (
                    "canary_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="last sign of life of the workers"),
                ),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="installation_is_one_row")],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="ContactCenter",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=contactcenter.models.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "slug",
                    models.SlugField(
                        help_text="Used in addresses; letters, digits and hyphens.",
                        unique=True,
                        verbose_name="short name",
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "host",
                    models.CharField(
                        blank=True,
                        help_text="Requests to this host belong to this center.",
                        max_length=253,
                        null=True,
                        unique=True,
                        verbose_name="host name",
                    ),
                ),
                ("time_zone", models.CharField(default="UTC", max_length=64, verbose_name="time zone")),
                ("language", models.CharField(default="en", max_length=10, verbose_name="language")),
                (
                    "accent",
                    models.CharField(
                        default="#2f6fed",
                        max_length=7,
                        validators=[django.core.validators.RegexValidator("^#[0-9a-fA-F]{6}$", "A colour as #rrggbb.")],
                        verbose_name="accent colour",
                    ),
                ),
                ("logo", models.ImageField(blank=True, upload_to="logos/", verbose_name="logo")),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="created"),
                ),
            ],
            options={
                "verbose_name": "contact center",
                "verbose_name_plural": "contact centers",
                "ordering": ["name"],
                "indexes": [],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                (
                    "username",
                    models.CharField(
                        error_messages={"unique": "A user with that username already exists."},
                        help_text="Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.",
                        max_length=150,
                        unique=True,
                        validators=[django.contrib.auth.validators.UnicodeUsernameValidator()],
                        verbose_name="username",
                    ),
                ),
                ("first_name", models.CharField(blank=True, max_length=150, verbose_name="first name")),
                ("last_name", models.CharField(blank=True, max_length=150, verbose_name="last name")),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="email address")),
                (
                    "is_staff",
                    models.BooleanField(
                        default=False,
                        help_text="Designates whether the user can log into this admin site.",
                        verbose_name="staff status",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        default=True,
                        help_text="Designates whether this user should be treated as active. Unselect this instead of deleting accounts.",
                        verbose_name="active",
                    ),
                ),
                ("date_joined", models.DateTimeField(default=django.utils.timezone.now, verbose_name="date joined")),
                (
                    "id",
                    models.UUIDField(
                        default=contactcenter.models.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "session_version",
                    models.PositiveIntegerField(
                        default=1,
                        editable=False,
                        help_text="Raised to end all sessions and sockets.",
                        verbose_name="session version",
                    ),
                ),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "verbose_name": "user",
                "verbose_name_plural": "users",
                "abstract": False,
                "swappable": "AUTH_USER_MODEL",
                "indexes": [],
                "constraints": [],
            },
            managers=[
                ("objects", django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name="ApplicationPassword",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=contactcenter.models.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="application_passwords",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                ("name", models.CharField(help_text="Which program uses it.", max_length=100, verbose_name="name")),
                ("secret_hash", models.CharField(editable=False, max_length=64, unique=True)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="created"),
                ),
                ("last_used_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="last used")),
            ],
            options={
                "verbose_name": "application password",
                "verbose_name_plural": "application passwords",
                "ordering": ["created_at"],
                "indexes": [],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="Team",
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
                        related_name="teams",
                        to="contactcenter.contactcenter",
                        verbose_name="contact center",
                    ),
                ),
                (
                    "key",
                    models.SlugField(
                        help_text="Used by programs; stays when the name changes.", max_length=64, verbose_name="key"
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                (
                    "is_default",
                    models.BooleanField(
                        default=False, help_text="Takes chats that name no team.", verbose_name="default team"
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("queue", "Queue: customers wait in line and see their position"),
                            ("direct", "Direct: search for an agent for a limited time"),
                        ],
                        default="queue",
                        max_length=10,
                        verbose_name="mode",
                    ),
                ),
                (
                    "strategy",
                    models.CharField(
                        choices=[
                            ("most_free_slots", "Most free slots"),
                            ("longest_idle", "Longest idle"),
                            ("round_robin", "Round robin"),
                        ],
                        default="most_free_slots",
                        max_length=20,
                        verbose_name="who gets the next chat",
                    ),
                ),
                (
                    "languages",
                    models.JSONField(
                        blank=True, default=list, help_text="Language codes; empty = all.", verbose_name="languages"
                    ),
                ),
                ("always_open", models.BooleanField(default=True, verbose_name="open around the clock")),
                (
                    "time_zone",
                    models.CharField(
                        blank=True, help_text="Empty = the center's.", max_length=64, verbose_name="time zone"
                    ),
                ),
                (
                    "search_seconds",
                    models.PositiveIntegerField(
                        default=60,
                        help_text="Direct mode: how long to look for somebody.",
                        verbose_name="search for an agent (s)",
                    ),
                ),
                (
                    "on_nobody",
                    models.CharField(
                        choices=[
                            ("close", "say so and close the chat"),
                            ("search_again", "say so and let the customer search again"),
                        ],
                        default="search_again",
                        max_length=20,
                        verbose_name="when nobody is found",
                    ),
                ),
                (
                    "invitation_seconds",
                    models.PositiveIntegerField(
                        default=30,
                        validators=[
                            django.core.validators.MinValueValidator(5),
                            django.core.validators.MaxValueValidator(600),
                        ],
                        verbose_name="invitation lasts (s)",
                    ),
                ),
                (
                    "target_seconds",
                    models.PositiveIntegerField(default=60, verbose_name="target for the first answer (s)"),
                ),
                (
                    "grace_seconds",
                    models.PositiveIntegerField(
                        default=60,
                        help_text="After this time without the agent's client, an open chat is offered again.",
                        verbose_name="grace for a lost agent (s)",
                    ),
                ),
                (
                    "away_reminder_seconds",
                    models.PositiveIntegerField(default=60, verbose_name="remind a customer who left after (s)"),
                ),
                (
                    "away_close_seconds",
                    models.PositiveIntegerField(default=300, verbose_name="close when the customer stays away for (s)"),
                ),
                (
                    "idle_reminder_seconds",
                    models.PositiveIntegerField(default=300, verbose_name="remind a silent customer after (s)"),
                ),
                (
                    "idle_close_seconds",
                    models.PositiveIntegerField(default=900, verbose_name="close a silent chat after (s)"),
                ),
                (
                    "greeting",
                    models.TextField(blank=True, help_text="Sent when a chat starts.", verbose_name="greeting"),
                ),
                ("reminder", models.TextField(blank=True, default="Are you still there?", verbose_name="reminder")),
                ("closing", models.TextField(blank=True, verbose_name="closing words")),
            ],
            options={
                "verbose_name": "team",
                "verbose_name_plural": "teams",
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(fields=("center", "id"), name="team_center_id"),
                    models.UniqueConstraint(fields=("center", "key"), name="team_key_in_center"),
                    models.UniqueConstraint(
                        condition=models.Q(("is_default", True)), fields=("center",), name="team_one_default_in_center"
                    ),
                ],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="OpeningHours",
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
                        related_name="opening_hours",
                        to="contactcenter.contactcenter",
                        verbose_name="contact center",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="opening_hours",
                        to="contactcenter.team",
                        verbose_name="team",
                    ),
                ),
                (
                    "weekday",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (0, "Monday"),
                            (1, "Tuesday"),
                            (2, "Wednesday"),
                            (3, "Thursday"),
                            (4, "Friday"),
                            (5, "Saturday"),
                            (6, "Sunday"),
                        ],
                        verbose_name="weekday",
                    ),
                ),
                ("opens", models.TimeField(verbose_name="opens")),
                ("closes", models.TimeField(help_text="00:00 = the end of the day.", verbose_name="closes")),
            ],
            options={
                "verbose_name": "opening hours",
                "verbose_name_plural": "opening hours",
                "ordering": ["team", "weekday", "opens"],
                "constraints": [
                    contactcenter.models.tenancy.SameCenter(field="team", name="openinghours_team_same_center")
                ],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="Holiday",
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
                        related_name="holidays",
                        to="contactcenter.contactcenter",
                        verbose_name="contact center",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        help_text="Empty = all teams.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="holidays",
                        to="contactcenter.team",
                        verbose_name="team",
                    ),
                ),
                ("date", models.DateField(verbose_name="date")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
            ],
            options={
                "verbose_name": "holiday",
                "verbose_name_plural": "holidays",
                "ordering": ["date"],
                "constraints": [contactcenter.models.tenancy.SameCenter(field="team", name="holiday_team_same_center")],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="Channel",
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
                        related_name="channels",
                        to="contactcenter.contactcenter",
                        verbose_name="contact center",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("web", "Website widget"),
                            ("app", "App"),
                            ("sms", "SMS"),
                            ("email", "Email"),
                            ("facebook", "Facebook"),
                            ("api", "API"),
                        ],
                        default="web",
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "key",
                    models.CharField(
                        default=contactcenter.models.channel.new_public_key,
                        max_length=64,
                        unique=True,
                        verbose_name="public key",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        help_text="Empty = the customer's choice, else the default team.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="channels",
                        to="contactcenter.team",
                        verbose_name="team",
                    ),
                ),
                (
                    "allowed_origins",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Sites that may show the widget, such as https://www.example.com",
                        verbose_name="allowed origins",
                    ),
                ),
                (
                    "identity_secret",
                    models.CharField(
                        default=contactcenter.models.channel.new_identity_secret,
                        help_text="Your site's server signs its customers' ids with it.",
                        max_length=64,
                        verbose_name="identity secret",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="created"),
                ),
            ],
            options={
                "verbose_name": "channel",
                "verbose_name_plural": "channels",
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(fields=("center", "id"), name="channel_center_id"),
                    contactcenter.models.tenancy.SameCenter(field="team", name="channel_team_same_center"),
                ],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="WidgetSettings",
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
                        related_name="widget_settings",
                        to="contactcenter.contactcenter",
                        verbose_name="contact center",
                    ),
                ),
                (
                    "channel",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="widget",
                        to="contactcenter.channel",
                        verbose_name="channel",
                    ),
                ),
                ("title", models.CharField(blank=True, max_length=60, verbose_name="title")),
                (
                    "greeting",
                    models.CharField(
                        blank=True,
                        help_text="A bubble beside the launcher; empty = none.",
                        max_length=200,
                        verbose_name="greeting",
                    ),
                ),
                (
                    "accent",
                    models.CharField(
                        blank=True,
                        help_text="Empty = the center's.",
                        max_length=7,
                        validators=[django.core.validators.RegexValidator("^#[0-9a-fA-F]{6}$", "A colour as #rrggbb.")],
                        verbose_name="accent colour",
                    ),
                ),
                (
                    "side",
                    models.CharField(
                        choices=[("end", "End (right in English)"), ("start", "Start (left in English)")],
                        default="end",
                        max_length=5,
                        verbose_name="side",
                    ),
                ),
                (
                    "languages",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Language codes; empty = all that we speak.",
                        verbose_name="languages",
                    ),
                ),
                ("ask_team", models.BooleanField(default=False, verbose_name="let customers choose a team")),
                ("offline_form", models.BooleanField(default=True, verbose_name="take messages outside opening hours")),
                ("survey", models.BooleanField(default=True, verbose_name="ask for a rating after the end")),
                ("uploads", models.BooleanField(default=True, verbose_name="customers may send files")),
            ],
            options={
                "verbose_name": "widget settings",
                "verbose_name_plural": "widget settings",
                "constraints": [
                    contactcenter.models.tenancy.SameCenter(field="channel", name="widgetsettings_channel_same_center")
                ],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="FormField",
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
                        related_name="form_fields",
                        to="contactcenter.contactcenter",
                        verbose_name="contact center",
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="form_fields",
                        to="contactcenter.channel",
                        verbose_name="channel",
                    ),
                ),
                ("key", models.SlugField(max_length=40, verbose_name="key")),
                ("label", models.CharField(max_length=100, verbose_name="label")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("text", "Text"),
                            ("email", "Email"),
                            ("phone", "Phone"),
                            ("select", "Choice"),
                            ("textarea", "Long text"),
                        ],
                        default="text",
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("options", models.JSONField(blank=True, default=list, verbose_name="choices")),
                ("is_required", models.BooleanField(default=False, verbose_name="required")),
                ("order", models.PositiveSmallIntegerField(default=0, verbose_name="order")),
            ],
            options={
                "verbose_name": "form field",
                "verbose_name_plural": "form fields",
                "ordering": ["channel", "order"],
                "constraints": [
                    models.UniqueConstraint(fields=("channel", "key"), name="formfield_key_in_channel"),
                    contactcenter.models.tenancy.SameCenter(field="channel", name="formfield_channel_same_center"),
                ],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="Application",
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
                        related_name="applications",
                        to="contactcenter.contactcenter",
                        verbose_name="contact center",
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "public_key",
                    models.CharField(
                        default=contactcenter.models.channel.new_public_key,
                        max_length=64,
                        unique=True,
                        verbose_name="public key",
                    ),
                ),
                ("secret_hash", models.CharField(editable=False, max_length=64, null=True, unique=True)),
                (
                    "secret_hint",
                    models.CharField(blank=True, editable=False, max_length=12, verbose_name="secret key begins with"),
                ),
                ("allowed_origins", models.JSONField(blank=True, default=list, verbose_name="allowed origins")),
                (
                    "may_configure",
                    models.BooleanField(default=False, verbose_name="may change teams, agents and channels"),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="created"),
                ),
                ("last_used_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="last used")),
            ],
            options={
                "verbose_name": "application",
                "verbose_name_plural": "applications",
                "ordering": ["name"],
                "constraints": [models.UniqueConstraint(fields=("center", "id"), name="application_center_id")],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="ApplicationTeam",
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
                        related_name="application_teams",
                        to="contactcenter.contactcenter",
                        verbose_name="contact center",
                    ),
                ),
                (
                    "application",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="application_teams",
                        to="contactcenter.application",
                        verbose_name="application",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="application_teams",
                        to="contactcenter.team",
                        verbose_name="team",
                    ),
                ),
            ],
            options={
                "verbose_name": "team of an application",
                "verbose_name_plural": "teams of an application",
                "constraints": [
                    models.UniqueConstraint(fields=("application", "team"), name="applicationteam_once"),
                    contactcenter.models.tenancy.SameCenter(
                        field="application", name="applicationteam_application_same_center"
                    ),
                    contactcenter.models.tenancy.SameCenter(field="team", name="applicationteam_team_same_center"),
                ],
                "indexes": [],
            },
        ),
        migrations.AddField(
            model_name="application",
            name="teams",
            field=models.ManyToManyField(
                blank=True,
                help_text="None = all.",
                related_name="applications",
                through="contactcenter.ApplicationTeam",
                to="contactcenter.team",
                verbose_name="teams",
            ),
        ),
        migrations.CreateModel(
            name="AuditEntry",
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
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="audit_entries",
                        to="contactcenter.contactcenter",
                        verbose_name="contact center",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="audit_entries",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                ("actor", models.CharField(max_length=200, verbose_name="who")),
                ("action", models.CharField(max_length=50, verbose_name="what")),
                ("subject", models.CharField(blank=True, max_length=200, verbose_name="on what")),
                ("changes", models.JSONField(blank=True, default=dict, verbose_name="changes")),
                ("address", models.GenericIPAddressField(null=True, verbose_name="from")),
                ("at", models.DateTimeField(db_index=True, default=django.utils.timezone.now, verbose_name="when")),
            ],
            options={
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit log",
                "ordering": ["-at"],
                "indexes": [],
                "constraints": [],
            },
        ),
    ]
