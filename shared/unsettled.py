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
    _irregular: set[str] = field(default_factory=set)

    def result(self) -> tuple[dict[str, Folded], set[str]]:
        """Return the new states, and the streams to be folded from the journal."""
        depending = {
            stream: folded._replace(depends_on=self.states.aggregate_of(stream).depends_on(folded.state))
            for stream, folded in self._folded.items()
        }
        return depending, self._irregular

    async def take(self, lines: Mapping[str, Sequence[Heard]]) -> None:
        """Fold on each stream what was heard of it."""
        self._folded |= await self.states.read(lines.keys() - self._folded.keys() - self._irregular)
        for stream, events in lines.items():
            if stream not in self._irregular:
                self._fold(self._folded[stream], events)

    def _fold(self, before: Folded, events: Sequence[Heard]) -> None:
        if before.waits or events[0].recorded.streamversion != before.version + 1:
            self.leave_to_journal([before.stream])
            return
        outcome = advance(self.states.aggregate_of(before.stream), before, events)
        if outcome is None or outcome.folded.waits:
            self.leave_to_journal([before.stream])
        else:
            self._folded[before.stream] = outcome.folded._replace(acted=acted(before, events, self.concerns))

    def leave_to_journal(self, streams: Iterable[str]) -> None:
        """Fold these from the journal when it is settled."""
        for stream in streams:
            self._folded.pop(stream, None)
            self._irregular.add(stream)


def acted(before: Folded, events: Sequence[Heard], concerns: Callable[[Recorded], bool] | None) -> int:
    """Return up to which version policies have acted, if none of these events concerns one."""
    if concerns is None or before.acted != before.version or any(concerns(event.recorded) for event in events):
        return before.acted
    return events[-1].recorded.streamversion if events else before.acted
