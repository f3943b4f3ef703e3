"""Subscribed topics and policies, as one table.

| event | from | effect |
|---|---|---|
| every event of recommendations and meetings | Kafka | journal, fold, compose the traces that depend on it |
| RecommendationSuperseded / Merged / Split (the closing side) | own topic | the other side notes it: `NoteLineage` |
| RecordVoided | own topic | what followed from the void event is voided, by the inverse in docs/policies.md |
| InstrumentRegistered, a correction or void that gives it the keys of another | own topic | `NoteDoubleRegistration` |
"""

from __future__ import annotations

from services.recommendations.commands import NoteDoubleRegistration
from services.recommendations.domain.instrument import Registered
from services.recommendations.domain.instrument_keys import keys
from services.recommendations.domain.lineage import meant_for
from services.recommendations.handlers import Handlers
from shared.domain.aggregate import Command
from shared.events.catalogue import Recorded
from shared.events.event import Correction, Voiding
from shared.events.recommendations import InstrumentRegistered
from shared.store.command_handler import KeyLookup, no_namesakes
from shared.store.policies import Handle, react


class Policies:
    """The policies of this service; a second reaction to an event does nothing.

    `namesakes` finds the instruments that were registered under the same keys by a race.
    """

    def __init__(self, handlers: Handlers, namesakes: KeyLookup = no_namesakes) -> None:
        self.handle: Handle = handlers.handle
        self._known = handlers.known
        self._namesakes = namesakes

    def handles(self, event: Recorded) -> bool:
        """Tell whether a policy reacts to an event."""
        return bool(_notes(event)) or _registers(event)

    async def react(self, event: Recorded) -> None:
        """Note in other recommendations, and in instruments registered twice, how an event concerns them."""
        if _registers(event):
            await self._note_doubles(event)
        for reference, command in _notes(event).items():
            stream = f"recommendation/{reference}"
            await react(self.handle, event, "note-lineage", stream, command, target=reference)

    async def affected(self, event: Recorded) -> list[str]:
        """Return the other recommendations that note an event."""
        return [f"recommendation/{reference}" for reference in _notes(event)]

    async def _note_doubles(self, event: Recorded) -> None:
        known = await self._known(event.subject)
        if known is None or not isinstance(known.state, Registered):
            return
        for other in sorted(await self._namesakes("instrument", keys(known.state.registered.data)) - {event.subject}):
            for stream, double in ((event.subject, other), (other, event.subject)):
                await self._note_double(event, stream, double.partition("/")[2])

    async def _note_double(self, event: Recorded, stream: str, other: str) -> None:
        known = await self._known(stream)
        if known is not None and isinstance(known.state, Registered) and not known.state.is_double_of(other):
            command, target = NoteDoubleRegistration(other=other), f"{stream} {other}"
            await react(self.handle, event, "note-double-registration", stream, command, target=target)


def _registers(event: Recorded) -> bool:
    """Tell whether an event may put an instrument under the keys of another."""
    kinds = InstrumentRegistered | Correction | Voiding
    return event.subject.startswith("instrument/") and isinstance(event.data, kinds)


def _notes(event: Recorded) -> dict[str, Command]:
    return {**meant_for(event.data, event.subject.partition("/")[2])}
