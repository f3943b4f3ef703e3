"""The report of a verification, as `throughline audit verify --format json` prints it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, NonNegativeInt, ValidationError

from tools.audit.findings import Finding
from tools.files import NotAFile, read_named

LISTED = 20
OLD = timedelta(days=8)
_LARGEST = 20_000_000
Absent = Literal["unset", "none", "unreadable"]


class Count(BaseModel):
    """A count of what is no finding."""

    count: NonNegativeInt


class WitnessReport(BaseModel):
    """The size up to which a witness vouches for a log."""

    size: NonNegativeInt


class LogReport(BaseModel):
    """The check of one log."""

    size: NonNegativeInt
    events: NonNegativeInt
    key: str | None
    checkpoints: list[int]
    witnesses: dict[str, WitnessReport]


class Report(BaseModel):
    """A verification: its verdict, the logs that it checked, and its findings."""

    verified: bool
    checked_at: AwareDatetime
    manifest: dict[str, Any]
    events: NonNegativeInt
    keys_given: bool
    logs: dict[str, LogReport]
    not_yet_covered: Count
    ahead_of_export: Count
    count: NonNegativeInt = Field(alias="found")
    findings: list[Finding]

    @property
    def exported_at(self) -> datetime | None:
        """Return the time of the export by its own word; None where it gives none."""
        try:
            return datetime.fromisoformat(str(self.manifest.get("made_at"))).astimezone(UTC)
        except (OverflowError, ValueError):
            return None

    @property
    def is_old(self) -> bool:
        """Tell whether a weekly verification, or the export that it is of, is overdue."""
        checked = self.checked_at.astimezone(UTC)
        return datetime.now(UTC) - min(checked, self.exported_at or checked) > OLD

    @property
    def sentences(self) -> list[str]:
        """Return the first findings, each as a sentence with its place."""
        return [each.sentence() for each in self.findings[:LISTED]]


def report_of(raw: bytes) -> Report | None:
    """Return the report in some bytes; None where they are none."""
    try:
        return Report.model_validate_json(raw)
    except ValidationError:
        return None


def latest(file: Path | None) -> Report | Absent:
    """Return the report in the operators' file, or why there is none."""
    if file is None:
        return "unset"
    try:
        return report_of(read_named(file, _LARGEST)) or "unreadable"
    except NotAFile:
        return "unreadable" if file.exists() else "none"
