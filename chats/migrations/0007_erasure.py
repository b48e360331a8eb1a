"""Customers can be erased, and files whose rows went with them."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import contactcenter.models.ids


class Migration(migrations.Migration):
    dependencies = [("chats", "0006_cheaper_messages")]

    operations = [
        migrations.AddField(
            "customer",
            "erased_at",
            models.DateTimeField(
                blank=True,
                editable=False,
                help_text="What is left is a number for the figures.",
                null=True,
                verbose_name="erased",
            ),
        ),
        migrations.CreateModel(
            "FileRemoval",
            [
                (
                    "id",
                    models.UUIDField(
                        default=contactcenter.models.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("path", models.CharField(max_length=200, verbose_name="file")),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "center",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="file_removals",
                        to="contactcenter.contactcenter",
                        verbose_name="contact center",
                    ),
                ),
            ],
            options={"verbose_name": "file to remove", "verbose_name_plural": "files to remove"},
        ),
    ]
