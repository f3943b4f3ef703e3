"""Days and times in queries: ISO 8601 in full, never a number of seconds."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(
    f"{_DAY.pattern}[Tt][0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}}(?:[.][0-9]{{1,9}})?)?(?:[Zz]|[+-][0-9]{{2}}:[0-9]{{2}})?"
)


def _written_as(form: re.Pattern[str], words: str) -> BeforeValidator:
    def check(value: object) -> object:
        if isinstance(value, str) and form.fullmatch(value) is None:
            raise ValueError(f"is not {words}")
        return _to_microseconds(value.upper()) if isinstance(value, str) else value

    return BeforeValidator(check)


def _to_microseconds(text: str) -> str:
    return re.sub("([.][0-9]{6})[0-9]+", r"\1", text)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("is a time that has no counterpart in UTC") from None


Day = Annotated[date, _written_as(_DAY, "a day: write YYYY-MM-DD")]
Moment = Annotated[
    datetime,
    _written_as(_TIME, "a time: write YYYY-MM-DDThh:mm:ssZ, or with another offset; without one it is UTC"),
    AfterValidator(_in_utc),
]
