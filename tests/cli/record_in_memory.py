"""The public record folded and composed in memory, for tests of rendering and comparison."""

from __future__ import annotations

from functools import cache
from typing import Any

from tests.cli.terminal import PUBLIC_RECORD
from tests.history import History, composed
from tools.record.checking import check

TODAY = {"date": "2031-01-01", "past_due": [], "stalled": {}}


@cache
def public_history() -> History:
    """Return the events of the public record."""
    history = History()
    for checked in check(PUBLIC_RECORD).rows:
        history.add(checked.row.stream, checked.event)
    return history


@cache
def public_traces() -> dict[str, dict[str, Any]]:
    """Return the two traces of the public record, by reference."""
    return composed(public_history().all())
