"""What a person may ask of a service that holds their name: to be erased, and to be told what is held.

An erasure is recorded before the key is destroyed; whoever hears the record, or starts on a database that was restored,
destroys the key again. No recorded byte changes.
"""

from __future__ import annotations

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
    expected_version: int | None = None,
) -> Commit | Rejection:
    """Record that a person is erased, then destroy the key."""
    person = stream.partition("/")[2]
    if not expected_version and not await keys.knows(person):
        return await commands.refuse(command, context, NothingIsHeldOfPerson(person))
    outcome = await commands.handle(stream, command, context, expected_version)
    if isinstance(outcome, Commit):
        await keys.destroy(person)
    return outcome


async def forget_again(store: EventStore, keys: KeyRing, kind: str) -> None:
    """Destroy the keys of persons who were erased on record, should a backup have brought one back."""
    async for stream in store.streams(kind):
        person = stream.partition("/")[2]
        if not await keys.erased(person):
            await keys.destroy(person)
