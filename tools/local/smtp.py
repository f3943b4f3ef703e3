"""A real SMTP server that stores each message as a file: python -m tools.local.smtp --port PORT --folder FOLDER."""

import argparse
import asyncio
import os
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from tools.local.ports import answers
from tools.local.processes import Child, wait_until


class Mail:
    """The server as a child of the stack, with messages in `folder`, for clients on `port`."""

    name = "smtp"

    def __init__(self, folder: Path, port: int) -> None:
        self.where = f"127.0.0.1:{port}"
        self._folder, self._port = folder, port

    def prepare(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def command(self) -> Sequence[str]:
        options = ["--port", str(self._port), "--folder", str(self._folder)]
        return [sys.executable, "-m", "tools.local.smtp", *options]

    def environment(self) -> Mapping[str, str]:
        return {}

    def await_ready(self, child: Child) -> None:
        wait_until(child, lambda: answers(self.where))


class MessageStore:
    """A folder of messages, each stored before it is acknowledged, with its envelope in headers as in mailboxes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        recipients = ", ".join(envelope.rcpt_tos)
        head = f"X-MailFrom: {envelope.mail_from}\r\nX-RcptTo: {recipients}\r\n".encode()
        await asyncio.to_thread(self._store, head + content)
        return "250 kept"

    def _store(self, message: bytes) -> None:
        name = f"{time.time_ns()}-{uuid.uuid4().hex[:8]}"
        partial = self._folder / f".{name}.partial"
        with partial.open("wb") as file:
            file.write(message)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(self._folder / f"{name}.eml")


async def serve(folder: Path, port: int, host: str = "127.0.0.1") -> None:
    """Serve until cancelled; an empty host is every address."""
    handler = MessageStore(folder)
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(handler, hostname="localhost", enable_SMTPUTF8=True), host, port
    )
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1", help="in a container: '', every address of it")
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.folder, arguments.port, arguments.host))
