"""The mail about an event: its name, its stream, how to see it. Nothing personal but the `To` header."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from pydantic import ValidationError

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
        except (ValidationError, MessageError, ValueError):
            return NotTaken("unreadable_address", temporary=False)
        return Email(details.address, content)


def mail(
    planned: NotificationPlanned, recorded_at: str | None, details: SubscriberDetails, sender: str, now: datetime
) -> bytes:
    """Return the bytes of a mail, with CRLF; every sender of a notification gives it the same Message-ID."""
    event = planned.event_type.split(".")[-2]
    kind, _, key = planned.stream.partition("/")
    message = EmailMessage(policy=SMTP)
    message["From"] = Address("Throughline", addr_spec=sender)
    message["To"] = Address(details.name, addr_spec=details.address)
    message["Subject"] = f"{event}: {key}"
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{planned.notification}@{sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
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
    return message.as_bytes()


def _history(planned: NotificationPlanned) -> str:
    """Return the query that shows a stream without a trace to the secretariat and to auditors."""
    return f"GET /streams/{planned.stream} of the {planned.event_type.split('.')[1]} service"
