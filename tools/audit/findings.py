"""The findings of a verification, each with its place."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from tools.client.printable import printable, quoted

MAX_FINDINGS, MAX_WHAT = 1_000, 1_000
_LAST = 2**63
_STREAM = re.compile(r"[A-Za-z0-9_./-]{1,300}")


@dataclass(frozen=True)
class Finding:
    """One fault: its log, its kind, and its place if it has one."""

    service: str
    kind: str
    what: str
    position: int | None = None
    stream: str | None = None
    version: int | None = None

    def sentence(self) -> str:
        """Return the finding as a sentence."""
        place = [self.service]
        place += [f"position {self.position}"] if self.position is not None else []
        if self.stream is not None:
            stream = self.stream if _STREAM.fullmatch(self.stream) else quoted(self.stream)
            place.append(f"{stream} version {self.version}")
        return f"{', '.join(place)}: {' '.join(printable(self.what).split())}"

    def as_json(self) -> dict[str, Any]:
        """Return the finding as JSON, without unknown members."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass
class Findings:
    """A count of all findings and a list of the first ones, ordered by position."""

    listed: list[Finding] = field(default_factory=list)
    count: int = 0

    def add(self, finding: Finding) -> None:
        """Count a finding, and list it up to the limit."""
        self.count += 1
        if len(self.listed) < MAX_FINDINGS:
            self.listed.append(replace(finding, what=finding.what[:MAX_WHAT]))

    def sort(self) -> None:
        """Sort by log and position; findings without a position come last within their log."""
        order = {finding.service: n for n, finding in reversed(list(enumerate(self.listed)))}
        self.listed.sort(key=lambda each: (order[each.service], _LAST if each.position is None else each.position))
