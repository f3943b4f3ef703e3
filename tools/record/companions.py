"""The optional CSV files beside a record: its instruments, and the register of members."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared.domain.members import MEMBERS
from shared.domain.spelling import normal
from tools.record.faults import Fault, Place, Places, path_of, refused
from tools.record.parsing import Document, read_text

INSTRUMENTS = "instruments.csv"
MEMBERS_FILE = "escap_members.csv"
ROW_LIMIT = 20_000
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_REQUIRED_COLUMNS = ("iso3", "un_name", "kind")


def read_rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """Return each row with its line number; empty cells are omitted. Raises RecordRefused."""
    rows: list[tuple[int, dict[str, Any]]] = []
    try:
        reader = csv.DictReader(io.StringIO(read_text(path), newline=""), restkey="", strict=True)
        columns = reader.fieldnames or ()
        _check_columns(path, columns)
        for index, row in enumerate(reader):
            if "" in row or None in row.values():
                says = f"it does not have the {len(columns)} cells of the first line"
                raise refused(path_of((path.name, index)), "BrokenCsv", says, reader.line_num)
            if len(rows) == ROW_LIMIT:
                raise refused(
                    path.name, "FileTooLarge", f"it has more than {ROW_LIMIT} rows: split it", reader.line_num
                )
            rows.append((reader.line_num, {name: normal(cell) for name, cell in row.items() if cell != ""}))
    except csv.Error as error:
        raise refused(path.name, "BrokenCsv", str(error), reader.reader.line_num) from None
    return rows


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    """Check the first line of a file. Raises RecordRefused."""
    if not columns:
        raise refused(path.name, "BrokenCsv", "its first line names no columns", 1)
    if other := next(
        (name for sign, name in _OTHER_SEPARATORS.items() if len(columns) == 1 and sign in columns[0]), ""
    ):
        says = f"its cells are separated by {other}, as some spreadsheets save them: save it with commas"
        raise refused(path.name, "BrokenCsv", says, 1)
    if twice := next((name for name in columns if columns.count(name) > 1), ""):
        raise refused(path_of((path.name, twice)), "FieldTwice", "the first line names this column twice: keep one", 1)


def with_instruments(record: Document, path: Path) -> Places:
    """Return the places of a record with a companion's instruments after its own. Raises RecordRefused."""
    rows = read_rows(path)
    own = record.tree.get("instruments", [])
    if not isinstance(own, list):
        return Places(record.tree, record.lines)
    tree = {**record.tree, "instruments": [*own, *(row for _, row in rows)]}
    lines: dict[Place, int] = {("instruments", len(own) + index): line for index, (line, _) in enumerate(rows)}
    return Places(tree, {**record.lines, **lines}, path.name, len(own))


def check_members(path: Path) -> list[Fault]:
    """Return the rows of a register that disagree with the 62 members and associate members."""
    faults = []
    for index, (line, row) in enumerate(read_rows(path)):
        place = (path.name, index)
        absent = [name for name in _REQUIRED_COLUMNS if name not in row]
        member = MEMBERS.get(row.get("iso3", ""))
        if absent:
            faults.append(Fault(path_of((*place, absent[0])), "FieldMissing", "must be given", line))
        elif member is None:
            says = f"{row['iso3']!r} is none of the 53 members and 9 associate members"
            faults.append(Fault(path_of((*place, "iso3")), "NotAMember", says, line))
        elif (member.name, member.kind) != (row["un_name"], row["kind"]):
            says = f"the register has {row['iso3']} as {member.name} ({member.kind}), not as written here"
            faults.append(Fault(path_of((*place, "un_name")), "NotAMember", says, line))
    return faults
