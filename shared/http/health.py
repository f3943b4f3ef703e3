"""Probes of a service for supervisors, its readiness in full for people and alerts, and its metrics.

No probe depends on Kafka: without it commands and queries go on, and a restart helps nobody (docs/observability.md).
"""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from motor.motor_asyncio import AsyncIOMotorDatabase
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pymongo.errors import PyMongoError

from shared.http.auth import Tokens
from shared.http.keys import KeyState
from shared.runtime import telemetry
from shared.runtime.settings import Settings
from shared.runtime.telemetry import Pulse
from shared.runtime.version import version
from shared.store.batching import RequestBatcher
from shared.store.event_store import EventStore

PING_SECONDS = 3.0
MEASURE_SECONDS = 5.0
_OF_DATABASE = (
    telemetry.RELAY_LEADS,
    telemetry.UNPUBLISHED_AGE,
    telemetry.UNSIGNED_AGE,
    telemetry.OPEN_DEAD_LETTERS,
    telemetry.STALLED,
    telemetry.NOTIFICATIONS_STANDING,
    telemetry.DATABASE_BYTES,
    telemetry.DISK_USED,
    telemetry.DISK_SIZE,
)
_Batcher = RequestBatcher[None, None]

log = structlog.get_logger()

Measure = Callable[[], Awaitable[object]]
"""Sets the metrics that are read from the database, when they are asked for."""


@dataclass
class Health:
    """The health of one service's process. Concurrent questions share one answer of the database."""

    service: str
    settings: Settings
    database: AsyncIOMotorDatabase[Any]
    pulses: Sequence[Pulse]
    tokens: Tokens
    store: EventStore | None = None
    measures: Sequence[Measure] = ()
    _pings: _Batcher = field(init=False)
    _measurements: _Batcher = field(init=False)

    def __post_init__(self) -> None:
        self._pings, self._measurements = RequestBatcher(self._ping), RequestBatcher(self._measure)

    async def serving(self) -> dict[str, str]:
        """Return what keeps the service from taking commands and queries, by the name of each part."""
        closed = self.store.fence_reason if self.store else None
        return ({"store": closed} if closed else {}) | await self._database_trouble()

    async def troubles(self) -> dict[str, str]:
        """Return what keeps the service from being ready in full, by the name of each part."""
        troubles = {
            pulse.name: pulse.trouble or f"no progress for {pulse.silent_for():.0f} s"
            for pulse in self.pulses
            if not pulse.has_begun or pulse.silent_for() > self.settings.not_ready_after
        }
        keys: KeyState = await self.tokens.key_state()
        return troubles | ({"keys": keys.trouble} if keys.trouble else {}) | await self._database_trouble()

    async def warnings(self) -> dict[str, str]:
        """Return what an operator is to see to, although it keeps nothing from working."""
        warnings = {pulse.name: pulse.warning for pulse in self.pulses if pulse.warning}
        keys: KeyState = await self.tokens.key_state()
        warnings |= {"keys": keys.warning} if keys.warning else {}
        return warnings | ({"people": people} if (people := self.tokens.people_warning()) else {})

    def hung(self) -> list[str]:
        """Return the loops that hang."""
        return [pulse.name for pulse in self.pulses if pulse.is_hung]

    async def measured(self) -> bytes:
        """Return the metrics as Prometheus reads them; without those of the database while it does not answer."""
        await self._measurements.submit(None)
        return generate_latest()

    async def _database_trouble(self) -> dict[str, str]:
        try:
            await self._pings.submit(None)
        except (PyMongoError, TimeoutError) as error:
            return {"mongodb": type(error).__name__}
        return {}

    async def _ping(self, requests: Sequence[None]) -> Sequence[None]:
        async with asyncio.timeout(PING_SECONDS):
            await self.database.command("ping", maxTimeMS=2_000)
        return requests

    async def _measure(self, requests: Sequence[None]) -> Sequence[None]:
        troubles = await self.troubles()
        measured = []
        if answers := "mongodb" not in troubles:
            measured = await asyncio.gather(*map(self._measure_in_time, [self._measure_disk, *self.measures]))
        telemetry.NOT_MEASURED.labels(self.service).set(measured.count(False))
        telemetry.BUILD.labels(self.service, version(), platform.python_version()).set(1)
        telemetry.READY.labels(self.service).set(not troubles)
        telemetry.DATABASE_ANSWERS.labels(self.service).set(answers)
        for pulse in self.pulses:
            telemetry.LOOP_SILENCE.labels(self.service, pulse.name).set(pulse.silent_for())
            telemetry.LOOP_TROUBLE.labels(self.service, pulse.name).set(bool(pulse.trouble))
        if self.store is not None:
            telemetry.STORE_CLOSED.labels(self.service).set(self.store.fence_reason is not None)
            telemetry.CLOCK_AHEAD.labels(self.service).set(self.store.clock.ahead)
        for metric in () if answers else _OF_DATABASE:
            metric.clear()
        return requests

    async def _measure_in_time(self, measure: Measure) -> bool:
        """Run one measure; return False where it fails or takes too long: its metrics stay as they were."""
        try:
            async with asyncio.timeout(MEASURE_SECONDS):
                await measure()
        except (PyMongoError, TimeoutError) as error:
            log.warning("not_measured", measure=getattr(measure, "__qualname__", ""), error=type(error).__name__)
            return False
        return True

    async def _measure_disk(self) -> None:
        stats = await self.database.command("dbStats")
        telemetry.DATABASE_BYTES.labels(self.service).set(stats["totalSize"])
        telemetry.DISK_USED.labels(self.service).set(stats["fsUsedSize"])
        telemetry.DISK_SIZE.labels(self.service).set(stats["fsTotalSize"])


def add_health(app: FastAPI, health: Health) -> None:
    """Add the probes, the readiness and the metrics of a service."""

    @app.get("/healthz", tags=["health"], summary="The process answers")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/livez", tags=["health"], summary="No loop hangs: the probe of a supervisor")
    async def livez() -> JSONResponse:
        hung = health.hung()
        return JSONResponse({"alive": not hung, "hung": hung}, 503 if hung else 200)

    @app.get("/servez", tags=["health"], summary="Commands and queries are taken: the probe of a load balancer")
    async def servez() -> JSONResponse:
        troubles = await health.serving()
        return JSONResponse({"serving": not troubles, "troubles": troubles}, 503 if troubles else 200)

    @app.get("/readyz", tags=["health"], summary="The process makes progress")
    async def readyz() -> JSONResponse:
        troubles = await health.troubles()
        warnings = {name: warning for name, warning in (await health.warnings()).items() if name not in troubles}
        answer = {"ready": not troubles, "troubles": troubles} | ({"warnings": warnings} if warnings else {})
        return JSONResponse(answer, 503 if troubles else 200)

    @app.get("/metrics", tags=["health"], summary="Prometheus metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        return Response(await health.measured(), media_type=CONTENT_TYPE_LATEST)
