"""Provenance: the events behind each statement of a trace."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import chain
from typing import Any, TypeVar

from services.recommendations.domain.foreign import MeetingReplica
from services.recommendations.domain.instrument import Registered
from services.recommendations.domain.recorded_fact import RecordedFact
from services.recommendations.domain.registers import Closed, OnRecord
from services.recommendations.trace.window import Window
from shared.domain.voids import Void
from shared.events.event import Event
from shared.events.recommendations import PriorityClosed
from shared.projection.fold import FoldedState

M = TypeVar("M")


class ProvenanceTracker:
    """The states of a trace by stream; it tracks the events (stream, versions) behind each statement."""

    def __init__(self, own: str, states: Mapping[str, FoldedState], window: Window) -> None:
        self.own = own
        self.window = window
        self._states = states
        self._behind: dict[str, dict[str, tuple[int, ...]]] = {}

    def instrument(self, instrument: str) -> Registered | None:
        """Return an instrument, if this service knows it."""
        return self._state(f"instrument/{instrument}", Registered)

    def meeting(self, meeting: str) -> MeetingReplica | None:
        """Return a meeting, if this service has consumed its events."""
        return self._state(f"meeting/{meeting}", MeetingReplica)

    def void(self, stream: str) -> Void | None:
        """Return the void of a stream that should not have been recorded."""
        return self._state(stream, Void)

    def recorded(self, stream: str) -> RecordedFact[Any] | None:
        """Return the recorded fact of a session, deliverable or priority."""
        state = self._states[stream].state if stream in self._states else None
        return state.recorded if isinstance(state, OnRecord | Closed) else None

    def closing(self, stream: str) -> RecordedFact[PriorityClosed] | None:
        """Return the closing of a priority that has ended."""
        state = self._states[stream].state if stream in self._states else None
        return state.closed if isinstance(state, Closed) else None

    def states_of(self, kind: str) -> list[tuple[str, Any]]:
        """Return the states of one kind of stream, by stream."""
        streams = sorted(stream for stream in self._states if stream.startswith(f"{kind}/"))
        return [(stream, self._states[stream].state) for stream in streams]

    def cite(self, instrument: str) -> str:
        """Return how to cite an instrument: by its id, where it is unknown."""
        known = self.instrument(instrument)
        return known.registered.data.cite if known else instrument

    def _state(self, stream: str, kind: type[M]) -> M | None:
        folded = self._states.get(stream)
        return folded.state if folded is not None and isinstance(folded.state, kind) else None

    def note(self, statement: str, stream: str, versions: tuple[int, ...]) -> None:
        """Put events behind a statement, each once."""
        streams = self._behind.setdefault(statement, {})
        streams[stream] = streams[stream] + versions if stream in streams else versions

    def own_fact(self, statement: str, item: RecordedFact[Event]) -> None:
        """Put an event of the recommendation itself behind a statement."""
        self.note(statement, self.own, item.versions)

    def provenance(self) -> dict[str, Any]:
        """Return the provenance: `statements`, for each the entries `stream versions`, as in `meeting/m1 1-3,7`."""
        return {
            "statements": {
                statement: [f"{stream} {spans(versions)}" for stream, versions in streams.items()]
                for statement, streams in self._behind.items()
            }
        }

    def based_on(self) -> list[list[str | int]]:
        """Return the streams that the trace rests on, each with its version and the hash of that event.

        By the chain of hashes it commits to every event of the stream before it.
        """
        return [
            [stream, folded.version, folded.hash] for stream, folded in sorted(self._states.items()) if folded.version
        ]


def versions_behind(statements: Mapping[str, list[str]]) -> dict[str, set[int]]:
    """Return, by stream, the versions of all events behind the statements of a trace."""
    behind: dict[str, set[int]] = {}
    for entry in chain.from_iterable(statements.values()):
        stream, parts = entry.split(" ")
        for part in parts.split(","):
            first, _, last = part.partition("-")
            behind.setdefault(stream, set()).update(range(int(first), int(last or first) + 1))
    return behind


@lru_cache(maxsize=16_384)
def spans(versions: tuple[int, ...]) -> str:
    """Return versions as spans: `1-3,7`."""
    parts: list[list[int]] = []
    for version in sorted(set(versions)):
        if parts and version == parts[-1][1] + 1:
            parts[-1][1] = version
        else:
            parts.append([version, version])
    return ",".join(f"{first}-{last}" if last > first else f"{first}" for first, last in parts)


def known_fields(**fields: Any) -> dict[str, Any]:
    """Return the fields without nulls."""
    return {name: value for name, value in fields.items() if value is not None}


def certainty(data: Event) -> dict[str, Any]:
    """Return the certainty, source and note of a fact, as arguments of `known_fields`."""
    return {"status": data.status or "unknown", "source": data.source, "note": data.note}
