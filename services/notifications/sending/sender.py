"""The loop that sends: claim by appending, speak SMTP, append the answer. Two senders at once do no harm.

An attempt whose answer is missing for longer than any delivery lasts was interrupted; it is called uncertain, and only
a person sends it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4

import structlog

from services.notifications.commands import (
    AttemptNotification,
    ReportDelivered,
    ReportFailed,
    ReportUncertain,
)
from services.notifications.domain.notification import NOTIFICATION, Attempted, Planned, Postponed
from services.notifications.sending.courier import Answer, Courier, NoAnswer, NotTaken, Taken
from services.notifications.sending.emails import Email, Emails
from services.notifications.sending.settings import NotificationSettings
from shared.domain.aggregate import Command, Context
from shared.domain.rejections import Rejection
from shared.events.catalogue import Recorded, decode
from shared.events.envelope import moment
from shared.events.notifications import NotificationAttempted
from shared.projection.fold import FoldedState
from shared.projection.state_store import StateStore
from shared.runtime.telemetry import NOTIFICATIONS, Pulse
from shared.store.command_handler import CommandHandler, digest_of, handle
from shared.store.event_store import Commit, Conflict, StoreFault, StoreFenced

log = structlog.get_logger()

ACTOR = "policy:send-notification"
PAGE = 100
BEAT_SECONDS = 5.0
FINISH_SECONDS = 15.0
REST_ROUNDS = 10
RETRY_SECONDS = 1.0
T = TypeVar("T")


@dataclass
class Sender:
    """Sends what is planned, one message at a time."""

    ledgers: CommandHandler
    states: StateStore
    letters: Emails
    settings: NotificationSettings
    pulse: Pulse
    relay: Pulse

    async def run(self) -> None:
        """Send until cancelled, the message in hand included; rest while the SMTP server is not there.

        Nothing is sent while the relay is in trouble: it may not have seen yet that the store was restored from an
        older backup, which does not know of all that was sent.
        """
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

    async def look(self) -> bool:
        """Call what was interrupted uncertain, attempt what is due. False if the SMTP server is not there."""
        async for folded in self._standing("attempted"):
            if _age(folded.state.at) > self.settings.interrupted_after:
                await self._interrupted(folded)
        for standing in ("planned", "postponed"):
            async for folded in self._standing(standing):
                if self._due(folded.state) and not await self._in_hand(self._attempt(folded)):
                    return False
        return True

    async def send_claimed(self, commit: Commit) -> None:
        """Send what a person has just claimed by a commit."""
        claim = decode(commit.events[-1])
        known = await self.ledgers.known(claim.subject)
        if known is not None and isinstance(known.state, Attempted):
            await self._in_hand(self._send(claim, await self.letters.write(known.state.planned)))

    async def _standing(self, standing: str) -> AsyncIterator[FoldedState]:
        after: str | None = None
        while page := await self.states.find("notification", {"standing": standing}, PAGE, after):
            for folded in page:
                yield folded
            after = page[-1].stream

    def _due(self, state: Planned | Postponed) -> bool:
        return isinstance(state, Planned) or _age(state.at) >= self.settings.pause_after(state.attempt)

    async def _attempt(self, folded: FoldedState) -> bool:
        letter = await self.letters.write(folded.state.planned)
        commit = await self._append(folded, AttemptNotification())
        answer = await self._send(decode(commit.events[-1]), letter) if commit else None
        return not (isinstance(answer, NotTaken) and answer.reason == "unreachable")

    async def _interrupted(self, folded: FoldedState) -> None:
        commit = await self._append(folded, ReportUncertain(attempt=folded.state.attempt, reason="interrupted"))
        if commit is not None:
            _count(decode(commit.events[-1]), "uncertain")

    async def _append(self, folded: FoldedState, command: Command) -> Commit | None:
        """Append to a record that is as it was heard to be; None where another was first, which is no refusal."""
        head, recorded = await self.ledgers.store.read(folded.stream)
        if head.version != folded.version:
            return None
        context = _context(recorded[-1])
        state = NOTIFICATION.fold(recorded)
        decision = NOTIFICATION.decide(state, command, stream=folded.stream, facts={}, context=context)
        if isinstance(decision, Rejection):
            return None
        try:
            return await self.ledgers.store.append(head, decision, context, digest_of(folded.stream, command))
        except Conflict:
            return None

    async def _send(self, claim: Recorded, letter: Email | NotTaken) -> Answer | None:
        """Deliver what was claimed, unless so long ago that it may be called interrupted before this ends."""
        if _age(claim.time) > self.settings.interrupted_after - 2 * self.settings.smtp_timeout:
            return None
        told = self.settings
        courier = Courier(told.smtp_host, told.smtp_port, told.smtp_sender, told.smtp_timeout)
        answer = letter if isinstance(letter, NotTaken) else await courier.deliver(letter.recipient, letter.content)
        await self._report(claim, answer)
        return answer

    async def _report(self, claim: Recorded, answer: Answer) -> None:
        """Append what became of an attempt, as often as the database needs to be asked."""
        command, context = self._answered(claim, answer), _context(claim)
        while True:
            try:
                outcome = await handle(self.ledgers, claim.subject, command, context)
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
        """Await work that a cancellation lets finish, for a while: a message half sent would be uncertain."""
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
    return Context(
        now=datetime.now(UTC),
        actor=ACTOR,
        role="system",
        command_id=str(uuid4()),
        correlation_id=cause.correlationid,
        causation_id=cause.id,
    )


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
