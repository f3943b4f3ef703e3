"""Waiting matters: what is to be done next on a record, by whom, since when and until when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator

from shared.events.values import Model, latest_day
from shared.events.words import Role

SOON_DAYS = 14
TITLE_LIMIT = 200
"""The most characters of a title: a record may have thousands of matters, and they are stored with its state."""
Due: TypeAlias = Literal["overdue", "soon", "later"]
_UNDATED = "9999-12-31"
_FIRST, _LAST = "0000", "~"


def _shortened(title: str) -> str:
    return title if len(title) <= TITLE_LIMIT else f"{title[: TITLE_LIMIT - 1]}…"


class Waiting(Model):
    """A matter that waits for one of some roles, of a `member` where it waits for that Government.

    `about` tells it from others of its kind in one stream. Title and reason name no person. `since` is a date or time
    in the world, or that of its recording; `due` a date as far as it is known. Where it is due by the days of a
    `session`, that is the stream of it, and whoever reads the matter looks them up.
    """

    kind: str
    stream: str
    about: str | None = None
    title: Annotated[str, AfterValidator(_shortened)]
    since: str | None = None
    due: str | None = None
    session: str | None = None
    why: str
    roles: tuple[Role, ...]
    member: str | None = None

    @property
    def key(self) -> str:
        """The text that sorts matters by their dates, those without one last, and tells each from every other."""
        day = latest_day(self.due).isoformat() if self.due else _UNDATED
        return f"{day} {self.kind} {self.stream} {self.about or ''}"


def as_facet(waiting: Iterable[Waiting]) -> list[dict[str, Any]]:
    """Return matters as the facet `awaits` of a state holds them, so that they are read without that state."""
    return [
        {name: value for name, value in vars(each).items() if value is not None}
        | {"roles": list(each.roles), "key": each.key}
        for each in waiting
    ]


def span_of(due: Due | None, today: date) -> tuple[str, str]:
    """Return the first key, and the one after the last, of matters that are due at a time seen from a day.

    Soon is within two weeks; what has no date is due later.
    """
    begins, ends = today.isoformat(), (today + timedelta(days=SOON_DAYS + 1)).isoformat()
    spans = {None: (_FIRST, _LAST), "overdue": (_FIRST, begins), "soon": (begins, ends), "later": (ends, _LAST)}
    return spans[due]
