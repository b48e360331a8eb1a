import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import contactcenter.models.ids
import contactcenter.models.tenancy


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('contactcenter', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Agent',
            fields=[
                ('id', models.UUIDField(default=contactcenter.models.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('center', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='agents', to='contactcenter.contactcenter', verbose_name='contact center')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='seats', to=settings.AUTH_USER_MODEL, verbose_name='user')),
                ('name', models.CharField(max_length=100, verbose_name='name shown to customers')),
                ('role', models.CharField(choices=[('agent', 'Agent'), ('supervisor', 'Supervisor'), ('admin', 'Administrator')], default='agent', max_length=10, verbose_name='role')),
                ('is_bot', models.BooleanField(default=False, verbose_name='bot')),
                ('capacity', models.PositiveSmallIntegerField(default=3, help_text='How many chats at once.', validators=[django.core.validators.MaxValueValidator(50)], verbose_name='capacity')),
                ('languages', models.JSONField(blank=True, default=list, help_text='Language codes; empty = all.', verbose_name='languages')),
                ('skills', models.JSONField(blank=True, default=list, verbose_name='skills')),
                ('avatar', models.ImageField(blank=True, upload_to='avatars/', verbose_name='picture')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
            ],
            options={
                'verbose_name': 'agent',
                'verbose_name_plural': 'agents',
                'ordering': ['name'],
                'constraints': [models.UniqueConstraint(fields=('center', 'id'), name='agent_center_id'), models.UniqueConstraint(fields=('center', 'user'), name='agent_one_seat_in_center')],
                'indexes': [],
            },
        ),
        migrations.CreateModel(
            name='Slot',
            fields=[
                ('id', models.UUIDField(default=contactcenter.models.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('center', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='slots', to='contactcenter.contactcenter', verbose_name='contact center')),
                ('agent', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='slots', to='agents.agent', verbose_name='agent')),
                ('number', models.PositiveSmallIntegerField(verbose_name='number')),
                ('is_retired', models.BooleanField(default=False, verbose_name='retired')),
            ],
            options={
                'verbose_name': 'slot',
                'verbose_name_plural': 'slots',
                'ordering': ['agent', 'number'],
                'constraints': [models.UniqueConstraint(fields=('center', 'id'), name='slot_center_id'), models.UniqueConstraint(fields=('agent', 'number'), name='slot_number_of_agent'), contactcenter.models.tenancy.SameCenter(field='agent', name='slot_agent_same_center')],
                'indexes': [],
            },
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.UUIDField(default=contactcenter.models.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('center', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='contactcenter.contactcenter', verbose_name='contact center')),
                ('agent', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='agents.agent', verbose_name='agent')),
                ('team', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='contactcenter.team', verbose_name='team')),
            ],
            options={
                'verbose_name': 'membership',
                'verbose_name_plural': 'memberships',
                'constraints': [models.UniqueConstraint(fields=('agent', 'team'), name='membership_once'), contactcenter.models.tenancy.SameCenter(field='agent', name='membership_agent_same_center'), contactcenter.models.tenancy.SameCenter(field='team', name='membership_team_same_center')],
                'indexes': [],
            },
        ),
        migrations.AddField(
            model_name='agent',
            name='teams',
            field=models.ManyToManyField(related_name='agents', through='agents.Membership', to='contactcenter.team', verbose_name='teams'),
        ),
        migrations.CreateModel(
            name='Presence',
            fields=[
                ('id', models.UUIDField(default=contactcenter.models.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('center', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='presences', to='contactcenter.contactcenter', verbose_name='contact center')),
                ('agent', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='presence', to='agents.agent', verbose_name='agent')),
                ('status', models.CharField(choices=[('online', 'Online'), ('away', 'Away'), ('offline', 'Offline')], default='offline', max_length=10, verbose_name='status')),
                ('status_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='since')),
                ('lease_until', models.DateTimeField(blank=True, null=True, verbose_name='client seen until')),
                ('idle_since', models.DateTimeField(blank=True, null=True, verbose_name='without a chat since')),
                ('last_assigned_at', models.DateTimeField(blank=True, null=True, verbose_name='last chat at')),
            ],
            options={
                'verbose_name': 'presence',
                'verbose_name_plural': 'presence',
                'indexes': [models.Index(condition=models.Q(('status', 'offline'), _negated=True), fields=['lease_until'], name='presence_lease')],
                'constraints': [contactcenter.models.tenancy.SameCenter(field='agent', name='presence_agent_same_center')],
            },
        ),
        migrations.CreateModel(
            name='Ticket',
            fields=[
                ('id', models.UUIDField(default=contactcenter.models.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('center', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tickets', to='contactcenter.contactcenter', verbose_name='contact center')),
                ('agent', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='tickets', to='agents.agent')),
                ('secret_hash', models.CharField(max_length=64, unique=True)),
                ('session_version', models.PositiveIntegerField()),
                ('session_key', models.CharField(blank=True, max_length=40)),
                ('expires_at', models.DateTimeField(db_index=True)),
            ],
            options={
                'verbose_name': 'ticket',
                'verbose_name_plural': 'tickets',
                'constraints': [contactcenter.models.tenancy.SameCenter(field='agent', name='ticket_agent_same_center')],
                'indexes': [],
            },
        ),
        migrations.CreateModel(
            name='CannedReply',
            fields=[
                ('id', models.UUIDField(default=contactcenter.models.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('center', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='canned_replies', to='contactcenter.contactcenter', verbose_name='contact center')),
                ('team', models.ForeignKey(blank=True, db_constraint=False, help_text='Empty = all teams.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='canned_replies', to='contactcenter.team', verbose_name='team')),
                ('shortcut', models.SlugField(max_length=40, verbose_name='shortcut')),
                ('title', models.CharField(max_length=100, verbose_name='title')),
                ('text', models.TextField(max_length=10000, verbose_name='text')),
                ('language', models.CharField(blank=True, max_length=10, verbose_name='language')),
            ],
            options={
                'verbose_name': 'canned reply',
                'verbose_name_plural': 'canned replies',
                'ordering': ['shortcut'],
                'constraints': [models.UniqueConstraint(fields=('center', 'team', 'shortcut', 'language'), name='cannedreply_once_in_team'), models.UniqueConstraint(condition=models.Q(('team', None)), fields=('center', 'shortcut', 'language'), name='cannedreply_once_in_center'), contactcenter.models.tenancy.SameCenter(field='team', name='cannedreply_team_same_center')],
                'indexes': [],
            },
        ),
        migrations.CreateModel(
            name='Disposition',
            fields=[
                ('id', models.UUIDField(default=contactcenter.models.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('center', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='dispositions', to='contactcenter.contactcenter', verbose_name='contact center')),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('order', models.PositiveSmallIntegerField(default=0, verbose_name='order')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
            ],
            options={
                'verbose_name': 'disposition',
                'verbose_name_plural': 'dispositions',
                'ordering': ['order', 'name'],
                'constraints': [models.UniqueConstraint(fields=('center', 'id'), name='disposition_center_id'), models.UniqueConstraint(fields=('center', 'name'), name='disposition_name_in_center')],
                'indexes': [],
            },
        ),
    ]
