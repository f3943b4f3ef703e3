"""The sending loop: claim by appending, speak SMTP, append the answer. Concurrent senders do no harm.

An attempt whose answer is missing for longer than any delivery lasts was interrupted; it is called uncertain, and only
a person sends it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeVar
from uuid import uuid4

import structlog

from services.notifications.commands import (
    AttemptNotification,
    ReportDelivered,
    ReportFailed,
    ReportUncertain,
)
from services.notifications.domain.notification import Attempted, Planned, Postponed
from services.notifications.sending.courier import Answer, Courier, NoAnswer, NotTaken, Taken
from services.notifications.sending.emails import Email, Emails
from services.notifications.sending.settings import NotificationSettings
from shared.domain.aggregate import Command, Context
from shared.domain.rejections import Rejection
from shared.events.catalogue import Recorded
from shared.events.envelope import moment
from shared.events.notifications import NotificationAttempted
from shared.projection.fold import FoldedState
from shared.projection.state_store import StateStore
from shared.runtime.telemetry import NOTIFICATIONS, NOTIFICATIONS_STANDING, Pulse
from shared.store.command_handler import CommandHandler
from shared.store.event_store import Commit, Conflict, StoreFault, StoreFenced
from shared.store.policies import context_of

log = structlog.get_logger()

POLICY = "send-notification"
PAGE = 100
BEAT_SECONDS = 5.0
FINISH_SECONDS = 15.0
REST_ROUNDS = 10
RETRY_SECONDS = 1.0
MOST_COUNTED = 10_000
OUTCOMES = ("delivered", "postponed", "failed", "uncertain")
UNDELIVERED = ("planned", "attempted", "postponed", "failed", "uncertain")
T = TypeVar("T")


@dataclass
class Sender:
    """Sends planned notifications, one message at a time."""

    commands: CommandHandler
    states: StateStore
    emails: Emails
    settings: NotificationSettings
    pulse: Pulse
    relay: Pulse

    @cached_property
    def _courier(self) -> Courier:
        return Courier(self.settings.smtp_server(), self.settings.smtp_sender, self.settings.smtp_timeout)

    async def run(self) -> None:
        """Send until cancelled, and finish the message in hand; rest while the SMTP server is unreachable.

        Nothing is sent while the relay is in trouble: the store may have been restored from an older backup, which
        lacks some of the sent messages, and the relay may not have noticed yet.
        """
        for outcome in OUTCOMES:  # each counts from 0: Prometheus sees no increase where a series begins with 1
            NOTIFICATIONS.labels("notifications", outcome)
        while True:
            pause = self.settings.look_every
            try:
                if self.relay.trouble:
                    self.pulse.fault("waits for the relay")
                elif await self.look():
                    self.pulse.beat()
                else:
                    self.pulse.beat()
                    pause *= REST_ROUNDS
            except (StoreFault, StoreFenced) as error:
                self.pulse.fault(f"store: {type(error).__name__}")
                log.warning("sender_interrupted", error=type(error).__name__)
            await asyncio.sleep(pause)

    async def measure(self) -> None:
        """Set the metrics of how many notifications are not delivered, by standing."""
        for standing in UNDELIVERED:
            count = await self.states.count("notification", {"standing": standing}, MOST_COUNTED)
            NOTIFICATIONS_STANDING.labels("notifications", standing).set(count)

    async def look(self) -> bool:
        """Mark interrupted attempts uncertain, attempt due notifications. False if the SMTP server cannot be used."""
        async for folded in self._standing("attempted"):
            if _age(folded.state.at) > self.settings.interrupted_after:
                await self._report_uncertain(folded)
        for standing in ("planned", "postponed"):
            async for folded in self._standing(standing):
                if self._due(folded.state) and not await self._in_hand(self._attempt(folded)):
                    return False
        return True

    async def send_claimed(self, commit: Commit) -> None:
        """Send the notification that a person has just claimed by a commit."""
        claim = commit.recorded[-1]
        known = await self.commands.known(claim.subject)
        if known is not None and isinstance(known.state, Attempted):
            await self._in_hand(self._send(claim, await self.emails.write(known.state.planned)))

    async def _standing(self, standing: str) -> AsyncIterator[FoldedState]:
        after: str | None = None
        while page := await self.states.find("notification", {"standing": standing}, PAGE, after):
            self.pulse.beat()
            for folded in page:
                yield folded
            after = page[-1].stream

    def _due(self, state: Planned | Postponed) -> bool:
        return isinstance(state, Planned) or _age(state.at) >= self.settings.pause_after(state.attempt)

    async def _attempt(self, folded: FoldedState) -> bool:
        email = await self.emails.write(folded.state.planned)
        commit = await self._append(folded, AttemptNotification())
        answer = await self._send(commit.recorded[-1], email) if commit else None
        return not (isinstance(answer, NotTaken) and (answer.reason == "unreachable" or answer.trouble))

    async def _report_uncertain(self, folded: FoldedState) -> None:
        commit = await self._append(folded, ReportUncertain(attempt=folded.state.attempt, reason="interrupted"))
        if commit is not None:
            _count(commit.recorded[-1], "uncertain")

    async def _append(self, folded: FoldedState, command: Command) -> Commit | None:
        """Append to a stream that is still at its folded version; None after a lost claim, which is no refusal."""
        head, recorded = await self.commands.store.read(folded.stream)
        if head.version != folded.version:
            return None
        context, expected = _context(recorded[-1]), {folded.version}
        try:
            outcome = await self.commands.handle(folded.stream, command, context, expected, record_refusal=False)
        except Conflict:
            return None
        return outcome if isinstance(outcome, Commit) else None

    async def _send(self, claim: Recorded, email: Email | NotTaken) -> Answer | None:
        """Deliver a claimed notification, unless its claim is so old that another may mark it interrupted meanwhile."""
        if _age(claim.time) > self.settings.interrupted_after - 2 * self.settings.smtp_timeout:
            return None
        if isinstance(email, NotTaken):
            await self._report(claim, email)
            return email
        answer = await self._courier.deliver(email.recipient, email.content)
        self.pulse.warning = answer.trouble if isinstance(answer, NotTaken) else ""
        if self.pulse.warning:
            log.error("smtp_server_cannot_be_used", reason=self.pulse.warning)
        await self._report(claim, answer)
        return answer

    async def _report(self, claim: Recorded, answer: Answer) -> None:
        """Append the outcome of an attempt; retry until the database stores it."""
        command, context = self._answered(claim, answer), _context(claim)
        while True:
            try:
                outcome = await self.commands.handle(claim.subject, command, context)
                break
            except (StoreFault, StoreFenced, Conflict) as error:
                log.warning("answer_not_stored_yet", stream=claim.subject, error=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
        if isinstance(outcome, Rejection):
            log.error("answer_refused", stream=claim.subject, rule=outcome.rule)
        else:
            _count(claim, _outcome(command))

    def _answered(self, claim: Recorded, answer: Answer) -> Command:
        assert isinstance(claim.data, NotificationAttempted)
        attempt = claim.data.attempt
        match answer:
            case Taken(code=code):
                return ReportDelivered(attempt=attempt, smtp_code=code)
            case NotTaken(reason=reason, temporary=temporary, code=code):
                temporary = temporary and attempt < self.settings.retry_attempts
                return ReportFailed(attempt=attempt, reason=reason, temporary=temporary, smtp_code=code)
            case NoAnswer():
                return ReportUncertain(attempt=attempt, reason="no_answer")

    async def _in_hand(self, work: Coroutine[Any, Any, T]) -> T:
        """Await work, and let it finish for a while after a cancellation: a half-sent message would be uncertain."""
        task = asyncio.create_task(work)
        try:
            while not task.done():
                self.pulse.beat()
                await asyncio.wait({task}, timeout=BEAT_SECONDS)
        except asyncio.CancelledError:
            await asyncio.wait({task}, timeout=FINISH_SECONDS)
            raise
        return task.result()


def _context(cause: Recorded) -> Context:
    return context_of(cause, POLICY, str(uuid4()))


def _age(time: str) -> float:
    return (datetime.now(UTC) - moment(time)).total_seconds()


def _outcome(report: Command) -> str:
    match report:
        case ReportDelivered():
            return "delivered"
        case ReportFailed(temporary=temporary):
            return "postponed" if temporary else "failed"
        case _:
            return "uncertain"


def _count(cause: Recorded, outcome: str) -> None:
    NOTIFICATIONS.labels("notifications", outcome).inc()
    log.info(
        f"notification_{outcome}",
        stream=cause.subject,
        correlation_id=cause.correlationid,
        causation_id=cause.causationid,
    )
