"""Links between the logs: an event's cause, and the version of a foreign stream that it is based on."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from tools.audit.entry_bundles import Link
from tools.audit.findings import Finding

CLOCKS_AGREE_WITHIN = timedelta(hours=1)


@dataclass
class OpenLinks:
    """Links past the checkpoint of the log they point into: their number, and a sentence about the first."""

    count: int = 0
    first: str = ""


@dataclass
class Links:
    """Links collected log by log: ids as 64-bit hashes, and the highest referenced version of each stream."""

    _ids: array[int] = field(default_factory=lambda: array("Q"))
    _causes: array[int] = field(default_factory=lambda: array("Q"))
    _at: list[tuple[int, str, array[int]]] = field(default_factory=list)
    _rests: dict[str, tuple[int, str, int, str]] = field(default_factory=dict)

    def log(self, service: str) -> None:
        """Start collecting the links of a log."""
        self._at.append((len(self._causes), service, array("Q")))

    def event(self, event_id: int) -> None:
        """Add the id of an event in the log."""
        self._ids.append(event_id)

    def caused(self, cause: int, position: int) -> None:
        """Add the causation id of an event."""
        self._causes.append(cause)
        self._at[-1][2].append(position)

    def rests_on(self, link: Link, service: str, position: int, time: str) -> None:
        """Add the stream and version that an event is based on."""
        stream, version = link
        known = self._rests.get(stream)
        if known is None or known[0] < version:
            self._rests[stream] = version, service, position, time

    def judge(
        self,
        heads: Mapping[str, int],
        owners: Mapping[str, str],
        latest: Mapping[str, str],
        ends: Mapping[str, int] = MappingProxyType({}),
    ) -> tuple[OpenLinks, list[Finding]]:
        """Return the links that are not covered yet, and findings for the broken ones.

        A link is broken if its target is missing although the target's log holds events recorded more than an hour
        (the clock tolerance) after the event that points there. `ends` are the sizes up to which logs were restored,
        by service: what events below them rest on may be lost.
        """
        open_, broken = self._open_causes(), []
        for stream, (version, service, position, time) in sorted(self._rests.items()):
            if heads.get(stream, 0) >= version:
                continue
            owner = owners.get(stream.partition("/")[0])
            is_restored = position < ends.get(service, 0)
            if owner is not None and not is_restored and _continues_past(latest.get(owner, ""), time):
                target = f"{stream} version {version}"
                message = f"it rests on {target}, which {owner} does not hold, though it holds later events"
                broken.append(Finding(service, "link", message, position))
            else:
                open_.count += 1
                open_.first = open_.first or f"{service}, position {position}: rests on {stream} version {version}"
        return open_, broken

    def _open_causes(self) -> OpenLinks:
        missing = set(self._causes)
        missing.difference_update(self._ids)
        open_ = OpenLinks()
        if not missing:
            return open_
        for start, service, positions in self._at:
            for n, position in enumerate(positions):
                if self._causes[start + n] in missing:
                    open_.count += 1
                    open_.first = open_.first or f"{service}, position {position}: its cause is in no log yet"
        return open_


def _continues_past(latest: str, time: str) -> bool:
    try:
        return datetime.fromisoformat(latest) > datetime.fromisoformat(time) + CLOCKS_AGREE_WITHIN
    except ValueError:
        return False
