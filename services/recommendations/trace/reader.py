"""The states that a trace is composed of, and the account of which events stand behind which statement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from services.recommendations.domain.heard import Heard
from services.recommendations.domain.instrument import Registered
from services.recommendations.domain.said import Said
from services.recommendations.domain.small import Closed, OnRecord
from services.recommendations.trace.window import Window
from shared.events.event import Event
from shared.folds import Folded

M = TypeVar("M")


class Reader:
    """Reads states by stream and notes, for each statement made of them, stream, version, position and hash."""

    def __init__(self, own: str, states: Mapping[str, Folded], window: Window) -> None:
        self.own = own
        self.window = window
        self._states = states
        self._behind: dict[str, list[str]] = {}

    def instrument(self, instrument: str) -> Registered | None:
        """Return an instrument that was heard of."""
        return self._state(f"instrument/{instrument}", Registered)

    def meeting(self, meeting: str) -> Heard | None:
        """Return a meeting that was heard of."""
        return self._state(f"meeting/{meeting}", Heard)

    def recorded(self, stream: str) -> Said[Any] | None:
        """Return what is on record of a session, deliverable or priority."""
        state = self._states[stream].state if stream in self._states else None
        return state.recorded if isinstance(state, OnRecord | Closed) else None

    def cite(self, instrument: str) -> str:
        """Return how an instrument is cited; its id where it has not been heard of."""
        found = self.instrument(instrument)
        return found.registered.data.cite if found else instrument

    def _state(self, stream: str, kind: type[M]) -> M | None:
        folded = self._states.get(stream)
        return folded.state if folded is not None and isinstance(folded.state, kind) else None

    def note(self, statement: str, stream: str, versions: tuple[int, ...]) -> None:
        """Put events behind a statement, each once."""
        line = self._states[stream].line
        lines = self._behind.setdefault(statement, [])
        for version in versions:
            position, leaf = line[version - 1]
            reference = f"{stream} {version} {position} {leaf}"
            if reference not in lines:
                lines.append(reference)

    def own_fact(self, statement: str, item: Said[Event]) -> None:
        """Put an event of the recommendation itself behind a statement."""
        self.note(statement, self.own, item.versions)

    def provenance(self) -> dict[str, list[str]]:
        """Return statement -> events, each as `stream version position leaf-hash`."""
        return self._behind

    def based_on(self) -> list[list[str | int]]:
        """Return the streams that were read, with their versions."""
        return [[stream, folded.version] for stream, folded in sorted(self._states.items()) if folded.version]


def given(**fields: Any) -> dict[str, Any]:
    """Return the fields that are known; a null is left out."""
    return {name: value for name, value in fields.items() if value is not None}


def certainty(data: Event) -> dict[str, Any]:
    """Return how certain a fact is, where it was read, and what a reader should know."""
    return given(status=data.status or "unknown", source=data.source, note=data.note)
