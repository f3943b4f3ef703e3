"""Search entries of meetings: id, title, symbols and titles of documents, agenda, outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from services.meetings.domain.states import Absent, Meeting
from shared.domain.search_entry import SearchEntry
from shared.domain.voids import Void


def _of_meeting(item: Meeting) -> Iterator[SearchEntry]:
    if isinstance(item, Absent | Void):
        return
    meeting, proceedings = item.particulars, item.proceedings
    documents = [entry.fact for entry in proceedings.documents]
    symbols = (document.symbol for document in documents if document.symbol)
    texts = (
        *(entry.fact.title for entry in proceedings.agenda),
        *(document.title for document in documents),
        *(entry.fact.text for entry in proceedings.outcomes),
    )
    yield SearchEntry("meeting", meeting.title, (meeting.meeting, *symbols), texts)


SEARCHED: Mapping[str, Callable[[Any], Iterable[SearchEntry]]] = {"meeting": _of_meeting}
