"""Links between the logs: what an event was caused by, and which version of a sibling's stream it rests on."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tools.audit.entry_bundles import Link
from tools.audit.findings import Finding

CLOCKS_AGREE_WITHIN = timedelta(hours=1)


@dataclass
class Open:
    """Links past the checkpoint of the log that they point into: how many, and the first of them, in words."""

    count: int = 0
    first: str = ""


@dataclass
class Links:
    """Links gathered log by log, compactly: ids are 64 bits of their hash, of the rest the highest version is kept."""

    _ids: array[int] = field(default_factory=lambda: array("Q"))
    _causes: array[int] = field(default_factory=lambda: array("Q"))
    _at: list[tuple[int, str, array[int]]] = field(default_factory=list)
    _rests: dict[str, tuple[int, str, int, str]] = field(default_factory=dict)

    def log(self, service: str) -> None:
        """Begin with the links of a log."""
        self._at.append((len(self._causes), service, array("Q")))

    def event(self, event_id: int) -> None:
        """Take an event that is there."""
        self._ids.append(event_id)

    def caused(self, cause: int, position: int) -> None:
        """Take an event's cause."""
        self._causes.append(cause)
        self._at[-1][2].append(position)

    def rests_on(self, link: Link, service: str, position: int, time: str) -> None:
        """Take the stream and version that an event rests on."""
        stream, version = link
        known = self._rests.get(stream)
        if known is None or known[0] < version:
            self._rests[stream] = version, service, position, time

    def judge(
        self, heads: Mapping[str, int], owners: Mapping[str, str], latest: Mapping[str, str]
    ) -> tuple[Open, list[Finding]]:
        """Return the links not covered yet, and those that are broken.

        A link is broken where the log that should hold its end goes on past it: it holds events recorded more than an
        hour (by which clocks may differ) after the one that points there.
        """
        open_, broken = self._open_causes(), []
        for stream, (version, service, position, time) in sorted(self._rests.items()):
            if heads.get(stream, 0) >= version:
                continue
            owner = owners.get(stream.partition("/")[0])
            if owner is not None and _goes_on(latest.get(owner, ""), time):
                what = f"it rests on {stream} version {version}, which {owner} does not hold, though it goes on past it"
                broken.append(Finding(service, "link", what, position))
            else:
                open_.count += 1
                open_.first = open_.first or f"{service}, position {position}: rests on {stream} version {version}"
        return open_, broken

    def _open_causes(self) -> Open:
        missing = set(self._causes)
        missing.difference_update(self._ids)
        open_ = Open()
        if not missing:
            return open_
        for start, service, positions in self._at:
            for n, position in enumerate(positions):
                if self._causes[start + n] in missing:
                    open_.count += 1
                    open_.first = open_.first or f"{service}, position {position}: its cause is in no log yet"
        return open_


def _goes_on(latest: str, time: str) -> bool:
    try:
        return datetime.fromisoformat(latest) > datetime.fromisoformat(time) + CLOCKS_AGREE_WITHIN
    except ValueError:
        return False
