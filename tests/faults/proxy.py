"""A TCP proxy on the loopback whose connections are cut at will. It runs in a thread of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CHUNK = 16 * 1024
TIMEOUT_S = 10.0


class Proxy:
    """Passes on what comes to `port` to `target`, until it is cut."""

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self.cuts = 0
        """How many connections have been cut."""
        self._target = target
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()

    def cut(self) -> None:
        """End every connection at once, in the midst of whatever is said on it; new ones are taken."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(TIMEOUT_S)

    async def _cut(self) -> None:
        for writer in self._open:
            writer.transport.abort()
            self.cuts += 1
        self._open.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            other_reader, other_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, other_writer}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pass_on(reader, other_writer))
                group.create_task(_pass_on(other_reader, writer))
        finally:
            self._open -= {writer, other_writer}
            writer.transport.abort()
            other_writer.transport.abort()

    async def _run(self, started: threading.Event) -> None:
        self._ended = asyncio.Event()
        async with await asyncio.start_server(self._serve, "127.0.0.1", self.port):
            started.set()
            await self._ended.wait()
            await self._cut()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


@contextmanager
def proxy(port: int, target: int) -> Iterator[Proxy]:
    """A proxy for the length of the block. Raises OSError where the port is taken."""
    found, started = Proxy(port, target), threading.Event()
    thread = threading.Thread(target=lambda: found._loop.run_until_complete(found._run(started)), daemon=True)
    thread.start()
    if not started.wait(TIMEOUT_S):
        raise OSError(f"no proxy on port {port}")
    try:
        yield found
    finally:
        found._loop.call_soon_threadsafe(found._ended.set)
        thread.join(TIMEOUT_S)
