"""Window: the facts up to a day in the world, each shown, possibly, date unknown, or not yet."""

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
        """Tell how to show a fact of this date; None if it had not happened by then.

        A date known in part counts at its latest day; one of which only the earliest day is in time is `possibly`.
        """
        if self.as_of is None:
            return "shown"
        if on is None:
            return "date unknown"
        if latest_day(on) <= self.as_of:
            return "shown"
        return "possibly" if earliest_day(on) <= self.as_of else None

    def sees(self, on: str | None) -> bool:
        """Tell whether to show a fact of this date at all."""
        return self.see(on) is not None

    def mark(self, on: str | None) -> str | None:
        """Return the `dated` mark of a fact of this date: none where it is shown without a mark."""
        sight = self.see(on)
        return None if sight == "shown" else sight
