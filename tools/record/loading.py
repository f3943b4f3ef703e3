"""The loader of a checked record: it sends each row that is not recorded yet as one command, several concurrently."""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from uuid import NAMESPACE_URL, uuid5

from shared.domain.facts import facts_of, void_facts_of
from shared.events.canonical import canonical, sha256_hex
from shared.events.catalogue import Recorded
from tools.client.errors import CommandRefused
from tools.record.checking import CheckedRecord, CheckedRow
from tools.record.matching import Match, corrected_data, match_rows
from tools.record.ordering import predecessors, run_in_order

CONCURRENT_ROWS = 8
RowStanding = Literal["loaded", "unchanged", "corrected", "differs", "refused", "held back"]
NOT_LOADED = frozenset({"differs", "refused", "held back"})


class Gateway(Protocol):
    """The access of a load to the services."""

    def stream(self, service: str, stream: str) -> list[Recorded]:
        """Return a stream's events from the service's own store; empty if there is no such stream."""

    def dependants(self, stream: str) -> str:
        """Say which traces rest on a stream."""

    def send(self, service: str, path: str, body: dict[str, Any], command_id: str) -> int:
        """Execute a command and return the stream's new version. Raises CommandRefused."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of one row; `says` holds the differences or the refusal."""

    path: str
    stream: str
    standing: RowStanding
    says: tuple[str, ...] = ()


@dataclass
class Report:
    """The report of a load: the outcome of each row, and the streams' last versions."""

    outcomes: list[Outcome] = field(default_factory=list)
    heads: dict[str, int] = field(default_factory=dict)

    @property
    def not_loaded(self) -> list[Outcome]:
        """The rows whose content is not recorded."""
        return [outcome for outcome in self.outcomes if outcome.standing in NOT_LOADED]

    def counted(self) -> Counter[str]:
        """Return the number of rows by standing."""
        return Counter(outcome.standing for outcome in self.outcomes)


@dataclass
class Load:
    """One run over a record. `correct` is the reason for corrections; with `dry_run` no command is sent.

    `workers` rows are sent concurrently.
    """

    record: CheckedRecord
    gateway: Gateway
    correct: str | None = None
    dry_run: bool = False
    workers: int = CONCURRENT_ROWS
    report: Report = field(default_factory=Report)
    _matches: dict[str, dict[str, Match]] = field(default_factory=dict)
    _refused: set[str] = field(default_factory=set)
    _rows: dict[str, list[CheckedRow]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for row in self.record.rows:
            self._rows.setdefault(row.row.stream, []).append(row)

    def run(self, after_each: Callable[[Outcome], None] = lambda _: None) -> Report:
        """Load the rows, each after those that it names. A refused row holds back the later rows of its stream.

        The report has the outcomes in the order of the file, also where the load is interrupted.
        """
        numbers: list[int] = []
        for number, outcome in run_in_order(predecessors(self.record.rows), self.workers, self._outcome):
            place = bisect(numbers, number)
            numbers.insert(place, number)
            self.report.outcomes.insert(place, outcome)
            after_each(outcome)
        return self.report

    def _outcome(self, number: int) -> Outcome:
        row = self.record.rows[number]
        standing, says = self._load(row)
        if standing == "refused":
            self._refused.add(row.row.stream)
        return Outcome(row.path, row.row.stream, standing, tuple(says))

    def _load(self, row: CheckedRow) -> tuple[RowStanding, Sequence[str]]:
        if row.row.stream in self._refused:
            return "held back", ["an earlier row of the same stream was refused"]
        if (match := self._recorded(row)) is not None:
            return self._resolve(row, match)
        if self.dry_run:
            return "loaded", ()
        try:
            self._send(row, row.row.post, _body(row), self._command_id(row.path, _body(row)))
        except CommandRefused as refusal:
            self._matches.pop(row.row.stream, None)
            match = self._recorded(row) if refusal.rule == "OutOfOrder" else None
            return self._resolve(row, match) if match is not None else ("refused", [str(refusal)])
        return "loaded", ()

    def _resolve(self, row: CheckedRow, match: Match) -> tuple[RowStanding, Sequence[str]]:
        if not match.differences:
            return "unchanged", ()
        differences = [str(difference) for difference in match.differences]
        if self.correct is None:
            return "differs", differences
        if not match.correctable:
            return "differs", [*differences, match.remedy]
        differences.append(self.gateway.dependants(row.row.stream))
        if not self.dry_run:
            data = corrected_data(row, match)
            body = {"corrects": match.fact.versions[0], "data": data, "reason": self.correct}
            body["source"] = f"{self.record.name}, {row.path}"[:500]
            try:
                purpose = f"{row.path}:corrects:{match.fact.versions[-1]}"
                self._send(row, row.row.correct, body, self._command_id(purpose, body))
            except CommandRefused as refusal:
                return "refused", [*differences, str(refusal)]
        return "corrected", differences

    def _recorded(self, row: CheckedRow) -> Match | None:
        stream = row.row.stream
        if stream not in self._matches:
            recorded = self.gateway.stream(row.row.service, stream)
            if recorded:
                self.report.heads[stream] = recorded[-1].streamversion
            self._matches[stream] = match_rows(self._rows[stream], facts_of(recorded), void_facts_of(recorded))
        return self._matches[stream].get(row.path)

    def _send(self, row: CheckedRow, path: str, body: dict[str, Any], command_id: str) -> None:
        self.report.heads[row.row.stream] = self.gateway.send(row.row.service, path, body, command_id)

    def _command_id(self, purpose: str, body: dict[str, Any]) -> str:
        """Return a deterministic command id of a row, so that a retry has no second effect."""
        digest = sha256_hex(canonical(body))
        return str(uuid5(NAMESPACE_URL, f"throughline:record:{self.record.name}:{purpose}:{digest}"))


def _body(row: CheckedRow) -> dict[str, Any]:
    return row.row.command.model_dump(mode="json", exclude_unset=True)
