"""Handles a command with a person's details, which are encrypted before it is decided upon or stored."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass

from shared.domain.aggregate import Command, Context
from shared.domain.rejections import CommandIdReused, Rejection
from shared.events.values import Sealed
from shared.privacy.key_ring import KeyRing
from shared.store.command_handler import CommandHandler, digest_of
from shared.store.event_store import Commit


@dataclass(frozen=True)
class PersonNamed:
    """A person with details in plain text, and who names them, as `KeyRing.encrypt` takes it."""

    person: str
    details: Mapping[str, str]
    owner: str | None = None
    owned: bool = False


async def handle_encrypted(
    commands: CommandHandler,
    keys: KeyRing,
    stream: str,
    named: PersonNamed,
    build: Callable[[Sealed], Command],
    context: Context,
    expected: Container[int] | None = None,
) -> Commit | Rejection:
    """Execute the command that `build` makes of the encrypted details.

    A dry run decides first, so that a refused command creates no key, and nobody learns of an erasure who may not
    command at all. A draft made before the person's key is another command than the one that a concurrent sender of the
    same command id stored: it is made once more, under that key.
    """
    for _ in range(2):
        draft = build(await keys.draft(named.person, named.details))
        decided = await commands.handle(stream, draft, context, expected, record_refusal=False, dry_run=True)
        if not isinstance(decided, CommandIdReused):
            break
    if isinstance(decided, Rejection):
        return await commands.refuse(draft, context, decided, digest_of(stream, draft))
    sealed = await keys.encrypt(named.person, named.details, named.owner, owned=named.owned)
    if isinstance(sealed, Rejection):
        return await commands.refuse(draft, context, sealed)
    return await commands.handle(stream, build(sealed), context, expected)
