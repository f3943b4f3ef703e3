"""The limit of a stream, by the events that it holds: refused at the command, long before MongoDB's own limits."""

from __future__ import annotations

from shared.domain.aggregate import Command, Context
from shared.domain.rejections import StreamIsFull
from shared.store.event_store import Head

EVENTS = 5_000
SIZE = 4_000_000
"""Bytes. A state, and a trace, repeat what the events say; MongoDB stores 16 MiB as one document."""
RESERVED_EVENTS = 1_000
RESERVED_SIZE = 1_000_000
"""The room left in a full stream, for corrections, commands that close it, and those that follow from an event."""


def refusal_of_full(head: Head, command: Command, context: Context) -> StreamIsFull | None:
    """Return the refusal of a command on a stream that is full; None where there is room."""
    reserved = command.uses_reserve or context.role == "system"
    events, size = EVENTS + RESERVED_EVENTS * reserved, SIZE + RESERVED_SIZE * reserved
    if head.version < events and head.size < size:
        return None
    return StreamIsFull(head.stream, head.version, head.size, events, size)
