"""Servers of the outside world, on this machine."""

from tests.chats.carriers.mail_servers import dovecot, world

__all__ = ["dovecot", "world"]
