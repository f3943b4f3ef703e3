"""The watch on a service's database: its clock every few seconds, its collections and indexes every minute."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog

from shared.runtime.settings import CannotStart
from shared.runtime.telemetry import Pulse
from shared.store.database_clock import DatabaseClock
from shared.store.event_store import StoreFault

log = structlog.get_logger()

LONGEST_TURN_SECONDS = 10.0
TURNS_PER_SILENCE = 3
CHECK_SECONDS = 60.0
Differences = Callable[[], Awaitable[list[str]]]


class DatabaseWatch:
    """The watch of one service: a difference is logged as an error, and the service is not ready."""

    def __init__(
        self, service: str, clock: DatabaseClock, differences: Differences, pulse: Pulse, not_ready_after: float
    ) -> None:
        self._service, self._clock, self._differences, self._pulse = service, clock, differences, pulse
        self._turn_seconds = min(LONGEST_TURN_SECONDS, not_ready_after / TURNS_PER_SILENCE)
        self._differing: list[str] = []
        self._checked = time.monotonic()

    async def prepare(self) -> None:
        """Measure the clock, and check collections and indexes. Raises CannotStart."""
        await self._clock.measure()
        if differing := await self._differences():
            lines = "\n".join(f"    {line}" for line in differing)
            raise CannotStart(
                f"The database of {self._service} is not as declared:\n{lines}\n"
                f"`throughline indexes ensure {self._service}` creates what is missing. "
                "What is not declared, an administrator drops."
            )

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            try:
                await self._look()
            except StoreFault as error:
                self._pulse.fault(type(error).__name__)
            await asyncio.sleep(self._turn_seconds)

    async def _look(self) -> None:
        await self._clock.measure()
        if time.monotonic() - self._checked >= CHECK_SECONDS:
            self._differing, self._checked = await self._differences(), time.monotonic()
            if self._differing:
                log.error("indexes_differ", differences=self._differing)
        if trouble := self._clock.trouble:
            log.error("clocks_differ", seconds=round(self._clock.ahead, 1))
        if troubles := [*self._differing, *([trouble] if trouble else [])]:
            self._pulse.stop("; ".join(troubles))
        else:
            self._pulse.beat()
