"""HTTP connections with limits: header bytes, time to receive, pipelined requests, unread answers, open sockets.

uvicorn alone limits only the idle time after an answer. docs/http.md states every limit to operators.
"""

from __future__ import annotations

import asyncio
import resource
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar, NoReturn

import httptools
import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.runtime.settings import CannotStart
from shared.runtime.telemetry import CLOSED_CONNECTIONS

HEAD_BYTES = 32 * 1024
HEAD_FIELDS = 100
HEAD_SECONDS = 10.0
BODY_SECONDS = 30.0
BODY_BYTES_PER_SECOND = 16 * 1024
IDLE_SECONDS = 5
UNREAD_SECONDS = 60.0
PIPELINED = 16
CHECK_SECONDS = 1.0
FIRST_REQUEST_SECONDS = 1.0
OTHER_DESCRIPTORS = 256


@dataclass(frozen=True)
class Breach:
    """A limit that a client exceeded, and the problem that it is answered with."""

    rule: str
    status: HTTPStatus
    detail: str

    def response(self) -> bytes:
        """Return the problem as an HTTP response, after which the connection closes."""
        problem = {
            "type": f"urn:throughline:problem:{self.rule}",
            "title": self.status.phrase,
            "status": self.status,
            "detail": self.detail,
            "rule": self.rule,
        }
        body = orjson.dumps(problem)
        head = (
            f"HTTP/1.1 {self.status} {self.status.phrase}\r\nContent-Type: application/problem+json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        return head.encode() + body


NOT_HTTP = Breach("NotHttp", HTTPStatus.BAD_REQUEST, "this is not a valid HTTP/1.1 request")
HEAD_TOO_LARGE = Breach(
    "HeadersTooLarge",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    f"address, headers and trailers of a request hold at most {HEAD_BYTES} bytes in {HEAD_FIELDS} fields",
)
TOO_SLOW = Breach(
    "RequestTooSlow",
    HTTPStatus.REQUEST_TIMEOUT,
    f"send the headers within {HEAD_SECONDS:.0f} s, and the body within {BODY_SECONDS:.0f} s and one more "
    f"for each {BODY_BYTES_PER_SECOND} bytes",
)
TOO_MANY_PIPELINED = Breach(
    "TooManyPipelined", HTTPStatus.TOO_MANY_REQUESTS, f"at most {PIPELINED} requests wait for the answer to another"
)
UNREAD = Breach("AnswerNotRead", HTTPStatus.REQUEST_TIMEOUT, "the answer was not read")
NO_ROOM = Breach("TooManyConnections", HTTPStatus.SERVICE_UNAVAILABLE, "others need the connection")


class Exceeded(Exception):
    """A limit is exceeded: the parser stops."""


class LimitedConnection(HttpToolsProtocol):
    """A connection that is closed once its client exceeds a limit.

    Where more than `most` are open, the one that has waited longest for its client is closed, so that a newcomer is
    served: only requests in progress are never given up for another.
    """

    service: ClassVar[str]
    most: ClassVar[int]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request; make room where too many connections are open."""
        super().connection_made(transport)
        self.dropped = False
        self._breach: Breach | None = None
        self._overdue_once = False
        self._head_bytes = self._head_fields = self._unparsed_bytes = self._body_bytes = 0
        self._in_body = False
        self._message_began: float | None = self.loop.time()
        self._idle_since = self._unread_since = self._closing_since = self.loop.time()
        self._check = self.loop.call_later(CHECK_SECONDS, self._end_if_overdue)
        if len(self.connections) > self.most:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the checks."""
        self._check.cancel()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """End with the process; one whose first request is still on its way has a second more, and is answered."""
        if self.cycle is None:
            self.loop.call_later(FIRST_REQUEST_SECONDS, super().shutdown)
        else:
            super().shutdown()

    def data_received(self, data: bytes) -> None:
        """Parse what arrived, and refuse what exceeds a limit."""
        if self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        if self._message_began is None:
            self._message_began = self.loop.time()
        self._unparsed_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return
        except httptools.HttpParserError:
            self._end(self._breach or NOT_HTTP)
        else:
            if self._unparsed_bytes > HEAD_BYTES:
                self._end(HEAD_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Begin a request: its own time and its own bytes."""
        super().on_message_begin()
        self._message_began, self._in_body = self.loop.time(), False
        self._head_bytes = self._head_fields = self._body_bytes = 0

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header or a trailer."""
        self._head_fields += 1
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start the request, or let it wait for the answer before."""
        if len(self.pipeline) >= PIPELINED:
            self._exceed(TOO_MANY_PIPELINED)
        self._unparsed_bytes = 0
        self._message_began, self._in_body = self.loop.time(), True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._unparsed_bytes = 0
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request: nothing more is to arrive."""
        self._unparsed_bytes = 0
        self._message_began, self._in_body = None, False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._idle_since = self.loop.time()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        self._unread_since = self.loop.time()
        super().pause_writing()

    @property
    def waiting_since(self) -> tuple[bool, float] | None:
        """Return since when the connection has waited for its client, those first that have read all; None if busy."""
        if self.flow.write_paused:
            return True, self._unread_since
        return None if self._is_answering() or self.pipeline else (False, self._idle_since)

    def drop(self, breach: Breach) -> None:
        """Close the connection at once, with all that it still has to send."""
        self.dropped = True
        CLOSED_CONNECTIONS.labels(self.service, breach.rule).inc()
        self.transport.abort()

    def _make_room(self) -> None:
        connections = [each for each in self.connections if isinstance(each, LimitedConnection) and not each.dropped]
        if len(connections) > self.most:
            waiting = {each: since for each in connections if (since := each.waiting_since) is not None}
            min(waiting, key=lambda each: waiting[each]).drop(NO_ROOM)

    def _count(self, size: int) -> None:
        """Count bytes of address, headers and trailers."""
        self._unparsed_bytes = 0
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES or self._head_fields > HEAD_FIELDS:
            self._exceed(HEAD_TOO_LARGE)

    def _exceed(self, breach: Breach) -> NoReturn:
        self._breach = breach
        raise Exceeded

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete  # type: ignore[redundant-expr]

    def _end(self, breach: Breach) -> None:
        """Answer with the problem, unless another answer has begun, and close."""
        if self._is_answering() and (self.pipeline or self.cycle.response_started or not self._in_body):
            self.drop(breach)
            return
        CLOSED_CONNECTIONS.labels(self.service, breach.rule).inc()
        if self._unparsed_bytes or self._head_bytes:
            self.transport.write(breach.response())
        self.transport.close()

    def _end_if_overdue(self) -> None:
        """End a connection that is overdue at two checks: after a pause of this process its data may wait unread."""
        now = self.loop.time()
        self._check = self.loop.call_later(CHECK_SECONDS, self._end_if_overdue)
        breach = self._overdue(now)
        if breach is not None and self._overdue_once:
            self.drop(breach) if breach is UNREAD else self._end(breach)
        self._overdue_once = breach is not None

    def _overdue(self, now: float) -> Breach | None:
        if self.transport.is_closing():
            return UNREAD if now - self._closing_since > UNREAD_SECONDS else None
        self._closing_since = now
        if self.flow.write_paused:
            return UNREAD if now - self._unread_since > UNREAD_SECONDS else None
        if self._message_began is None:
            return None
        if self.flow.read_paused:
            self._message_began += CHECK_SECONDS
        lasts = BODY_SECONDS + self._body_bytes / BODY_BYTES_PER_SECOND if self._in_body else HEAD_SECONDS
        return TOO_SLOW if now - self._message_began > lasts else None


def limited_connections(service: str, most: int) -> type[LimitedConnection]:
    """Return the protocol of a service that keeps at most so many connections. Raises CannotStart."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = most + OTHER_DESCRIPTORS
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise CannotStart(f"THROUGHLINE_CONNECTIONS: {most} need {needed} open files, and the system allows {hard}")
    if soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    return type("Connection", (LimitedConnection,), {"service": service, "most": most})
