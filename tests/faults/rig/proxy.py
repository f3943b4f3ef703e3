"""TCP proxies between a service and its servers, which can refuse, block, delay, or lose an answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tools.local import ports

CHUNK = 256 * 1024
_POLL_SECONDS = 0.05
ClientFilter = Callable[[str], bool]
BytesFilter = Callable[[bytes], bool]


def any_client(_client: str) -> bool:
    """Match every connection."""
    return True


def no_bytes(_chunk: bytes) -> bool:
    """Match no bytes."""
    return False


@dataclass(eq=False)
class Link:
    """One connection through a proxy; `client` is the id in a Kafka client's first request."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    client: str = ""
    loses_answer: bool = False

    def cut(self) -> None:
        """Drop the connection on both sides, with a reset."""
        self.near.transport.abort()
        self.far.transport.abort()


class Proxy:
    """A listener on a port of its own that forwards to a target port. Any thread may set its faults."""

    def __init__(self, name: str, target: int = 0, *, server_speaks_first: bool = False) -> None:
        self.name = name
        self.target = target
        self._server_speaks_first = server_speaks_first
        self.port = ports.choose(())
        self.lost_answers = 0
        self._shut: ClientFilter | None = None
        self._jammed: ClientFilter | None = None
        self._delay = 0.0
        self._loses: BytesFilter = no_bytes
        self._swallows: BytesFilter = no_bytes
        self._links: set[Link] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def where(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @contextmanager
    def shut(self, clients: ClientFilter = any_client) -> Iterator[None]:
        """Cut the connections of these clients and refuse new ones."""
        self._shut = clients
        self._cut(clients)
        try:
            yield
        finally:
            self._shut = None

    @contextmanager
    def jammed(self, clients: ClientFilter = any_client) -> Iterator[None]:
        """Stall the connections of these clients in both directions, without closing them; resume after the block."""
        self._jammed = clients
        try:
            yield
        finally:
            self._jammed = None

    @contextmanager
    def slow(self, seconds: float) -> Iterator[None]:
        """Delay each answer by some seconds."""
        self._delay = seconds
        try:
            yield
        finally:
            self._delay = 0.0

    @contextmanager
    def losing_answers(self, requests: BytesFilter) -> Iterator[None]:
        """Forward the requests that match, and cut the connection instead of forwarding their answer."""
        self._loses, self.lost_answers = requests, 0
        try:
            yield
        finally:
            self._loses = no_bytes

    @contextmanager
    def swallowing(self, answers: BytesFilter) -> Iterator[None]:
        """Cut the connection instead of forwarding an answer that matches."""
        self._swallows, self.lost_answers = answers, 0
        try:
            yield
        finally:
            self._swallows = no_bytes

    def _cut(self, clients: ClientFilter) -> None:
        def cut() -> None:
            for link in [link for link in self._links if clients(link.client)]:
                link.cut()

        if self._loop is not None:
            self._loop.call_soon_threadsafe(cut)

    async def open(self) -> None:
        """Start to listen."""
        self._loop = asyncio.get_running_loop()
        await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            first = b"" if self._server_speaks_first else await reader.read(CHUNK)
            client = client_of(first)
            if self._shut is not None and self._shut(client):
                raise ConnectionResetError
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        link = Link(writer, far_writer, client)
        self._links.add(link)
        try:
            await asyncio.gather(self._forward(link, first, reader), self._return(link, far_reader))
        except OSError:
            pass
        finally:
            self._links.discard(link)
            link.cut()

    async def _forward(self, link: Link, chunk: bytes, reader: asyncio.StreamReader) -> None:
        while chunk or (chunk := await reader.read(CHUNK)):
            if self._loses(chunk):
                link.loses_answer = True
            await self._unjammed(link)
            link.far.write(chunk)
            await link.far.drain()
            chunk = b""
        raise ConnectionResetError

    async def _return(self, link: Link, reader: asyncio.StreamReader) -> None:
        while chunk := await reader.read(CHUNK):
            if link.loses_answer or self._swallows(chunk):
                self.lost_answers += 1
                break
            if self._delay:
                await asyncio.sleep(self._delay)
            await self._unjammed(link)
            link.near.write(chunk)
            await link.near.drain()
        raise ConnectionResetError

    async def _unjammed(self, link: Link) -> None:
        while self._jammed is not None and self._jammed(link.client):  # noqa: ASYNC110
            await asyncio.sleep(_POLL_SECONDS)


def client_of(request: bytes) -> str:
    """Return the client id in a Kafka request's header; the result is meaningless for other protocols."""
    size = int.from_bytes(request[12:14], "big", signed=True) if len(request) > 14 else 0
    return request[14 : 14 + max(0, size)].decode("ascii", "replace") if size < 200 else ""


@dataclass
class Proxies:
    """The proxies of the rig, served by one thread."""

    proxies: list[Proxy] = field(default_factory=list)

    def add(self, name: str, target: int = 0, *, server_speaks_first: bool = False) -> Proxy:
        """Add a proxy; its target may be set later."""
        proxy = Proxy(name, target, server_speaks_first=server_speaks_first)
        self.proxies.append(proxy)
        return proxy

    @contextmanager
    def open(self) -> Iterator[None]:
        """Serve all proxies during a block."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="proxies", daemon=True)
        thread.start()
        try:
            for proxy in self.proxies:
                asyncio.run_coroutine_threadsafe(proxy.open(), loop).result(10)
            yield
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(10)
            with suppress(RuntimeError):
                loop.close()
