"""What was heard since the last settling, folded in memory: it is stored at once, however many batches it came in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.events.catalogue import Recorded
from shared.folding import States
from shared.folds import Folded, advance
from shared.intake import Heard


@dataclass
class Unsettled:
    """Streams whose next events came in order, with their new states; and those to be folded from the journal instead.

    A stream goes to the journal for any irregularity: a gap, a repeat, a correction, a broken chain, an open letter.
    """

    states: States
    concerns: Callable[[Recorded], bool] | None = None
    _folded: dict[str, Folded] = field(default_factory=dict)
    irregular: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        """Return how many states are held."""
        return len(self._folded)

    async def store(self) -> dict[str, Folded]:
        """Store the new states, hold them no longer, and return their versions; if one was stored meanwhile, none."""
        folded = {
            stream: state._replace(depends_on=self.states.aggregate_of(stream).depends_on(state.state))
            for stream, state in self._folded.items()
        }
        if not await self.states.write(folded.values()):
            self.leave_to_journal(folded)
        stored = {stream: slim(folded[stream]) for stream in self._folded}
        self._folded.clear()
        return stored

    async def take(self, lines: Mapping[str, Sequence[Heard]]) -> None:
        """Fold on each stream what was heard of it."""
        self._folded |= await self.states.read(lines.keys() - self._folded.keys() - self.irregular)
        for stream, events in lines.items():
            if stream not in self.irregular:
                self._fold(self._folded[stream], events)

    def _fold(self, before: Folded, events: Sequence[Heard]) -> None:
        if before.waits or events[0].recorded.streamversion != before.version + 1:
            self.leave_to_journal([before.stream])
            return
        outcome = advance(self.states.aggregate_of(before.stream), before, events)
        if outcome is None or outcome.folded.waits:
            self.leave_to_journal([before.stream])
        else:
            self._folded[before.stream] = acted(before, outcome.folded, events, self.concerns)

    def leave_to_journal(self, streams: Iterable[str]) -> None:
        """Fold these from the journal when it is settled."""
        for stream in streams:
            self._folded.pop(stream, None)
            self.irregular.add(stream)


def acted(
    before: Folded, after: Folded, events: Sequence[Heard], concerns: Callable[[Recorded], bool] | None
) -> Folded:
    """Return the state with `acted` raised to its version, if no policy is due before these events or by them."""
    if concerns is None or before.acted < before.version or before.acted >= after.version:
        return after
    new = range(before.acted + 1, after.version + 1)
    if any(event.recorded.streamversion in new and concerns(event.recorded) for event in events):
        return after
    return after._replace(acted=after.version)


def slim(folded: Folded) -> Folded:
    """Return what is left to do for a state that is stored; a stretch may touch very many."""
    return folded._replace(state=None, line="", depends_on=frozenset())
