"""SMTP servers that misbehave as scripted, on real sockets."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.certificates import Issued

ADDRESS = "synthetic.reader@example.org"
USER, PASSWORD = "synthetic", "Synthetic password"
ALL = ["LOGIN", "PLAIN"]
DROP = "drop"
SILENCE = "silence"


@asynccontextmanager
async def scripted(replies: Mapping[str, str]) -> AsyncIterator[int]:
    """A server that answers each verb as scripted (a line, DROP or SILENCE); yields its port.

    The verbs are GREETING, EHLO, MAIL, RCPT, DATA, and CONTENT for the end of a message.
    """
    usual = {"GREETING": "220 here", "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on", "CONTENT": "250 kept"}
    script = {"EHLO": "250 here", "QUIT": "221 bye", **usual, **replies}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        verb = "GREETING"
        while script[verb] != DROP:
            if script[verb] != SILENCE:
                writer.write(f"{script[verb]}\r\n".encode())
            line = (
                await _content(reader) if verb == "DATA" and script[verb].startswith("354") else await reader.readline()
            )
            if not line:
                break
            verb = "CONTENT" if line == b".\r\n" else line[:4].strip().decode().upper()
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def _content(reader: asyncio.StreamReader) -> bytes:
    while (line := await reader.readline()) not in (b".\r\n", b""):
        pass
    return line


def _admits(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: LoginPassword) -> AuthResult:
    return AuthResult(success=given == LoginPassword(USER.encode(), PASSWORD.encode()), handled=False)


class Mailbox:
    """A real SMTP server that stores accepted messages; each of `faults` applies to one message, in order.

    A fault is the answer to the whole message, or DROP: the message is stored, but gets no answer.
    """

    def __init__(self, *faults: str, rcpt: str = "250 ok", pause: float = 0.0) -> None:
        self.stored: list[bytes] = []
        self.faults = list(faults)
        self.rcpt = rcpt
        self.pause = pause
        self.sessions = 0
        self.busy = asyncio.Event()

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.sessions += 1
        if self.rcpt.startswith("2"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.busy.set()
        await asyncio.sleep(self.pause)
        fault = self.faults.pop(0) if self.faults else "250 kept"
        if fault == DROP:
            server.transport.abort()
        if fault == DROP or fault.startswith("2"):
            self.stored.append(bytes(envelope.content or b""))
        return fault if fault != DROP else "250 kept"

    @asynccontextmanager
    async def secured(self, own: Issued, *, from_the_start: bool = False, login: bool = True) -> AsyncIterator[int]:
        """Serve by TLS on a free port, from the start or by STARTTLS, to the user USER; yield the port."""
        loop, context = asyncio.get_running_loop(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(own.certificate, own.key)
        by_starttls = {"tls_context": context, "require_starttls": True}
        encrypted = {"auth_require_tls": False} if from_the_start else by_starttls  # it knows of STARTTLS only
        admits = {"authenticator": _admits, "auth_required": True} if login else {"auth_exclude_mechanism": ALL}
        server = await loop.create_server(
            lambda: SMTP(self, hostname="localhost", loop=loop, **encrypted, **admits), "127.0.0.1", 0,
            ssl=context if from_the_start else None,
        )  # fmt: skip
        async with server:
            yield server.sockets[0].getsockname()[1]

    @asynccontextmanager
    async def open(self, port: int = 0) -> AsyncIterator[int]:
        """Serve on a free port, or on the given one; yield the port."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(self, hostname="localhost", loop=loop), "127.0.0.1", port)
        async with server:
            yield server.sockets[0].getsockname()[1]
