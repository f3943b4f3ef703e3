"""Loads a checked record: each row is compared with what is on record, and sent as one command where it is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from uuid import NAMESPACE_URL, uuid5

from shared.domain.aggregate import facts_of
from shared.events.canonical import canonical, sha256_hex
from shared.events.catalogue import Recorded
from tools.client.errors import CommandRefused
from tools.record.checking import CheckedRecord, CheckedRow
from tools.record.comparing import Found, compare, corrected_data

Standing = Literal["loaded", "unchanged", "corrected", "differs", "refused", "held back"]
LEFT = frozenset({"differs", "refused", "held back"})


class Gateway(Protocol):
    """How a load reads the record and changes it."""

    def stream(self, service: str, stream: str) -> list[Recorded]:
        """Return a stream's events, from the service's own store; none where it is not there."""

    def send(self, service: str, path: str, body: dict[str, Any], command_id: str) -> int:
        """Carry a command out and return the stream's version after it. Raises CommandRefused."""


@dataclass(frozen=True)
class Outcome:
    """What became of one row; `says` gives the differences, or the refusal."""

    path: str
    stream: str
    standing: Standing
    says: tuple[str, ...] = ()


@dataclass
class Report:
    """What a load did, row by row, and the versions that it left streams at."""

    outcomes: list[Outcome] = field(default_factory=list)
    heads: dict[str, int] = field(default_factory=dict)

    @property
    def left(self) -> list[Outcome]:
        """The rows that are not on record as the file has them."""
        return [outcome for outcome in self.outcomes if outcome.standing in LEFT]

    def counted(self) -> Counter[str]:
        """Return how many rows came to what."""
        return Counter(outcome.standing for outcome in self.outcomes)


@dataclass
class Load:
    """One run over a record. `correct` is the reason of corrections; with `dry_run` nothing is sent."""

    record: CheckedRecord
    gateway: Gateway
    correct: str | None = None
    dry_run: bool = False
    report: Report = field(default_factory=Report)
    _found: dict[str, dict[str, Found]] = field(default_factory=dict)
    _refused: set[str] = field(default_factory=set)
    _rows: dict[str, list[CheckedRow]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for row in self.record.rows:
            self._rows.setdefault(row.row.stream, []).append(row)

    def run(self, after_each: Callable[[Outcome], None] = lambda _: None) -> Report:
        """Take the rows in order. A refused row holds back the later rows of its stream."""
        for row in self.record.rows:
            standing, says = self._take(row)
            outcome = Outcome(row.path, row.row.stream, standing, tuple(says))
            if standing == "refused":
                self._refused.add(row.row.stream)
            self.report.outcomes.append(outcome)
            after_each(outcome)
        return self.report

    def _take(self, row: CheckedRow) -> tuple[Standing, Sequence[str]]:
        if row.row.stream in self._refused:
            return "held back", ["an earlier row of the same stream was refused"]
        if (found := self._on_record(row)) is not None:
            return self._settle(row, found)
        if self.dry_run:
            return "loaded", ()
        try:
            self._send(row, row.row.post, _body(row), self._command_id(row.path, _body(row)))
        except CommandRefused as refusal:
            self._found.pop(row.row.stream, None)
            found = self._on_record(row) if refusal.rule == "OutOfOrder" else None
            return self._settle(row, found) if found is not None else ("refused", [str(refusal)])
        return "loaded", ()

    def _settle(self, row: CheckedRow, found: Found) -> tuple[Standing, Sequence[str]]:
        if not found.differences:
            return "unchanged", ()
        differences = [str(difference) for difference in found.differences]
        if self.correct is None:
            return "differs", differences
        if not found.correctable:
            return "differs", [*differences, "a correction cannot mend this: record it anew, with a reason"]
        if not self.dry_run:
            data = corrected_data(row, found)
            body = {"corrects": found.fact.versions[0], "data": data, "reason": self.correct}
            body["source"] = f"{self.record.name}, {row.path}"[:500]
            try:
                stated = f"{row.path}:corrects:{found.fact.versions[-1]}"
                self._send(row, row.row.correct, body, self._command_id(stated, body))
            except CommandRefused as refusal:
                return "refused", [*differences, str(refusal)]
        return "corrected", differences

    def _on_record(self, row: CheckedRow) -> Found | None:
        stream = row.row.stream
        if stream not in self._found:
            recorded = self.gateway.stream(row.row.service, stream)
            if recorded:
                self.report.heads[stream] = recorded[-1].streamversion
            self._found[stream] = compare(self._rows[stream], facts_of(recorded))
        return self._found[stream].get(row.path)

    def _send(self, row: CheckedRow, path: str, body: dict[str, Any], command_id: str) -> None:
        self.report.heads[row.row.stream] = self.gateway.send(row.row.service, path, body, command_id)

    def _command_id(self, what: str, body: dict[str, Any]) -> str:
        """Return the id that the same row of the same record always has: a retry happens once."""
        return str(uuid5(NAMESPACE_URL, f"throughline:record:{self.record.name}:{what}:{sha256_hex(canonical(body))}"))


def _body(row: CheckedRow) -> dict[str, Any]:
    return row.row.command.model_dump(mode="json", exclude_unset=True)
