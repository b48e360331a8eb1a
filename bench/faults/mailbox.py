"""Where mails arrive: a mail server that takes what it is given, and is busy now and then."""

import email
import random
import re
import socketserver
import threading
from email.policy import default
from typing import Any

BUSY = 0.1  # of those who come are told to come again
SAID = re.compile(r"[A-Z]+-MARK [\w.-]+ \d+ [0-9a-f]{12}")  # what the run's customers write


class Mailbox:
    """`mails`: {to, texts} in the order of arrival; `texts` are what was said in the chat, as far as the mail's text tells it."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.mails: list[dict[str, Any]] = []
        self.is_busy = True
        mailbox = self

        class Handler(socketserver.StreamRequestHandler):
            timeout = 30

            def handle(self) -> None:
                mailbox.converse(self.rfile, self.wfile)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                """Who spoke to us was killed: that is the point of the run."""

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server.server_address[1]}"

    def converse(self, lines: Any, answers: Any) -> None:
        """SMTP, as much of it as a client without extensions needs (RFC 5321)."""
        if self.is_busy and self.chance.random() < BUSY:
            answers.write(b"421 come again\r\n")
            return
        answers.write(b"220 here\r\n")
        to = ""
        while line := lines.readline():
            verb = line[:4].upper()
            if verb == b"RCPT":
                to = line.decode().partition("<")[2].partition(">")[0]
            if verb == b"DATA":
                answers.write(b"354 go on\r\n")
                if not self._take(to, lines):
                    return
            answers.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")
            if verb == b"QUIT":
                return

    def _take(self, to: str, lines: Any) -> bool:
        """Whether the mail came to its end: half a mail is none."""
        raw = []
        while (line := lines.readline()) != b".\r\n":
            if not line:
                return False
            raw.append(line.removeprefix(b"."))
        message = email.message_from_bytes(b"".join(raw), policy=default)
        body = message.get_body(("plain",))
        text = " ".join(body.get_content().split()) if body else ""
        self.mails.append({"to": to, "texts": sorted(set(SAID.findall(text)))})
        return True

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
