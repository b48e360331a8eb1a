"""manage.py serve: the web server, and in an embedded installation everything else too."""

import contextlib
import os
import signal
import socket
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from contactcenter import instance
from contactcenter.celery import app
from contactcenter.embedded import EmbeddedCelery
from contactcenter.server import Server, configuration


class Command(BaseCommand):
    help = "Serve HTTP and websockets; without REDIS_URL also the tasks and the schedule, all in this process."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000, help="0 takes a free one")

    def handle(self, *_args: Any, host: str, port: int, **_options: Any) -> None:
        # uvicorn sends the signal on to us once it has stopped; we still have to stop the rest.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        hold = instance.only_one(settings.DATA_DIR) if settings.EMBEDDED else contextlib.nullcontext()
        try:
            with hold:
                self._serve(_listen(host, port))
        except instance.AlreadyRunning as error:
            raise CommandError(str(error)) from error

    def _serve(self, listener: socket.socket) -> None:
        celery = EmbeddedCelery(app) if settings.EMBEDDED else None
        server = Server(configuration(trusted_proxies=settings.TRUSTED_PROXIES), on_ready=self._tell)
        try:
            if celery:
                celery.start()
            server.run(sockets=[listener])
        finally:
            instance.withdraw(settings.DATA_DIR)
            if celery and not celery.stop():
                # A thread that hangs in a task would keep the process; its work is a row and is found again.
                sys.stdout.flush()
                os._exit(0)

    def _tell(self, url: str) -> None:
        instance.announce(settings.DATA_DIR, url)
        self.stdout.write("ready")
        self.stdout.flush()


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket, so that a port in use is told before anything starts."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise CommandError(f"Port {port} of {host} cannot be used: {error.strerror}. Choose another --port.") from error
    listener.listen(2048)
    listener.setblocking(False)
    return listener
