"""The kinds of record that have pages: where each lies, and what its list shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote

from tools.client import api
from tools.console.services import Problem


@dataclass(frozen=True)
class Column:
    """A column of a list: its label, the path of its value in a record's state, and how it is shown."""

    label: str
    path: str
    form: str = "text"


@dataclass(frozen=True)
class Kind:
    """A kind of record: its noun, the service that has it, its addresses, its filters, and how its list looks."""

    noun: str
    service: str
    plural: str
    one: str
    filters: tuple[api.Parameter, ...]
    columns: tuple[Column, ...]
    heading: str
    of_all: Mapping[str, str]

    @property
    def stream(self) -> str:
        """The kind as the names of streams begin."""
        return self.noun.replace("-", "_")


_COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "call": (
        Column("title", "opened.title"), Column("opened_on", "opened.opened_on", "day"),
        Column("closes_on", "opened.closes_on", "day"), Column("stage", "stage", "tag"),
    ),
    "nomination": (
        Column("member", "particulars.member", "member"), Column("name", "details.name"),
        Column("institution", "particulars.institution"), Column("category", "particulars.category", "word"),
        Column("capacity", "particulars.capacity", "word"), Column("submitted_on", "particulars.submitted_on", "day"),
        Column("stage", "stage", "tag"),
    ),
    "membership": (
        Column("member", "began.member", "member"), Column("capacity", "began.capacity", "word"),
        Column("began_on", "began.began_on", "day"), Column("ended_on", "ended.ended_on", "day"),
        Column("reason", "ended.reason", "word"), Column("stage", "stage", "tag"),
    ),
    "meeting": (
        Column("title", "particulars.title"), Column("starts_at", "particulars.starts_at", "when"),
        Column("kind", "particulars.kind", "word"), Column("modality", "particulars.modality", "word"),
        Column("stage", "stage", "tag"),
    ),
    "instrument": (
        Column("citation", "registered.data.cite"), Column("title", "registered.data.title"),
        Column("body", "registered.data.body"), Column("symbol", "registered.data.symbol"),
        Column("adopted_on", "registered.data.adopted_on", "day"), Column("provisions", "provisions", "count"),
        Column("superseded_by", "superseded", "instruments"),
    ),
    "session": (
        Column("session", "recorded.data.session"), Column("starts_on", "recorded.data.starts_on", "day"),
        Column("ends_on", "recorded.data.ends_on", "day"), Column("level", "recorded.data.level", "word"),
    ),
    "body-session": (
        Column("body", "recorded.data.body"), Column("session", "recorded.data.session"),
        Column("starts_on", "recorded.data.starts_on", "day"), Column("ends_on", "recorded.data.ends_on", "day"),
    ),
    "priority": (
        Column("title", "recorded.data.title"), Column("themes", "recorded.data.themes", "list"),
        Column("timeline_from", "recorded.data.timeline_from", "day"),
        Column("timeline_to", "recorded.data.timeline_to", "day"), Column("stage", "stage", "tag"),
    ),
    "initiative": (
        Column("title", "recorded.data.title"),
        Column("supporting_member", "recorded.data.supporting_member", "member"),
        Column("provisions", "recorded.data.provisions", "count"),
    ),
    "deliverable": (
        Column("body", "recorded.data.body"), Column("year", "recorded.data.year", "day"),
        Column("planned_three_hour_meetings", "recorded.data.planned_three_hour_meetings"),
        Column("actual_three_hour_meetings", "recorded.data.actual_three_hour_meetings"),
    ),
    "subscription": (
        Column("name", "details.name"), Column("events", "added.events", "events"), Column("stage", "stage", "tag"),
    ),
    "notification": (
        Column("event", "planned.event_type", "event"), Column("record", "planned.stream", "record"),
        Column("latest", "at", "when"), Column("attempt", "attempt"),
        Column("standing", "stage", "tag"), Column("why_it_failed", "failed.reason", "word"),
        Column("why_it_is_uncertain", "uncertain.reason", "word"),
    ),
}  # fmt: skip
_TITLE = (Column("title", "title"), Column("stage", "stage", "tag"))
_HEADINGS = {
    "meeting": "particulars.title",
    "priority": "recorded.data.title",
    "initiative": "recorded.data.title",
    "deliverable": "recorded.data.body",
    "notification": "planned.stream",
}
"""The path of the heading of those whose page is made from their state as a whole."""
PERSONS = frozenset({"expert", "subscriber"})
"""The streams of a person, which the page of privacy shows."""
_OF_A_PAGE = ("limit", "after", "counts", "sort")
_OF_ALL = {"counts": "true", "sort": "newest"}
"""The parameters of a list beside its filters, where its query takes it."""


@cache
def kinds() -> Mapping[str, Kind]:
    """Return the kinds by noun, as the services' tables of queries give them."""
    lists = {(query.service, query.plural): query for query in api.queries() if query.word == "list"}
    records = [query for query in api.queries() if query.word == "show" and _is_record(query)]
    return {
        query.noun: Kind(
            query.noun,
            query.service,
            lists[query.service, query.plural].path,
            query.path,
            tuple(each for each in lists[query.service, query.plural].filters if each.name not in _OF_A_PAGE),
            _COLUMNS.get(query.noun, _TITLE),
            _HEADINGS.get(query.noun, "title"),
            {name: value for name, value in _OF_ALL.items() if name in _names(lists[query.service, query.plural])},
        )
        for query in records
    }


def address_of(stream: str) -> str | None:
    """Return the address of a record's page, or None where its kind has none."""
    noun, _, key = stream.partition("/")
    if noun in PERSONS:
        return f"/privacy?person={quote(key, safe='')}"
    kind = kinds().get(noun.replace("_", "-"))
    return f"{kind.plural}/{key}" if kind else None


def form_address(command: api.Command, key: str = "") -> str:
    """Return the address of a command's form, for a record."""
    base = command.path if command.is_new else f"{command.path.partition('/{')[0]}/{key}"
    return f"{base}/{'new' if command.is_new else 'do'}/{command.word}"


def filled(template: str, parts: Mapping[str, str]) -> str:
    """Fill the parts of an address, each encoded, so that an id is never a path or a query. Raises Problem (404)."""
    return template.format_map({name: _encoded(part) for name, part in parts.items()})


def stream_path(stream: str | None) -> str:
    """Return the path of a stream's events, its id encoded."""
    return "/streams/" + "/".join(map(_encoded, (stream or "").split("/")))


def _encoded(part: str) -> str:
    """Encode a part of an address; `.` and `..` would be another address. Raises Problem (404)."""
    if part in (".", ".."):
        raise Problem("", 404, {"rule": "NotOnRecord", "detail": "no record has this address"})
    return quote(part, safe="")


def value_at(state: Any, path: str) -> Any:
    """Return a value within nested objects, or None."""
    for part in path.split("."):
        if not isinstance(state, dict):
            return None
        state = state.get(part)
    return state


def _is_record(query: api.Query) -> bool:
    return query.noun != "trace" and "at_least" in _names(query)


def _names(query: api.Query) -> set[str]:
    return {each.name for each in query.filters}
