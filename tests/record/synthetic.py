"""A small valid synthetic record, for tests that break one field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tools.record.checking import CheckedRecord, check
from tools.record.faults import Fault, RecordRefused


def a_record(key: str = "one", number: int = 1) -> dict[str, Any]:
    """Return a record with every section; its ids contain `key`."""
    return {
        "record": f"synthetic-{key}",
        "instruments": [
            {"id": f"{key}-old", "cite": f"Synthetic resolution {key} 1", "body": "SYN", "title": "Old title"},
            {"id": f"{key}-new", "cite": f"Synthetic resolution {key} 2", "body": "SYN", "title": "New title"},
        ],
        "provisions": [
            {
                "id": f"{key}/ask",
                "instrument": f"Synthetic resolution {key} 1",
                "verb": "requests",
                "summary": "An ask",
            },
            {"id": f"{key}/duty", "instrument": f"{key}-new", "summary": "A duty", "reporting_due": {"body": "SYN"}},
        ],
        "relations": [{"kind": "superseded_by", "from": f"{key}-old", "to": f"{key}-new", "date": "2021-06"}],
        "committee_sessions": [{"session": str(number), "from": "2021-03-01", "to": "2021-03-03"}],
        "meetings": [{"id": f"{key}-meeting", "title": "A meeting", "kind": "forum", "starts_at": "2021-01"}],
        "deliverables": [{"id": f"{key}-row", "body": "SYN", "year": "2021", "planned_three_hour_meetings": "4"}],
        "initiatives": [{"title": f"Initiative {key}", "supported_by": "FJI", "mandates": [f"{key}/ask"]}],
        "themes": ["Synthetic theme"],
        "members": ["FJI"],
        "recommendations": [
            {
                "reference": f"SYN/2031/R{number}",
                "title": "A recommendation",
                "themes": ["Synthetic theme"],
                "mandates": [{"provision": f"{key}/ask", "status": "inferred"}, {"provision": f"{key}/duty"}],
                "meetings": [f"{key}-meeting"],
                "origin": {"document": "A paper", "paragraph": "1"},
                "adopted": {"meeting": f"{key}-meeting", "status": "verified"},
                "transmitted": {"to_session": str(number), "date": "2021-02-01"},
                "disposition": {"session": str(number), "outcome": "noted", "date": "2021-03-02"},
                "carried_by": {"instrument": f"{key}-new", "date": "2021-05"},
                "follow_up": [
                    {"date": "2021", "progress": "under_implementation", "evidence": {"meeting": f"{key}-meeting"}},
                    {"date": "2022", "progress": "implemented", "evidence": {"deliverable": f"{key}-row"}},
                ],
            }
        ],
    }


def written(folder: Path, record: Any, name: str = "record.json") -> Path:
    """Write a record, or a text unchanged, and return the file."""
    file = folder / name
    file.write_text(record if isinstance(record, str) else json.dumps(record), encoding="utf-8")
    return file


def checked(folder: Path, record: Any, name: str = "record.json") -> CheckedRecord:
    """Check a record that is expected to be valid."""
    return check(written(folder, record, name))


def faults_of(folder: Path, record: Any, name: str = "record.json") -> list[Fault]:
    """Return the faults of a record that is expected to be invalid."""
    try:
        check(written(folder, record, name))
    except RecordRefused as refusal:
        return list(refusal.faults)
    raise AssertionError("the record has no fault")
