"""The check of a whole file before any command is sent: schema, references, dates, and the services' own rules."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shared.events.event import Event
from tools.record.companions import INSTRUMENTS, MEMBERS_FILE, check_members, with_instruments
from tools.record.faults import Fault, Places, RecordRefused
from tools.record.format import Record
from tools.record.parsing import read_record
from tools.record.recommendation_rows import rows_of
from tools.record.references import check_references
from tools.record.rehearsal import rehearse
from tools.record.rows import Row
from tools.record.schema import check_schema


@dataclass(frozen=True)
class CheckedRow:
    """A row that passed every check: its path in the file, and the event that it will record."""

    path: str
    row: Row
    event: Event


@dataclass(frozen=True)
class CheckedRecord:
    """A record without errors, its rows in order of execution."""

    name: str
    rows: tuple[CheckedRow, ...]


def check(file: Path, members: Path | None = None, instruments: Path | None = None) -> CheckedRecord:
    """Read and check a record with its companions. Raises RecordRefused with every error.

    A companion that is not given is the file of the default name beside the record, if it exists.
    """
    document = read_record(file)
    faults: list[Fault] = []
    places = Places(document.tree, document.lines)
    try:
        if register := members or _companion(file, MEMBERS_FILE):
            faults += check_members(register)
        if companion := instruments or _companion(file, INSTRUMENTS):
            places = with_instruments(document, companion)
    except RecordRefused as broken:
        faults += broken.faults
    record, schema_faults = check_schema(places)
    faults += schema_faults + check_references(places)
    if record is None or faults:
        raise RecordRefused(faults)
    return _rehearse(record, places, file.stem)


def _companion(file: Path, name: str) -> Path | None:
    companion = file.with_name(name)
    return companion if companion.is_file() else None


def _rehearse(record: Record, places: Places, name: str) -> CheckedRecord:
    rows = rows_of(record)
    events, refused = rehearse(rows, places)
    if refused:
        raise RecordRefused(refused)
    checked = [CheckedRow(places.name(row.place), row, event) for row, event in zip(rows, events, strict=True)]
    return CheckedRecord(record.record or name, tuple(checked))
