"""The commit documents of events that are had again from a topic or an export, and where their batches end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.events.catalogue import Recorded
from shared.store.commits import commit_document

BATCH_ENTRIES = 2_000


def batch_ends(events: Sequence[Recorded]) -> list[int]:
    """Return the indexes at which batches end, never within a commit."""
    ends: list[int] = []
    for stop in range(1, len(events)):
        between_commits = events[stop].commandid != events[stop - 1].commandid
        if between_commits and stop - (ends[-1] if ends else 0) >= BATCH_ENTRIES:
            ends.append(stop)
    return [*ends, len(events)] if events else []


def commit_documents(events: Sequence[tuple[Recorded, bytes]]) -> list[dict[str, Any]]:
    """Return the commits of events, one per stream and command. The digest of the command is not known."""
    grouped: dict[tuple[str, str], list[tuple[Recorded, bytes]]] = {}
    for recorded, raw in events:
        grouped.setdefault((recorded.subject, recorded.commandid), []).append((recorded, raw))
    return [
        commit_document(
            stream,
            group[0][0].streamversion,
            [raw for _, raw in group],
            command_id=command_id,
            actor=group[0][0].actor,
        )
        for (stream, command_id), group in grouped.items()
    ]
