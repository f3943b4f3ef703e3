"""The clock of a service beside its database's: where they differ by more than a minute, the store takes no commands.

The time of an event is its service's. Measured by `hello`, and carried on by the monotonic clock: a clock that is set
is noticed at the next append, without a round trip.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase

AT_MOST_SECONDS = 60.0


class DatabaseClock:
    """The clock of a service's database, as this process last measured it."""

    def __init__(self, database: AsyncIOMotorDatabase[Any]) -> None:
        self._database = database
        self._offset: float | None = None
        self._doubt = 0.0

    async def measure(self) -> None:
        """Ask the database for its time; half the round trip is in doubt."""
        begun = time.monotonic()
        hello = await self._database.command("hello")
        ended = time.monotonic()
        self._doubt = (ended - begun) / 2
        self._offset = hello["localTime"].replace(tzinfo=UTC).timestamp() + self._doubt - ended

    def now(self) -> datetime:
        """Return the database's time; before the first measurement, this machine's."""
        return datetime.fromtimestamp(time.time() - self.ahead, UTC)

    @property
    def ahead(self) -> float:
        """Seconds by which this service's clock is ahead of its database's; negative where it is behind."""
        return 0.0 if self._offset is None else time.time() - time.monotonic() - self._offset

    @property
    def trouble(self) -> str | None:
        """The reason why the store takes no commands, or None."""
        ahead = self.ahead
        if abs(ahead) - self._doubt <= AT_MOST_SECONDS:
            return None
        return (
            f"this service's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} its database's, "
            f"and {AT_MOST_SECONDS:.0f} s are allowed: no commands until the one that is wrong is set"
        )
