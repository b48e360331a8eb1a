"""`manage.py demo [--json]`: the demo centers, made where they are missing."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from chats.demo.build import build_demo


class Command(BaseCommand):
    help = "Make the demo centers where they are missing, and say how to reach them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        demo = build_demo(timezone.now())
        if options["json"]:
            self.stdout.write(json.dumps(demo, indent=2, ensure_ascii=False))
            return
        self.stdout.write(f"Demo page  {demo['demo_page_url']}")
        for seat in demo["agents"]:
            self.stdout.write(
                f"Desk       {demo['desk_url']}  {seat['username']} / {seat['password']}  ({seat['role']})"
            )
        self.stdout.write(f"Admin      {demo['admin_url']}  {demo['admin']['username']} / {demo['admin']['password']}")
