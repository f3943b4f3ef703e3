"""Waiting until the traces show the events that were recorded: read your writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from tools.client.services import Services

POLL_SECONDS = 0.2
SIGNED_POLL_SECONDS = 2.0


def lacking(versions: Mapping[str, int], reached: Callable[[], Mapping[str, int]], seconds: float) -> list[str]:
    """Wait until `reached()` shows these streams at these versions; return those that it does not show in time."""
    until = time.monotonic() + seconds
    while versions:
        shown = reached()
        versions = {stream: version for stream, version in versions.items() if shown.get(stream, 0) < version}
        if not versions or time.monotonic() > until:
            break
        time.sleep(SIGNED_POLL_SECONDS)
    return [f"{stream} version {version}" for stream, version in sorted(versions.items())]


def wait_for_traces(services: Services, heads: Mapping[str, int], patience: float) -> bool:
    """Wait until the traces rest on these versions of these streams, or later; False after `patience` seconds.

    A recommendation among the streams must have its trace.
    """
    until = time.monotonic() + patience
    while not _are_shown(services, heads):
        if time.monotonic() > until:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _are_shown(services: Services, heads: Mapping[str, int]) -> bool:
    shown: set[str] = set()
    for trace in services.pages("recommendations", "/traces"):
        shown.add(f"recommendation/{trace['recommendation']['reference']}")
        if any(version < heads.get(stream, 0) for stream, version, *_ in trace["based_on"]):
            return False
    return all(stream in shown for stream in heads if stream.startswith("recommendation/"))
