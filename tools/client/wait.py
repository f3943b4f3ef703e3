"""Waits until the traces show what was recorded: what is read next is not older than what was written."""

from __future__ import annotations

import time
from collections.abc import Mapping

from tools.client.services import Services

LOOK_SECONDS = 0.2


def settle(services: Services, heads: Mapping[str, int], patience: float) -> bool:
    """Wait until every trace that rests on these streams rests on these versions, or later; False where it took longer.

    A recommendation among them must have its trace.
    """
    until = time.monotonic() + patience
    while not _settled(services, heads):
        if time.monotonic() > until:
            return False
        time.sleep(LOOK_SECONDS)
    return True


def _settled(services: Services, heads: Mapping[str, int]) -> bool:
    shown: set[str] = set()
    for trace in services.pages("recommendations", "/traces"):
        shown.add(f"recommendation/{trace['recommendation']['reference']}")
        if any(version < heads.get(stream, 0) for stream, version in trace["based_on"]):
            return False
    return all(stream in shown for stream in heads if stream.startswith("recommendation/"))
