"""The matching of a record's rows with the events that an earlier load, or a person, recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.domain.facts import Fact
from shared.domain.spelling import normal, normalised
from shared.events.event import Event
from shared.events.recommendations import (
    MandateCited,
    MandateUncited,
    RecommendationAdopted,
    RecommendationDiscussed,
    RecommendationTransmitted,
)
from tools.record.checking import CheckedRow


@dataclass(frozen=True)
class Difference:
    """One field that differs between the recorded event and the file; None if one of them omits it."""

    field: str
    recorded: Any
    in_file: Any

    def __str__(self) -> str:
        return f"{self.field}: recorded {_text(self.recorded)}, in file {_text(self.in_file)}"


@dataclass(frozen=True)
class Match:
    """The recorded fact that a row is about, and the differences; `correctable` if a correction can remove them.

    Where none can, `voidable` is the version to void, so that the row can hold.
    """

    fact: Fact
    differences: tuple[Difference, ...] = ()
    voidable: int | None = None

    @property
    def correctable(self) -> bool:
        """True if a correction can remove the differences."""
        return self.voidable is None

    @property
    def remedy(self) -> str:
        """The command that removes differences which no correction can."""
        return f"a correction cannot change this; throughline void {self.fact.stream} {self.voidable} --reason TEXT can"


def match_rows(rows: Sequence[CheckedRow], facts: Sequence[Fact], void_facts: Sequence[Fact] = ()) -> dict[str, Match]:
    """Return the recorded matches of one stream's rows, by path; unrecorded rows are omitted.

    A row whose fact is void is not recorded anew: it holds again once its void is void.
    """
    matches = _match_kinds(rows, facts)
    unmatched = [row for row in rows if row.path not in matches]
    for path, match in _match_kinds(unmatched, void_facts).items():
        matches[path] = Match(match.fact, (Difference("standing", "void", "recorded"),), match.fact.versions[-1])
    for row in unmatched:
        if row.path not in matches and facts and not row.row.post.startswith(row.row.correct.removesuffix("correct")):
            first_event = type(facts[0].data).__name__
            differs = Difference("event", first_event, row.row.event.__name__)
            matches[row.path] = Match(facts[0], (differs,), facts[0].versions[0])
    return matches


def _match_kinds(rows: Sequence[CheckedRow], facts: Sequence[Fact]) -> dict[str, Match]:
    matches: dict[str, Match] = {}
    for kind in dict.fromkeys(row.row.event for row in rows):
        same_kind = [row for row in rows if row.row.event is kind]
        candidates = [fact for fact in reversed(facts) if type(fact.data) is kind]
        for row, fact in _pair(same_kind, candidates):
            matches[row.path] = _match(row, fact, facts)
    return matches


def corrected_data(row: CheckedRow, match: Match) -> dict[str, Any]:
    """Return the complete new data of a corrected event: the file's fields, and those that the service derived.

    If the file names another meeting, the fields derived from the first one are dropped, save its text version.
    """
    recorded = _dump(match.fact.data)
    if recorded.get("meeting") == _dump(row.event).get("meeting"):
        return {name: recorded[name] for name in _derived(row) if name in recorded} | _stated(row, row.event)
    stated = {name: value for name, value in _dump(row.event).items() if name not in ("seen", "text_version")}
    return stated | {name: recorded[name] for name in ("text_version",) if name in recorded}


def _pair(rows: Sequence[CheckedRow], facts: Sequence[Fact]) -> Iterable[tuple[CheckedRow, Fact]]:
    """Pair rows with facts, each once: equal ones first, then those with equal identifying fields."""
    unmatched, free = list(rows), list(facts)
    keys: list[tuple[str, ...] | None] = [None, *(rows[0].row.recognised_by)]
    for fields in keys:
        for row in list(unmatched):
            fact = next((fact for fact in free if _matches(row, fact, fields)), None)
            if fact is not None:
                unmatched.remove(row)
                free.remove(fact)
                yield row, fact


def _matches(row: CheckedRow, fact: Fact, fields: tuple[str, ...] | None) -> bool:
    if fields is None:
        return _stated(row, row.event) == _stated(row, fact.data)
    in_file, recorded = ([_dump(data).get(field) for field in fields] for data in (row.event, fact.data))
    return None not in in_file and in_file == recorded


def _match(row: CheckedRow, fact: Fact, facts: Sequence[Fact]) -> Match:
    if (uncited := _uncited(fact, facts)) is not None:
        return Match(fact, (Difference("standing", "uncited", "cited"),), uncited)
    recorded, in_file = _stated(row, fact.data), _stated(row, row.event)
    names = [*in_file, *(name for name in recorded if name not in in_file)]
    differences = [
        Difference(name, recorded.get(name), in_file.get(name))
        for name in names
        if recorded.get(name) != in_file.get(name)
    ]
    return Match(fact, tuple(differences))


def _uncited(fact: Fact, facts: Sequence[Fact]) -> int | None:
    """Return the version by which a citation was taken back."""
    cited = fact.data
    if not isinstance(cited, MandateCited):
        return None
    for later in facts:
        match later.data:
            case MandateUncited(instrument=cited.instrument, provision=cited.provision) if (
                later.versions > fact.versions
            ):
                return later.versions[0]
            case _:
                continue
    return None


def _stated(row: CheckedRow, data: Event) -> dict[str, Any]:
    """Return an event's fields without those that the service derives."""
    derived = _derived(row)
    return {name: value for name, value in _dump(data).items() if name not in derived}


def _derived(row: CheckedRow) -> frozenset[str]:
    if isinstance(row.event, RecommendationDiscussed):
        return frozenset({"seen", "on"})
    if isinstance(row.event, RecommendationAdopted | RecommendationTransmitted):
        return frozenset({"seen", "adopted_on", "text_version"}) - row.row.command.model_fields_set
    return frozenset({"seen"})


def _dump(data: Event) -> dict[str, Any]:
    """Return an event's fields in the form in which a file is read, whatever form they were recorded in."""
    return {name: _as_read(value) for name, value in data.model_dump(mode="json", exclude_none=True).items()}


def _as_read(value: Any) -> Any:
    return normal(value).rstrip("\n") if isinstance(value, str) else normalised(value)


def _text(value: Any) -> str:
    return "nothing" if value is None else repr(value)
