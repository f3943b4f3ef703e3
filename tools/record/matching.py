"""What of a record is on record already: each row beside the event that an earlier load, or a person, recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.domain.aggregate import Fact
from shared.events.event import Event
from shared.events.recommendations import MandateCited, MandateUncited, RecommendationAdopted, RecommendationDiscussed
from tools.record.checking import CheckedRow


@dataclass(frozen=True)
class Difference:
    """One field that the record and the file state differently; None where one of them is silent."""

    field: str
    recorded: Any
    in_file: Any

    def __str__(self) -> str:
        return f"{self.field}: recorded {_said(self.recorded)}, in file {_said(self.in_file)}"


@dataclass(frozen=True)
class Match:
    """The fact on record that a row is about, and how they differ; `correctable` where a correction can mend it."""

    fact: Fact
    differences: tuple[Difference, ...] = ()
    correctable: bool = True


def compare(rows: Sequence[CheckedRow], facts: Sequence[Fact]) -> dict[str, Match]:
    """Return, by path, what is on record of one stream's rows; a row that is not there is left out."""
    pairs: dict[str, Match] = {}
    for kind in dict.fromkeys(row.row.event for row in rows):
        same_kind = [row for row in rows if row.row.event is kind]
        candidates = [fact for fact in reversed(facts) if type(fact.data) is kind]
        for row, fact in _paired(same_kind, candidates):
            pairs[row.path] = _found(row, fact, facts)
    for row in rows:
        if row.path not in pairs and facts and not row.row.post.startswith(row.row.correct.removesuffix("correct")):
            begun = type(facts[0].data).__name__
            differs = Difference("event", begun, row.row.event.__name__)
            pairs[row.path] = Match(facts[0], (differs,), correctable=False)
    return pairs


def corrected_data(row: CheckedRow, found: Match) -> dict[str, Any]:
    """Return the whole new data of the event that a row corrects: what the file says, and what the service derived.

    Where the file names another meeting, what was derived of the first one goes with it.
    """
    recorded = _dump(found.fact.data)
    if recorded.get("meeting") == _dump(row.event).get("meeting"):
        return {name: recorded[name] for name in _derived(row) if name in recorded} | _stated(row, row.event)
    return {name: value for name, value in _dump(row.event).items() if name != "seen"}


def _paired(rows: Sequence[CheckedRow], facts: Sequence[Fact]) -> Iterable[tuple[CheckedRow, Fact]]:
    """Pair rows with facts, each once: those that are equal first, then those that share what tells them apart."""
    waiting, free = list(rows), list(facts)
    ways: list[tuple[str, ...] | None] = [None, *(rows[0].row.recognised_by)]
    for fields in ways:
        for row in list(waiting):
            fact = next((fact for fact in free if _is_of(row, fact, fields)), None)
            if fact is not None:
                waiting.remove(row)
                free.remove(fact)
                yield row, fact


def _is_of(row: CheckedRow, fact: Fact, fields: tuple[str, ...] | None) -> bool:
    if fields is None:
        return _stated(row, row.event) == _stated(row, fact.data)
    in_file = [getattr(row.event, field) for field in fields]
    return None not in in_file and in_file == [getattr(fact.data, field) for field in fields]


def _found(row: CheckedRow, fact: Fact, facts: Sequence[Fact]) -> Match:
    if _taken_back(fact, facts):
        return Match(fact, (Difference("standing", "uncited", "cited"),), correctable=False)
    recorded, in_file = _stated(row, fact.data), _stated(row, row.event)
    names = [*in_file, *(name for name in recorded if name not in in_file)]
    differences = [
        Difference(name, recorded.get(name), in_file.get(name))
        for name in names
        if recorded.get(name) != in_file.get(name)
    ]
    return Match(fact, tuple(differences))


def _taken_back(fact: Fact, facts: Sequence[Fact]) -> bool:
    cited = fact.data
    return isinstance(cited, MandateCited) and any(
        isinstance(later.data, MandateUncited)
        and later.versions[0] > fact.versions[0]
        and (later.data.instrument, later.data.provision) == (cited.instrument, cited.provision)
        for later in facts
    )


def _stated(row: CheckedRow, data: Event) -> dict[str, Any]:
    """Return what an event states, without what the service derives by itself."""
    derived = _derived(row)
    return {name: value for name, value in _dump(data).items() if name not in derived}


def _derived(row: CheckedRow) -> frozenset[str]:
    if isinstance(row.event, RecommendationDiscussed):
        return frozenset({"seen", "on"})
    if isinstance(row.event, RecommendationAdopted) and "adopted_on" not in row.row.command.model_fields_set:
        return frozenset({"seen", "adopted_on"})
    return frozenset({"seen"})


def _dump(data: Event) -> dict[str, Any]:
    return data.model_dump(mode="json", exclude_none=True)


def _said(value: Any) -> str:
    return "nothing" if value is None else repr(value)
