"""Erases a person from a service that holds their name, by destroying the key.

The service records an erasure before it destroys the key; it destroys it again when it consumes the record, and when it
starts, for its database may have been restored. No recorded byte changes.
"""

from __future__ import annotations

from collections.abc import Container

import structlog

from shared.domain.aggregate import Command, Context
from shared.domain.rejections import NothingIsHeldOfPerson, Rejection
from shared.privacy.key_ring import KeyRing
from shared.store.command_handler import CommandHandler
from shared.store.event_store import Commit, EventStore

log = structlog.get_logger()


async def erase(
    commands: CommandHandler,
    keys: KeyRing,
    stream: str,
    command: Command,
    context: Context,
    expected: Container[int] | None = None,
) -> Commit | Rejection:
    """Record the erasure of a person, then destroy the key."""
    person = stream.partition("/")[2]
    if (expected is None or 0 in expected) and not await keys.knows(person):
        return await commands.refuse(command, context, NothingIsHeldOfPerson(person))
    outcome = await commands.handle(stream, command, context, expected)
    if isinstance(outcome, Commit):
        await keys.destroy(person)
    return outcome


async def redo_erasures(store: EventStore, keys: KeyRing, kind: str) -> None:
    """Destroy the keys of all persons erased on record: a backup may have restored one."""
    async for stream in store.streams(kind):
        person = stream.partition("/")[2]
        if not await keys.erased(person):
            await keys.destroy(person)
