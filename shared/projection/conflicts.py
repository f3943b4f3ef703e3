"""Which of several records for one version is the true one: the chain decides, then a person's word.

What is decided once stays decided, in whatever order the records are heard again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from shared.consumer.dead_letters import CONFLICT, DeadLetters
from shared.consumer.dead_letters import to_record as record_of_dead_letter
from shared.consumer.record import ConsumedEvent, Poison, decode_record
from shared.events.canonical import ZERO_HASH
from shared.projection.fold import FoldedState
from shared.projection.journal import Journal, to_record

log = structlog.get_logger()

BROKEN_CHAIN = "broken_chain"


@dataclass
class ConflictResolver:
    """The disputes of one service: what its journal holds, and what was set aside."""

    journal: Journal
    letters: DeadLetters

    async def quarantine(self, event: ConsumedEvent) -> None:
        """Set an event aside that does not continue its stream, so that its place is free."""
        stream, version = event.key
        detail = f"its previoushash is not the hash of version {version - 1}"
        await self.letters.keep([Poison(to_record(event), BROKEN_CHAIN, detail, stream, version)], {stream: version})
        await self.journal.remove(event)
        log.error("broken_chain", stream=stream, version=version, origin=event.origin)

    async def settle(self, held: ConsumedEvent, newcomer: ConsumedEvent) -> None:
        """Other bytes for a known version: keep the one that the versions beside it name, else set both aside.

        No chain names a position. Of the same bytes at two, the lower one holds, in whatever order they are heard.
        """
        stream, version = held.key
        what = "conflicting_positions" if held.raw == newcomer.raw else "conflicting_bytes"
        log.error(what, stream=stream, version=version, held=held.origin, newcomer=newcomer.origin)
        if held.raw == newcomer.raw:
            await self.journal.lower(newcomer)
            return
        breaking = await self._breaking(held, newcomer)
        if breaking is not None:
            await self.quarantine(breaking)
            await self.journal.enter([newcomer] if breaking is held else [])
            return
        decided = await self._decided(newcomer)
        if decided == "resolved":
            await self._set_aside(held, named=newcomer)
            await self.letters.close(held.origin, "refused", "another was named before")
        elif decided == "open":
            await self._set_aside(newcomer, named=held)
            if await self._named_by_next(held) != held.hash:
                await self._set_aside(held)

    async def _decided(self, event: ConsumedEvent) -> str:
        """Return the standing of an event's letter; that its version came by another is no word for the event."""
        letter = await self.letters.get(event.origin)
        if letter is None or (letter["standing"] == "resolved" and letter["reason"] != CONFLICT):
            return "open"
        return str(letter["standing"])

    async def _breaking(self, *candidates: ConsumedEvent) -> ConsumedEvent | None:
        """Return the only one of two that does not continue the version before, where that can be told."""
        stream, version = candidates[0].key
        before = await self.journal.get(stream, version - 1) if version > 1 else None
        if before is None and version > 1:
            return None
        previous = before.hash if before else ZERO_HASH
        broken = [event for event in candidates if event.recorded.previoushash != previous]
        return broken[0] if len(broken) == 1 else None

    async def _set_aside(self, event: ConsumedEvent, named: ConsumedEvent | None = None) -> None:
        """Keep a candidate as a letter, and leave its place to the one named, or to nobody."""
        stream, version = event.key
        await self.letters.keep([conflicting(event)], {stream: version})
        await self.journal.remove(event)
        await self.journal.enter([named] if named else [])

    async def reinstate(self, folded: Mapping[str, FoldedState]) -> set[str]:
        """Give set-aside events their places where the chain now names them; return the streams to fold again."""
        again: set[str] = set()
        for letter in await self.letters.open_for(folded):
            state = folded[letter["stream"]]
            event = decode_record(record_of_dead_letter(letter))
            if isinstance(event, Poison) or event.recorded.streamversion != state.version + 1:
                continue
            if letter["reason"] == BROKEN_CHAIN and event.recorded.previoushash == state.hash:
                await self.name(event, "its predecessor has arrived")
                again.add(state.stream)
            elif letter["reason"] == CONFLICT and event.hash == await self._named_by_next(event):
                await self.name(event, "the next version names it")
                again.add(state.stream)
        return again

    async def _named_by_next(self, event: ConsumedEvent) -> str | None:
        stream, version = event.key
        following = await self.journal.get(stream, version + 1)
        return following.recorded.previoushash if following else None

    async def name(self, event: ConsumedEvent, reason: str, actor: str | None = None) -> None:
        """Journal a set-aside event as the true one of its version; other candidates for it are refused."""
        await self.journal.enter([event])
        await self.letters.close(event.origin, "resolved", reason, actor)
        for letter in await self.letters.open_for([event.recorded.subject]):
            if letter["reason"] == CONFLICT and letter["version"] == event.recorded.streamversion:
                await self.letters.close(letter["_id"], "refused", f"not the one named: {reason}", actor)


def conflicting(event: ConsumedEvent) -> Poison:
    """Return an event as one of several candidates for its version."""
    stream, version = event.key
    return Poison(to_record(event), CONFLICT, "other bytes for a version that is known", stream, version)
