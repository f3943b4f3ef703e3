"""Which facts are seen as of a day in the world: shown, possibly, date unknown, or not yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from shared.events.values import earliest_day, latest_day

Sight = Literal["shown", "possibly", "date unknown"]


@dataclass(frozen=True)
class Window:
    """Facts up to a day; without one, all of them."""

    as_of: date | None = None

    def see(self, on: str | None) -> Sight | None:
        """Tell how a fact of this date is seen; None where it had not happened by then.

        A date known in part is taken at its latest day; where only its earliest day is in time, it is `possibly`.
        """
        if self.as_of is None:
            return "shown"
        if on is None:
            return "date unknown"
        if latest_day(on) <= self.as_of:
            return "shown"
        return "possibly" if earliest_day(on) <= self.as_of else None

    def sees(self, on: str | None) -> bool:
        """Tell whether a fact of this date is seen at all."""
        return self.see(on) is not None


def mark(sight: Sight | None) -> str | None:
    """Return what an item carries as `dated`: nothing where it is plainly shown."""
    return None if sight == "shown" else sight
