"""Conflicts: several events that claim one version of a stream. The chain of hashes chooses, else a person.

A choice once made stays, in whatever order the records are delivered again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import structlog

from shared.consumer.dead_letters import CONFLICT, DeadLetters
from shared.consumer.dead_letters import to_record as record_of_dead_letter
from shared.consumer.decoding import decode_record
from shared.consumer.record import UNSIGNED, ConsumedEvent, Poison
from shared.events.canonical import ZERO_HASH
from shared.projection.fold import FoldedState
from shared.projection.journal import Journal, to_record
from shared.tlog.batches import NotAProof
from shared.tlog.trust import LogTrust

log = structlog.get_logger()

BROKEN_CHAIN = "broken_chain"


def choose(
    candidates: Sequence[ConsumedEvent], previous_hash: str | None, next_previous_hashes: Collection[str]
) -> ConsumedEvent | None:
    """Choose the true one of several events for a version, live and in replay; None where the chain does not tell.

    That is the only one that continues the version before, else the only one of these that the next version names.
    `previous_hash` is None where the version before is not known.
    """
    continuing = [event for event in candidates if previous_hash in (None, event.recorded.previoushash)]
    if len(continuing) > 1:
        continuing = [event for event in continuing if event.hash in next_previous_hashes]
    return continuing[0] if len(continuing) == 1 else None


@dataclass
class ConflictResolver:
    """The conflicts of one service, between its journal and its dead letters."""

    journal: Journal
    dead_letters: DeadLetters
    trust: LogTrust

    async def quarantine(self, event: ConsumedEvent) -> None:
        """Move an event that breaks the chain from the journal to the dead letters, so that its place is free."""
        stream, version = event.key
        detail = f"its previoushash is not the hash of version {version - 1}"
        await self.dead_letters.add(
            [Poison(to_record(event), BROKEN_CHAIN, detail, stream, version)], {stream: version}
        )  # fmt: skip
        await self.journal.remove(event)
        log.error("broken_chain", stream=stream, version=version, origin=event.origin)

    def is_proven(self, event: ConsumedEvent) -> bool:
        """Tell whether a trusted key signed a journalled event."""
        try:
            service = event.recorded.data.service
            self.trust.check(service, event.position, bytes.fromhex(event.leaf), event.proof)
        except NotAProof:
            return False
        return True

    async def set_aside_unproven(self, event: ConsumedEvent) -> None:
        """Move an event that no trusted key signed from the journal to the dead letters."""
        await self.dead_letters.add([Poison(to_record(event), UNSIGNED, "no trusted key signed it")], {})
        await self.journal.remove(event)
        stream, version = event.key
        log.error("unsigned_event", stream=stream, version=version, origin=event.origin)

    async def resolve(self, held: ConsumedEvent, newcomer: ConsumedEvent) -> None:
        """Keep the event in the journal that the chain names, else quarantine both; one without a proof gives way.

        No chain names a position: of the same bytes at two positions the lower one holds, in any order of delivery.
        """
        stream, version = held.key
        if not self.is_proven(held):
            if held.raw != newcomer.raw:
                await self.set_aside_unproven(held)
            else:
                await self.journal.remove(held)
            await self.journal.insert([newcomer])
            return
        conflict = "conflicting_positions" if held.raw == newcomer.raw else "conflicting_bytes"
        log.error(conflict, stream=stream, version=version, held=held.origin, newcomer=newcomer.origin)
        if held.raw == newcomer.raw:
            await self.journal.lower_position(newcomer)
            return
        previous = await self._hash_before(stream, version)
        broken = [event for event in (held, newcomer) if previous not in (None, event.recorded.previoushash)]
        if len(broken) == 1:
            await self.quarantine(broken[0])
            await self.journal.insert([newcomer] if broken[0] is held else [])
            return
        standing = await self._standing(newcomer)
        if standing == "resolved":
            await self._set_aside(held, accepted=newcomer)
            await self.dead_letters.close(held.origin, "refused", "another was named before")
        elif standing == "open":
            await self._set_aside(newcomer, accepted=held)
            if choose([held, newcomer], previous, await self._next_previous_hashes(stream, version)) is not held:
                await self._set_aside(held)

    async def _standing(self, event: ConsumedEvent) -> str:
        """Return the standing of an event's dead letter: `resolved` only where this event was accepted by name."""
        dead_letter = await self.dead_letters.get(event.origin)
        if dead_letter is not None and bytes(dead_letter["value"]) != event.raw:  # of a topic that was made again
            return "open"
        if dead_letter is None or (dead_letter["standing"] == "resolved" and dead_letter["reason"] != CONFLICT):
            return "open"
        return str(dead_letter["standing"])

    async def _hash_before(self, stream: str, version: int) -> str | None:
        """Return the hash of the version before; None where it is not known."""
        if version == 1:
            return ZERO_HASH
        previous = await self.journal.get(stream, version - 1)
        return previous.hash if previous else None

    async def _next_previous_hashes(self, stream: str, version: int) -> set[str]:
        following = await self.journal.get(stream, version + 1)
        return {following.recorded.previoushash} if following else set()

    async def _set_aside(self, event: ConsumedEvent, accepted: ConsumedEvent | None = None) -> None:
        """Quarantine a candidate, and give its place to the accepted one, if any."""
        stream, version = event.key
        await self.dead_letters.add([conflicting(event)], {stream: version})
        await self.journal.remove(event)
        await self.journal.insert([accepted] if accepted else [])

    async def reinstate(self, folded: Mapping[str, FoldedState]) -> set[str]:
        """Accept dead letters that the chain now names; return the streams to fold again."""
        reinstated: set[str] = set()
        for dead_letter in await self.dead_letters.open_for(folded):
            state = folded[dead_letter["stream"]]
            event = decode_record(record_of_dead_letter(dead_letter), self.trust)
            if isinstance(event, Poison) or event.recorded.streamversion != state.version + 1:
                continue
            if dead_letter["reason"] == BROKEN_CHAIN and event.recorded.previoushash == state.hash:
                await self.accept(event, "its predecessor has arrived")
                reinstated.add(state.stream)
            elif dead_letter["reason"] == CONFLICT and event.hash in await self._next_previous_hashes(*event.key):
                await self.accept(event, "the next version names it")
                reinstated.add(state.stream)
        return reinstated

    async def accept(self, event: ConsumedEvent, reason: str, actor: str | None = None) -> None:
        """Journal a quarantined event as the true one of its version, and refuse its other candidates."""
        await self.journal.insert([event])
        await self.dead_letters.close(event.origin, "resolved", reason, actor)
        for dead_letter in await self.dead_letters.open_for([event.recorded.subject]):
            if dead_letter["reason"] == CONFLICT and dead_letter["version"] == event.recorded.streamversion:
                await self.dead_letters.close(dead_letter["_id"], "refused", f"not the one named: {reason}", actor)


def conflicting(event: ConsumedEvent) -> Poison:
    """Return an event as one of several candidates for its version."""
    stream, version = event.key
    return Poison(to_record(event), CONFLICT, "other bytes for a version that is known", stream, version)
