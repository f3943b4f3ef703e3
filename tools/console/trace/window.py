"""The time that a trace is shown of: a day in the world, and a moment of recording, which stay in the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Window:
    """The query of a trace: `as_of` a day, `known_at` a time, both as the service takes them; blank where not given."""

    as_of: str = ""
    known_at: str = ""

    @property
    def query(self) -> dict[str, str]:
        """The parameters that are given."""
        return {name: value for name, value in (("as_of", self.as_of), ("known_at", self.known_at)) if value}

    def keep(self, address: str) -> str:
        """Return an address of a trace with this query in it."""
        if not self.query or not address.startswith("/traces/"):
            return address
        path, mark, fragment = address.partition("#")
        return f"{path}?{urlencode(self.query)}{mark}{fragment}"

    def is_future(self, today: date) -> bool:
        """Tell whether the day, or the moment, is still to come."""
        return self.as_of > today.isoformat() or self.known_at > datetime.now(UTC).isoformat()

    def local(self, zone: str) -> str:
        """Return the moment in a zone, as the field of a form takes it; blank where there is none that can be read."""
        try:
            moment = datetime.fromisoformat(self.known_at)
        except ValueError:
            return ""
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(ZoneInfo(zone)).strftime(_FIELD)


_FIELD = "%Y-%m-%dT%H:%M:%S"


def window_of(query: Mapping[str, str], zone: str) -> Window:
    """Return the window of a query; `known_local` is a moment typed in the reader's zone."""
    local = query.get("known_local", "").strip()
    known_at = query.get("known_at", "").strip()
    return Window(query.get("as_of", "").strip(), _in_utc(local, zone) if local else known_at)


def _in_utc(text: str, zone: str) -> str:
    """Return a moment typed in a zone as one in UTC; as it is, for the service to refuse, where it is none."""
    try:
        moment = datetime.fromisoformat(text)
        known = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
        return known.astimezone(UTC).strftime(f"{_FIELD}Z")
    except (ValueError, OverflowError):
        return text
