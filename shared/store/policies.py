"""Policies: commands that follow from events, once: a redelivered event repeats their command ids."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

import structlog

from shared.domain.aggregate import Command, Context
from shared.domain.rejections import Rejection
from shared.events.catalogue import Recorded
from shared.store.event_store import Commit
from shared.store.voiding import VoidRecord

log = structlog.get_logger()

Handle = Callable[[str, Command, Context], Awaitable[Commit | Rejection]]


def context_of(cause: Recorded, policy: str, command_id: str) -> Context:
    """Return the context of a command that a policy derives from an event."""
    return Context(
        now=datetime.now(UTC),
        actor=f"policy:{policy}",
        role="system",
        command_id=command_id,
        correlation_id=cause.correlationid,
        causation_id=cause.id,
    )


async def react(
    handle: Handle,
    cause: Recorded,
    policy: str,
    stream: str,
    command: Command,
    *,
    target: str | None = None,
    refusal_level: int = logging.ERROR,
) -> Commit | Rejection:
    """Carry out a command that follows from an event, at most once, and log a refusal.

    `target` tells several commands of one policy and event apart; it is part of the command id.
    """
    key = f"{cause.id}:{policy}" if target is None else f"{cause.id}:{policy}:{target}"
    outcome = await handle(stream, command, context_of(cause, policy, str(uuid5(NAMESPACE_URL, key))))
    if isinstance(outcome, Rejection):
        log.log(refusal_level, "policy_refused", policy=policy, event_id=cause.id, rule=outcome.rule)
    return outcome


async def void_effect(handle: Handle, void: Recorded, effect: Recorded) -> Commit | Rejection:
    """Void what followed from an event that is void now; it stays where later events rest on it."""
    reason = "It followed from an event that is void."
    command, target = VoidRecord(voids=effect.streamversion, reason=reason), f"{effect.subject}:{effect.streamversion}"
    return await react(
        handle, void, "void-effect", effect.subject, command, target=target, refusal_level=logging.WARNING
    )
