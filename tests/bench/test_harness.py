"""The faults of bin/faults happen: a clock goes wrong while its process runs, a wire cuts in mid-frame, a mail server takes whole mails only."""

import asyncio
import io
import os
import subprocess
import sys
import time

from bench.faults.clocks import Clocks
from bench.faults.mailbox import Mailbox
from bench.faults.wire import Wire
from bench.stack import ROOT, free_port

TELL = """
import sys, time
from django.utils import timezone
for _ in sys.stdin:
    print(time.time(), timezone.now().timestamp(), flush=True)
"""


def test_a_clock_goes_wrong_while_its_process_runs_and_right_again(tmp_path):
    clocks = Clocks(tmp_path)
    command, pipe = [sys.executable, "-c", TELL], subprocess.PIPE
    settings = {"DJANGO_SETTINGS_MODULE": "contactcenter.settings"} | clocks.environment("web-1")
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | settings, stdin=pipe, stdout=pipe, text=True) as process:
        for wrong in (0, 3600, -7200, 0):
            clocks.set("web-1", wrong)
            since = time.time()
            process.stdin.write("\n")
            process.stdin.flush()
            said = [float(word) for word in process.stdout.readline().split()]
            assert all(since - 1 <= moment - wrong <= time.time() + 1 for moment in said)
        process.stdin.close()


async def torn() -> bytes:
    """What arrives of ten bytes over a wire that tears."""
    arrived: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got = b""
        try:
            while piece := await reader.read(100):
                got += piece
        except OSError:
            pass
        arrived.set_result(got)
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    wire = Wire(free_port(), server.sockets[0].getsockname()[1])
    await wire.open()
    wire.set("tear")
    _, writer = await asyncio.open_connection("127.0.0.1", wire.port)
    writer.write(b"0123456789")
    try:
        return await arrived
    finally:
        writer.close()
        wire.close()
        server.close()


def test_a_wire_that_tears_ends_the_connection_in_the_middle_of_a_piece():
    assert asyncio.run(torn()) == b"01234"


def test_a_mail_server_keeps_whole_mails_and_no_halves():
    mailbox = Mailbox(1)
    mailbox.is_busy = False
    said = b"Subject: x\r\n\r\nMia: ACME-MARK mia.1 0 0123456789ab\r\n"
    begin = b"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<mia@example.com>\r\nDATA\r\n"
    try:
        mailbox.converse(io.BytesIO(begin + said + b".\r\nQUIT\r\n"), io.BytesIO())
        mailbox.converse(io.BytesIO(begin + said), io.BytesIO())
    finally:
        mailbox.close()
    assert mailbox.mails == [{"to": "mia@example.com", "texts": ["ACME-MARK mia.1 0 0123456789ab"]}]
