"""The base of this service's events."""

from __future__ import annotations

from typing import ClassVar

from shared.events.event import Event


class _Recommendations(Event):
    service: ClassVar[str] = "recommendations"
