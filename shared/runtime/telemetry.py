"""Logs as JSON lines, metrics for Prometheus, and the pulse by which readiness is told.

Nothing personal is ever logged: events, actors and persons appear as ids.
"""

from __future__ import annotations

import logging
import sys
import time
from dataclasses import dataclass, field

import structlog
from prometheus_client import Counter, Gauge, Histogram

COMMANDS = Counter("throughline_commands_total", "Commands by outcome", ["service", "command", "outcome"])
COMMAND_SECONDS = Histogram("throughline_command_seconds", "Time to answer a command", ["service"])
UNAUTHENTICATED = Counter("throughline_unauthenticated_total", "Requests without a valid token", ["service", "reason"])
RELAYED = Counter("throughline_relayed_events_total", "Events published", ["service"])
RELAY_POSITION = Gauge("throughline_relay_published_position", "Published position", ["service"])
SIGNED_SIZE = Gauge("throughline_sealed_size", "Events under the newest checkpoint", ["service"])
CONSUMED = Counter("throughline_consumed_events_total", "Events taken from Kafka", ["service", "topic"])
LAG = Gauge("throughline_consumer_lag", "Records not yet taken", ["service"])
DEAD_LETTERS = Counter("throughline_dead_letters_total", "Messages set aside", ["service", "reason"])
STALLED = Gauge("throughline_stalled_streams", "Streams that wait for a version", ["service"])
BATCH_SECONDS = Histogram("throughline_batch_seconds", "Time to journal, fold and compose a batch", ["service"])
NOTIFICATIONS = Counter("throughline_notifications_total", "Notifications by outcome", ["service", "outcome"])


def configure_logging(service: str, level: str = "INFO") -> None:
    """Write every log record of this process as one JSON line on standard output."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(sort_keys=True)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
    )
    structlog.contextvars.bind_contextvars(service=service)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _name_of_logger],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(sort_keys=True),
            ],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("aiokafka", "pymongo", "uvicorn.access", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _name_of_logger(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    record = event.get("_record")
    if isinstance(record, logging.LogRecord):
        event["logger"] = record.name
    return event


@dataclass
class Pulse:
    """Progress of one loop of this process. `beat` when work was done or there was none; `fault` when it failed."""

    name: str
    last: float = field(default_factory=time.monotonic)
    trouble: str = "not started"

    def beat(self) -> None:
        """Say that the loop is current."""
        self.last = time.monotonic()
        self.trouble = ""

    def fault(self, what: str) -> None:
        """Say what keeps the loop from its work; it counts as not ready once this has lasted."""
        self.trouble = what

    def stop(self, what: str) -> None:
        """Say that the loop must not go on until a person has acted: not ready at once."""
        self.last = float("-inf")
        self.trouble = what

    def silent_for(self) -> float:
        """Return the seconds since the last beat."""
        return time.monotonic() - self.last
