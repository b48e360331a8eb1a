"""`manage.py play agents|customers`: robots at both ends, against a running server."""

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chats.play.agents import TYPING_SECONDS, Mischief, play_agents
from chats.play.customers import Manner, play_customers
from chats.play.seats import robot_seats
from chats.play.tally import Tally
from contactcenter.models import Channel, ContactCenter


class Command(BaseCommand):
    help = "Let robot agents answer, or robot customers ask, over the ordinary sockets of a running server."

    def add_arguments(self, parser: CommandParser) -> None:
        sides = parser.add_subparsers(dest="side", required=True)
        agents = sides.add_parser(
            "agents", help="robot agents: accept, echo every text, send back every file, close at 'bye'"
        )
        agents.add_argument("--count", type=int, default=2)
        agents.add_argument("--capacity", type=int, default=3, help="slots of each")
        agents.add_argument("--decline", type=int, default=0, metavar="N", help="the first N offers are declined")
        agents.add_argument(
            "--vanish",
            type=int,
            default=0,
            metavar="N",
            help="the first N chats are accepted, and their agents gone at once",
        )
        agents.add_argument("--type", action="store_true", help="they type, and say so, before each answer")
        customers = sides.add_parser("customers", help="robot customers: start, write, wait for every echo, say bye")
        customers.add_argument("--count", type=int, default=10, help="how many chats; 0 = without end")
        customers.add_argument("--rate", type=float, default=1.0, help="new chats a second")
        customers.add_argument("--messages", type=int, default=5, help="messages a chat")
        customers.add_argument("--pause", type=float, default=1.0, help="mean seconds between two messages")
        customers.add_argument("--patience", type=float, default=60.0, help="seconds to wait for the last echo")
        customers.add_argument("--json", action="store_true", help="print the summary as one JSON object")
        for side in (agents, customers):
            side.add_argument(
                "--url", action="append", help="a server; repeat it for several (default: the running one)"
            )
            side.add_argument("--center", default="acme", help="the contact center's short name")

    def handle(self, *args: Any, **options: Any) -> None:
        center = ContactCenter.objects.filter(slug=options["center"]).first()
        if center is None:
            raise CommandError(f"There is no contact center {options['center']}. `demo` makes one.")
        urls = options["url"] or [_running_url()]
        (self._agents if options["side"] == "agents" else self._customers)(center, urls, options)

    def _agents(self, center: ContactCenter, urls: list[str], options: dict[str, Any]) -> None:
        wanted = {"count": options["count"], "capacity": options["capacity"]}
        seats = robot_seats(center, **wanted, password_name="robot")  # noqa: S106 - a name, not a password
        self.stdout.write(
            f"{len(seats)} robot agents with {options['capacity']} slots each answer at {', '.join(urls)}."
        )
        mischief = Mischief(declines=options["decline"], desertions=options["vanish"])
        typing_seconds = TYPING_SECONDS if options["type"] else 0
        failures = _run(play_agents(urls, seats, mischief, self._progress(), typing_seconds=typing_seconds))
        if failures:
            raise CommandError(f"{failures} requests were refused.")

    def _customers(self, center: ContactCenter, urls: list[str], options: dict[str, Any]) -> None:
        channel = center.channels.filter(kind=Channel.Kind.WEB, is_active=True).order_by("created_at").first()
        if channel is None:
            raise CommandError("This center has no web channel.")
        manner = Manner(options["messages"], options["pause"], options["patience"])
        tally, progress = Tally(), self._progress()
        begun = play_customers(
            urls,
            channel.key,
            count=options["count"],
            rate=options["rate"],
            manner=manner,
            tally=tally,
            progress=lambda: progress(f"{tally.closed} of {tally.wanted} chats, {tally.echoed} echoes"),
        )
        _run(begun)
        self.stdout.write(json.dumps(tally.summary()) if options["json"] else tally.words())
        if options["count"] and not tally.is_clean:
            raise CommandError("Not everything arrived as it should.")

    def _progress(self) -> Callable[[str], None]:
        """One line that is written over on a terminal; nothing where nobody looks."""
        if not sys.stderr.isatty():
            return lambda line: None
        return lambda line: print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run until it is done, or until SIGINT or SIGTERM asks to stop."""

    async def run() -> Any:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            return await task

    return asyncio.run(run())


def _running_url() -> str:
    """Where the server of this DATA_DIR says that it answers."""
    try:
        return str(json.loads((Path(settings.DATA_DIR) / "instance.json").read_text())["url"])
    except (OSError, ValueError, KeyError):
        raise CommandError("No server runs on this DATA_DIR. Start bin/run, or give --url.") from None
