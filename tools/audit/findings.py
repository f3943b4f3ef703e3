"""What a verification finds wrong, each with its place."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

KEPT = 1_000
_LAST = 2**63


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: in which log, of which kind, and where, as far as it has a place."""

    service: str
    kind: str
    what: str
    position: int | None = None
    stream: str | None = None
    version: int | None = None

    def in_words(self) -> str:
        """Return the finding as a sentence."""
        place = [self.service]
        place += [f"position {self.position}"] if self.position is not None else []
        place += [f"{self.stream} version {self.version}"] if self.stream is not None else []
        return f"{', '.join(place)}: {self.what}"

    def as_json(self) -> dict[str, Any]:
        """Return the finding as JSON, without what it does not know."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass
class Findings:
    """All that was found: each is counted, the first ones are kept, in the order of their positions."""

    kept: list[Finding] = field(default_factory=list)
    count: int = 0

    def add(self, finding: Finding) -> None:
        """Take a finding."""
        self.count += 1
        if len(self.kept) < KEPT:
            self.kept.append(finding)

    def sort(self) -> None:
        """Put what has a position first within its log, for it says most."""
        order = {finding.service: n for n, finding in reversed(list(enumerate(self.kept)))}
        self.kept.sort(key=lambda each: (order[each.service], _LAST if each.position is None else each.position))
