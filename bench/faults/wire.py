"""A line of ours between two programs, which does what networks do."""

import asyncio
import contextlib

CHUNK = 65536


class Wire:
    """Forwards 127.0.0.1:`port` to 127.0.0.1:`to`. `mode` is what it does now, to all of its connections:

    pass      forwards
    stall     forwards nothing; what has come goes on afterwards, as after a pause of the network
    swallow   half-open: both sides believe in the connection, nothing arrives any more; what was swallowed is gone, so it is cut at the end
    refuse    no new connection comes about
    tear      each connection ends (RST) in the middle of the next piece that goes over it
    """

    def __init__(self, port: int, to: int) -> None:
        self.port, self.to = port, to
        self.mode = "pass"
        self.delay = 0.0  # seconds, of each piece
        self._moving = asyncio.Event()
        self._moving.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port, backlog=512)

    def set(self, mode: str) -> None:
        was, self.mode = self.mode, mode
        if was == "swallow":
            self.cut()
        if mode == "stall":
            self._moving.clear()
        else:
            self._moving.set()

    def cut(self) -> int:
        """All connections end at once (RST); how many there were."""
        for writer in list(self._writers):
            writer.transport.abort()
        return len(self._writers) // 2

    def close(self) -> None:
        if self._server:
            self._server.close()
        self.cut()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode in ("refuse", "swallow"):
            # Half-open for those who come now, too: nobody answers their hello.
            if self.mode == "refuse":
                writer.transport.abort()
                return
            self._writers.add(writer)
            with contextlib.suppress(OSError):
                while await reader.read(CHUNK):
                    pass
            self._end(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer))
        self._end(writer)
        self._end(far_writer)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                if self.delay:
                    await asyncio.sleep(self.delay)
                await self._moving.wait()
                if self.mode == "swallow":
                    continue
                if self.mode == "tear":
                    writer.write(data[: len(data) // 2])
                    writer.transport.abort()
                    return
                writer.write(data)
                await writer.drain()
        with contextlib.suppress(OSError, RuntimeError):
            if writer.can_write_eof():
                writer.write_eof()

    def _end(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        writer.close()
