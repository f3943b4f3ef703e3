"""The W3C trace context as text, as commits and Kafka records carry it beside an event's bytes."""

from __future__ import annotations

import re

TRACEPARENT = "traceparent"
"""The name of the header, of HTTP and of Kafka."""
_WELL_FORMED = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def well_formed(value: object) -> str | None:
    """Return a traceparent as text, or None for anything else."""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    return value if isinstance(value, str) and _WELL_FORMED.fullmatch(value) else None
