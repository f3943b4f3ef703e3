"""A clock that can be set back, for each `datetime.now` and `time.time` of the platform's own modules."""

from __future__ import annotations

import sys
import time
from datetime import datetime, timedelta, tzinfo
from typing import Any, Self

from pydantic_core import core_schema

from tests.faults.rig.points import Points

BACK = timedelta(hours=1)
_true_time = time.time
_points: list[Points] = []


def _set_back() -> bool:
    return _points[0].armed("clock an hour back")


class Clock(datetime):
    """A datetime whose `now` is an hour back while the point is armed."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        """Return the time of the sabotaged clock."""
        now = datetime.now(tz)
        return now - BACK if _set_back() else now  # type: ignore[return-value]

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> core_schema.CoreSchema:
        return core_schema.datetime_schema()


def _time() -> float:
    return _true_time() - BACK.total_seconds() if _set_back() else _true_time()


def install(points: Points) -> None:
    """Patch the sabotaged clock into each loaded module of the platform."""
    _points.append(points)
    time.time = _time
    for name, module in sys.modules.items():
        if name.startswith(("shared.", "services.")) and getattr(module, "datetime", None) is datetime:
            vars(module)["datetime"] = Clock
