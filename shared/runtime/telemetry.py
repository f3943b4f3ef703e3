"""JSON logs, Prometheus metrics, and the pulse of each loop, from which readiness follows.

Logs hold nothing personal: events, actors and persons appear as ids.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog
from prometheus_client import Counter, Gauge, Histogram

from shared.tracing.spans import tracing

COMMANDS = Counter("throughline_commands_total", "Commands by outcome", ["service", "command", "outcome"])
COMMAND_SECONDS = Histogram("throughline_command_seconds", "Time to answer a command", ["service"])
UNAUTHENTICATED = Counter("throughline_unauthenticated_total", "Requests without a valid token", ["service", "reason"])
CLOSED_CONNECTIONS = Counter(
    "throughline_closed_connections_total", "Connections closed because of a limit", ["service", "rule"]
)
RELAYED = Counter("throughline_relayed_events_total", "Events published", ["service"])
RELAY_POSITION = Gauge("throughline_relay_published_position", "Published position", ["service"])
SIGNED_SIZE = Gauge("throughline_sealed_size", "Events under the newest signed checkpoint", ["service"])
CONSUMED = Counter("throughline_consumed_events_total", "Events consumed from Kafka", ["service", "topic"])
LAG = Gauge("throughline_consumer_lag", "Records not yet consumed", ["service"])
DEAD_LETTERS = Counter("throughline_dead_letters_total", "Messages stored as dead letters", ["service", "reason"])
STALLED = Gauge("throughline_stalled_streams", "Streams that wait for a version", ["service"])
TOPIC_DIFFERENCES = Gauge("throughline_topic_differences", "Settings of the own topic that differ", ["service"])
BATCH_SECONDS = Histogram("throughline_batch_seconds", "Time to journal, fold and compose a batch", ["service"])
NOTIFICATIONS = Counter("throughline_notifications_total", "Notifications by outcome", ["service", "outcome"])
REFUSALS = Counter("throughline_refusals_total", "Refusals by rule and HTTP status", ["service", "rule", "status"])
SIGNED_AT = Gauge("throughline_checkpoint_signed_timestamp_seconds", "When this process last signed", ["service"])
LAG_SECONDS = Gauge("throughline_consumer_lag_seconds", "Age of the oldest record not yet consumed", ["service"])
PAGE_SECONDS = Histogram("throughline_page_seconds", "Time to answer a browser, by HTTP status", ["service", "status"])

# measured when Prometheus asks, by shared/http/health.py
BUILD = Gauge("throughline_build_info", "1, with the version that runs", ["service", "version", "python"])
READY = Gauge("throughline_ready", "1 where /readyz says yes", ["service"])
DATABASE_ANSWERS = Gauge("throughline_database_answers", "1 where MongoDB answers", ["service"])
LOOP_SILENCE = Gauge("throughline_loop_silent_seconds", "Seconds since a loop made progress", ["service", "loop"])
LOOP_TROUBLE = Gauge("throughline_loop_trouble", "1 where a loop reports a trouble", ["service", "loop"])
NOT_MEASURED = Gauge("throughline_not_measured", "Measures that failed when Prometheus asked last", ["service"])
STORE_CLOSED = Gauge("throughline_store_closed", "1 where the store takes no commands", ["service"])
CLOCK_AHEAD = Gauge("throughline_clock_ahead_seconds", "Seconds ahead of the database's clock", ["service"])
RELAY_LEADS = Gauge("throughline_relay_leads", "1 where the relay of this process holds the lease", ["service"])
UNPUBLISHED_AGE = Gauge("throughline_unpublished_age_seconds", "Age of the oldest unpublished event", ["service"])
UNSIGNED_AGE = Gauge(
    "throughline_unsigned_age_seconds", "Age of the oldest published event that no checkpoint signs", ["service"]
)
OPEN_DEAD_LETTERS = Gauge("throughline_dead_letters_open", "Open dead letters", ["service"])
DATABASE_BYTES = Gauge("throughline_database_bytes", "Bytes that the own database takes on disk", ["service"])
DISK_USED = Gauge("throughline_database_disk_used_bytes", "Bytes used on MongoDB's disk", ["service"])
DISK_SIZE = Gauge("throughline_database_disk_bytes", "Size of MongoDB's disk", ["service"])
NOTIFICATIONS_STANDING = Gauge(
    "throughline_notifications_standing", "Notifications that are not delivered, by standing", ["service", "standing"]
)


def configure_logging(service: str, level: str = "INFO") -> None:
    """Write every log record of this process as one JSON line on standard output."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        *([_with_trace_id] if tracing().is_on else []),
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
    for chatty in ("aiokafka", "pymongo", "uvicorn.access", "httpx2"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _with_trace_id(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    if (trace_id := tracing().trace_id()) is not None:
        event["trace_id"] = trace_id
    return event


def _name_of_logger(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    record = event.get("_record")
    if isinstance(record, logging.LogRecord):
        event["logger"] = record.name
    return event


NOT_STARTED = "not started"


@dataclass
class Pulse:
    """The progress of one loop of this process: `beat` after work, or without any to do; `fault` after a failure."""

    name: str
    last: float = field(default_factory=time.monotonic)
    trouble: str = NOT_STARTED
    warning: str = ""
    """A finding for an operator to see to, although the loop makes progress."""
    signs: int = 0
    """The number of reports so far: a hung loop makes none."""
    has_begun: bool = False
    """Set by the first beat: until then the process is not ready, without any patience."""
    is_busy: bool = False
    """Set during a long piece of work, in which it may be silent for longer."""
    is_hung: bool = False

    def beat(self) -> None:
        """Report that the loop is current."""
        self.last = time.monotonic()
        self.has_begun, self.trouble = True, ""
        self.signs += 1

    def fault(self, trouble: str) -> None:
        """Report a fault; the process counts as not ready once it has lasted."""
        self.trouble = trouble
        self.signs += 1

    def stop(self, trouble: str) -> None:
        """Report that the loop waits for a person to act; the process is not ready from now on."""
        self.last = float("-inf")
        self.fault(trouble)

    @contextmanager
    def long_work(self) -> Iterator[None]:
        """Report one piece of work that may take minutes, such as the flush of a backlog."""
        was_busy, self.is_busy = self.is_busy, True
        try:
            yield
        finally:
            self.is_busy = was_busy
            self.signs += 1

    def silent_for(self) -> float:
        """Return the seconds since the last beat."""
        return time.monotonic() - self.last
