"""SMTP delivery, step by step, so that a certain outcome is distinct from an uncertain one.

Until the client hands the message over, the server cannot have accepted it; afterwards only its answer is certain.
Codes are stored; the server's words never are, for they may hold the address.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from aiosmtplib import SMTP, SMTPException, SMTPRecipientRefused, SMTPResponseException

from services.notifications.sending.smtp_server import SmtpServer

_LEADING_DOT = re.compile(rb"(?m)^\.")
_START_INPUT = 354
_QUIT_SECONDS = 2.0


@dataclass(frozen=True)
class Taken:
    """The server accepted the message."""

    code: int


@dataclass(frozen=True)
class NotTaken:
    """The server certainly did not accept it; `temporary` if it may later."""

    reason: Literal[
        "refused", "unreachable", "rejected_recipient", "subscription_ended", "unreadable_address", "person_erased"
    ]
    temporary: bool
    code: int | None = None
    trouble: str = field(default="", compare=False)
    """The setting that an operator is to change first: no other message will be accepted before."""


@dataclass(frozen=True)
class NoAnswer:
    """The message was handed over, and no certain answer came."""


Answer = Taken | NotTaken | NoAnswer


@dataclass(frozen=True)
class Courier:
    """SMTP client for one message at a time; each half, before and after the message, takes `timeout` at most."""

    server: SmtpServer
    sender: str
    timeout: float

    async def deliver(self, recipient: str, message: bytes) -> Answer:
        """Speak SMTP with the server. Never raises what the server or the network did."""
        client = self.server.client(self.timeout)
        try:
            async with asyncio.timeout(self.timeout):
                refusal = await self._offer(client, recipient)
            return refusal or await self._hand_over(client, message)
        except (SMTPException, OSError) as error:
            return NotTaken("unreachable", temporary=True, trouble=await self.server.trouble(error))
        finally:
            await _leave(client)

    async def _offer(self, client: SMTP, recipient: str) -> NotTaken | None:
        """Offer a message up to the server's invitation to send it; return its refusal, or None."""
        try:
            await client.connect()
        except SMTPResponseException as answer:  # about the server, not about this message
            trouble = await self.server.trouble(answer)
            return NotTaken("refused", temporary=True, code=_valid(answer.code), trouble=trouble)
        try:
            await client.mail(self.sender)
            await client.rcpt(recipient)
            invitation = await client.execute_command(b"DATA")
        except SMTPRecipientRefused as answer:
            return _refusal("rejected_recipient", answer.code)
        except SMTPResponseException as answer:
            return _refusal("refused", answer.code)
        return None if invitation.code == _START_INPUT else _refusal("refused", invitation.code)

    async def _hand_over(self, client: SMTP, message: bytes) -> Answer:
        if client.protocol is None:
            return NotTaken("unreachable", temporary=True)
        client.protocol.write(_LEADING_DOT.sub(b"..", message) + b".\r\n")
        try:
            code = (await client.protocol.read_response(timeout=self.timeout)).code
        except (SMTPException, OSError):
            return NoAnswer()
        match code // 100:
            case 2:
                return Taken(code)
            case 4 | 5:
                return _refusal("refused", code)
            case _:
                return NoAnswer()


def _refusal(reason: Literal["refused", "rejected_recipient"], code: int) -> NotTaken:
    return NotTaken(reason, temporary=code < 500, code=_valid(code))


def _valid(code: int) -> int | None:
    return code if 200 <= code <= 599 else None


async def _leave(client: SMTP) -> None:
    with suppress(SMTPException, OSError):
        if client.is_connected:
            await client.quit(timeout=_QUIT_SECONDS)
    client.close()
