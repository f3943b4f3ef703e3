"""Search entries of records: id, reference, symbol and citation; title; text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from services.recommendations.domain import instrument, state
from services.recommendations.domain.registers import Closed, OnRecord
from services.recommendations.domain.texts import latest, texts_of
from shared.domain.members import MEMBERS
from shared.domain.search_entry import SearchEntry
from shared.events.event import Event
from shared.events.recommendations import (
    BodySessionRecorded,
    CommitteeSessionRecorded,
    DeliverableRecorded,
    InitiativeRegistered,
    InstrumentRegistered,
    PrioritySelected,
    ProvisionRegistered,
)


def _of_recommendation(item: state.State) -> Iterator[SearchEntry]:
    if isinstance(item, state.Recommendation):
        text = latest(texts_of(item))
        themes = item.drafted.data.themes
        texts = (text.text or "", *themes)
        yield SearchEntry("recommendation", text.title, (item.drafted.data.reference,), texts)


def _of_instrument(item: instrument.Instrument) -> Iterator[SearchEntry]:
    if isinstance(item, instrument.Registered):
        data = item.registered.data
        names = (data.instrument, data.cite, *([data.symbol] if data.symbol else []))
        yield SearchEntry("instrument", data.title, names, (data.body,))
        for provision in item.provisions:
            yield _of_provision(data, provision.data)


def _of_provision(whole: InstrumentRegistered, data: ProvisionRegistered) -> SearchEntry:
    title = ", ".join(filter(None, (whole.cite, data.paragraph)))
    texts = (data.summary, data.addressee or "", data.verb or "", data.provision)
    return SearchEntry("provision", title, texts=texts, key=data.provision)


def _of_register(item: object) -> Iterator[SearchEntry]:
    if isinstance(item, OnRecord | Closed):
        yield _of_event(item.recorded.data)


def _of_event(data: Event) -> SearchEntry:
    match data:
        case CommitteeSessionRecorded():
            return SearchEntry("session", f"Committee session {data.session}", (str(data.session),))
        case BodySessionRecorded():
            return SearchEntry("body_session", f"{data.body} session {data.session}", (data.key,))
        case PrioritySelected():
            return SearchEntry("priority", data.title, (data.priority,), (data.outcome, *data.themes))
        case InitiativeRegistered():
            member = data.supporting_member
            names = (MEMBERS[member].name if member in MEMBERS else "", member)
            return SearchEntry("initiative", data.title, (data.initiative,), names)
        case DeliverableRecorded():
            return SearchEntry("deliverable", f"{data.body} {data.year}", (data.deliverable,))
        case _:
            raise TypeError(f"{type(data).__name__} begins no register that is searched")


SEARCHED: Mapping[str, Callable[[Any], Iterable[SearchEntry]]] = {
    "recommendation": _of_recommendation,
    "instrument": _of_instrument,
    **dict.fromkeys(("session", "body_session", "priority", "initiative", "deliverable"), _of_register),
}
PARTS = {"provision": "instrument"}
"""The kinds of entry that lie within a record of another kind."""
