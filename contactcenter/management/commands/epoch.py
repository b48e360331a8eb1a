"""`manage.py epoch [--renew]`: the incarnation of this database."""

import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from contactcenter.models import Installation


class Command(BaseCommand):
    help = "Print the database's epoch; --renew after restoring a backup, so that clients start afresh."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--renew", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        installation = Installation.current()
        if options["renew"]:
            installation.epoch = uuid.uuid4()
            installation.save(update_fields=["epoch"])
        self.stdout.write(str(installation.epoch))
