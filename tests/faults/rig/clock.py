"""A process's clock that can be set back: every `datetime.now` and `time.time` of the platform's own modules."""

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
    """The datetime that the platform's modules see; its `now` is an hour back while that point is armed."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        """Return the time by the sabotaged clock."""
        now = datetime.now(tz)
        return now - BACK if _set_back() else now  # type: ignore[return-value]

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> core_schema.CoreSchema:
        return core_schema.datetime_schema()


def _time() -> float:
    return _true_time() - BACK.total_seconds() if _set_back() else _true_time()


def install(points: Points) -> None:
    """Give the sabotaged clock to every module of the platform that is loaded."""
    _points.append(points)
    time.time = _time
    for name, module in sys.modules.items():
        if name.startswith(("shared.", "services.")) and getattr(module, "datetime", None) is datetime:
            vars(module)["datetime"] = Clock
