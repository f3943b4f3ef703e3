"""The mail about an event: its name, its stream, how to see it. Nothing personal but the `To` header."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP, default
from email.utils import format_datetime, quote

from services.notifications.commands import SubscriberDetails
from services.notifications.domain.subscription import Absent, Active
from services.notifications.sending.courier import NotTaken
from shared.domain.voids import Void
from shared.events.notifications import NotificationPlanned
from shared.privacy.key_ring import KeyRing
from shared.projection.journal import Journal
from shared.store.command_handler import CommandHandler

_TEXT = """\
{event} was recorded{on}.

Record:   {stream}, version {version}
Event:    {event_id}
See it:   {where}

You are told because of your subscription {subscription}. The secretariat removes it when you ask.
"""
_ATOMS = re.compile("[A-Za-z0-9!#$%&'*+/^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/^_`{|}~-]+)*")
_LINE_LIMIT = 200


class Misread(ValueError):
    """A mail that a reader would take for something else than was meant."""


@dataclass(frozen=True)
class Email:
    """A mail and its recipient; no log may show either."""

    recipient: str = field(repr=False)
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Emails:
    """Writes mails to subscribers; it decrypts their addresses for nothing else."""

    commands: CommandHandler
    keys: KeyRing
    journal: Journal
    sender: str

    async def write(self, planned: NotificationPlanned) -> Email | NotTaken:
        """Write the mail of a notification, or return why there can be none."""
        subscription = await self.commands.known(f"subscription/{planned.subscription}")
        if subscription is None or isinstance(subscription.state, Absent | Void):
            return NotTaken("subscription_ended", temporary=False)
        sealed = subscription.state.added.sealed
        if await self.keys.erased(sealed.person):
            return NotTaken("person_erased", temporary=False)
        if not isinstance(subscription.state, Active):
            return NotTaken("subscription_ended", temporary=False)
        opened = await self.keys.decrypt(sealed)
        consumed = await self.journal.get(planned.stream, planned.stream_version)
        recorded_at = consumed.recorded.time if consumed and consumed.recorded.id == planned.event_id else None
        try:
            details = SubscriberDetails.model_validate(opened)
            content = mail(planned, recorded_at, details, self.sender, datetime.now(UTC))
        except ValueError:
            return NotTaken("unreadable_address", temporary=False)
        return Email(details.address, content)


def mail(
    planned: NotificationPlanned, recorded_at: str | None, details: SubscriberDetails, sender: str, now: datetime
) -> bytes:
    """Return the bytes of a mail, with CRLF; every sender of a notification gives it the same Message-ID.

    Raises Misread.
    """
    event = planned.event_type.rpartition(".")[0].rpartition(".")[2] or planned.event_type
    kind, _, key = planned.stream.partition("/")
    subject = f"{event}: {key}"
    headers = {
        "From": f"Throughline <{sender}>",
        "To": _mailbox(details),
        "Subject": subject if _is_plain(subject) else _encoded(subject, "Subject"),
        "Date": format_datetime(now),
        "Message-ID": f"<{planned.notification}@{sender.partition('@')[2]}>",
        "Auto-Submitted": "auto-generated",
    }
    message = EmailMessage(policy=SMTP)
    message.set_content(
        _TEXT.format(
            event=event,
            on=f" on {recorded_at}" if recorded_at else "",
            stream=planned.stream,
            version=planned.stream_version,
            event_id=planned.event_id,
            where=f"throughline trace {key}" if kind == "recommendation" else _history(planned),
            subscription=planned.subscription,
        )
    )
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    content = head.encode("ascii") + message.as_bytes()
    _check(content, [*headers, *message.keys()], details, subject)
    return content


def _mailbox(details: SubscriberDetails) -> str:
    """Format name and address for a header: the name is text, whatever it looks like."""
    if not _is_plain(details.name):
        return f"\r\n {_encoded(details.name)}\r\n <{details.address}>"
    name = details.name if _ATOMS.fullmatch(details.name) else f'"{quote(details.name)}"'
    return f"{name} <{details.address}>"


def _is_plain(text: str) -> bool:
    """Tell whether a header may show a text as it is: a reader decodes what looks like an encoded word (RFC 2047)."""
    return text.isascii() and "=?" not in text and len(text) <= _LINE_LIMIT and text == " ".join(text.split())


def _encoded(text: str, header: str = "") -> str:
    """Encode a text for a header as RFC 2047 has it."""
    return Header(text, "utf-8", maxlinelen=75, header_name=header).encode(linesep="\r\n")


def _check(content: bytes, headers: Sequence[str], details: SubscriberDetails, subject: str) -> None:
    """Read a mail as its recipient's program does: our headers, one address, that name. Raises Misread."""
    read = message_from_bytes(content, policy=default)
    if read.keys() != headers:
        raise Misread("it is read with other headers")
    shown = [(_without_blanks(to.display_name), to.addr_spec) for to in read["To"].addresses]
    if shown != [(_without_blanks(details.name), details.address)]:
        raise Misread("the header To is read as something else")
    if _without_blanks(read["Subject"]) != _without_blanks(subject):
        raise Misread("the header Subject is read as something else")


def _without_blanks(text: str) -> str:
    """Return a text without its blanks, of which some readers add one between two encoded words."""
    return "".join(text.split())


def _history(planned: NotificationPlanned) -> str:
    """Return the query that shows a stream without a trace to the secretariat and to auditors."""
    service = planned.event_type.removeprefix("throughline.").partition(".")[0]
    return f"GET /streams/{planned.stream} of the {service} service"
