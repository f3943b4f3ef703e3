"""Choices of a field that names a record, made from what is on record: meetings, sessions, mandates."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from shared.domain.members import MEMBERS
from tools.client import api
from tools.console import times
from tools.console.differences import versions_of
from tools.console.forms.fields import Field, leaves, row
from tools.console.languages import _
from tools.console.services import Missing, Services

LIMIT = 200
_Items = Iterable[Mapping[str, Any]]
_Address = tuple[str, str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class Choice:
    """A record that a field may name: its id, and how a person knows it."""

    value: str
    text: str


@dataclass(frozen=True)
class Choices:
    """The records that a field may name; not all of them where there are more than a list has."""

    choices: Sequence[Choice]
    is_whole: bool

    def holds(self, value: str) -> bool:
        """Tell whether a value is among them."""
        return any(choice.value == value for choice in self.choices)


@dataclass(frozen=True)
class _Source:
    """The source of a field's choices: a list of a service, and a choice for each of its items."""

    service: str
    path: str
    query: Mapping[str, str]
    of: Callable[[_Items], Iterator[Choice]]
    has_all: bool = True

    @property
    def address(self) -> _Address:
        """The service, path and query of its list."""
        return self.service, self.path, tuple(self.query.items())


def _meetings(items: _Items) -> Iterator[Choice]:
    for item in items:
        own = item["state"].get("particulars", item["state"])
        if "meeting" in own:
            yield Choice(own["meeting"], f"{own.get('title', own['meeting'])}, {times.day(own.get('starts_at'))}")


def _decisions(items: _Items) -> Iterator[Choice]:
    for item in items:
        title = item["state"].get("particulars", {}).get("title", item["stream"])
        for each in (item["state"].get("proceedings") or {}).get("outcomes", ()):
            if each["fact"]["kind"] == "decision":
                yield Choice(each["fact"]["outcome"], f"{title}: {each['fact']['text'][:80]}")


def _sessions(items: _Items) -> Iterator[Choice]:
    for item in items:
        if data := _recorded(item, "recorded"):
            text = _("Session %(n)s, %(day)s", n=data["session"], day=times.day(data.get("starts_on")))
            yield Choice(str(data["session"]), text)


def _instruments(items: _Items) -> Iterator[Choice]:
    for item in items:
        if data := _recorded(item, "registered"):
            yield Choice(data["instrument"], data["cite"])


def _provisions(items: _Items) -> Iterator[Choice]:
    for item in items:
        data = _recorded(item, "registered")
        for each in item["state"].get("provisions", ()) if data else ():
            provision = each["data"]
            yield Choice(provision["provision"], f"{data['cite']}: {provision['summary'][:80]}")


def _priorities(items: _Items) -> Iterator[Choice]:
    for item in items:
        if data := _recorded(item, "recorded"):
            yield Choice(data["priority"], data["title"])


def _deliverables(items: _Items) -> Iterator[Choice]:
    for item in items:
        if data := _recorded(item, "recorded"):
            yield Choice(data["deliverable"], f"{data.get('body', data['deliverable'])}, {data.get('year', '')}")


def _recommendations(items: _Items) -> Iterator[Choice]:
    for item in items:
        yield Choice(item["reference"], f"{item['reference']}: {item['title']}")


def _calls(items: _Items) -> Iterator[Choice]:
    for item in items:
        if opened := item["state"].get("opened"):
            yield Choice(opened["call"], f"{opened['title']}, {times.day(opened.get('closes_on'))}")


def _experts(items: _Items) -> Iterator[Choice]:
    for item in items:
        name = (item.get("details") or {}).get("name") or item["membership"]
        yield Choice(item["membership"], f"{name}, {item['member_name']}")


def _recorded(item: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    fact: Mapping[str, Any] = item["state"].get(name, {})
    return fact.get("data", {}) if isinstance(fact, dict) else {}


_RECOMMENDATIONS = "recommendations"
_ROSTER = _Source("nominations", "/roster", {}, _experts, has_all=False)
_SOURCES = {
    "call": _Source("nominations", "/calls", {"stage": "open"}, _calls),
    "membership": _ROSTER,
    "replaces": _ROSTER,
    "meeting": _Source("meetings", "/meetings", {}, _meetings),
    "session": _Source(_RECOMMENDATIONS, "/sessions", {}, _sessions),
    "instrument": _Source(_RECOMMENDATIONS, "/instruments", {}, _instruments),
    "superseded_by": _Source(_RECOMMENDATIONS, "/instruments", {}, _instruments),
    "provision": _Source(_RECOMMENDATIONS, "/instruments", {}, _provisions),
    "priority": _Source(_RECOMMENDATIONS, "/priorities", {}, _priorities),
    "deliverable": _Source(_RECOMMENDATIONS, "/deliverables", {}, _deliverables),
}
_OF_ESCAP = Choices(
    tuple(Choice(code, each.name) for code, each in sorted(MEMBERS.items(), key=lambda pair: pair[1].name)),
    is_whole=True,
)
_FOR_MEMBERS = frozenset({"member", "supporting_member"})
_REFERENCE = _Source(_RECOMMENDATIONS, "/traces", {"view": "row"}, _recommendations)
_HELD = {"adopt": {"stage": "held"}}
_DECISIONS = _Source("meetings", "/meetings", {"stage": "held"}, _decisions)


async def choices_of(
    known: Services, command: api.Command, fields: Sequence[Field], path: str | None
) -> dict[str, Choices]:
    """Return the choices of the fields that name records, by the field's own name; `path` is that of the record."""
    names = dict.fromkeys(field.own for field in _all(fields))
    sources = {name: source for name in names if (source := _source(command, name)) is not None}
    is_own = command.noun == "recommendation" and path and {"text_version", "instrument", "provision"} & names.keys()
    answers, own = await asyncio.gather(
        _lists(known, sources.values()), _of_the_recommendation(known, command, path or "") if is_own else _none()
    )
    by_name = {
        name: _choices(source, answer)
        for name, source in sources.items()
        if not isinstance(answer := answers[source.address], Missing)
    } | own
    by_name |= dict.fromkeys(_FOR_MEMBERS & names.keys(), _OF_ESCAP)
    return {name: choices for name, choices in by_name.items() if choices.choices and name in names}


async def _lists(known: Services, sources: Iterable[_Source]) -> dict[_Address, Any | Missing]:
    """Return the lists of some sources, each list once."""
    lists = {each.address: (each.service, each.path, {"limit": LIMIT} | dict(each.query)) for each in sources}
    return dict(zip(lists, await known.parts(*lists.values()), strict=True))


def _choices(source: _Source, answer: Mapping[str, Any]) -> Choices:
    """Return the choices of a list; where the list goes on, only the first, for one who types."""
    is_whole = source.has_all and "next" not in answer
    return Choices(tuple(islice(source.of(answer["items"]), None if is_whole else LIMIT)), is_whole)


async def _none() -> dict[str, Choices]:
    return {}


async def _of_the_recommendation(known: Services, command: api.Command, path: str) -> dict[str, Choices]:
    """Return the versions of its text, and for what is about one of its citations, those."""
    record, trace = await asyncio.gather(
        known.part(_RECOMMENDATIONS, path),
        known.part(_RECOMMENDATIONS, path.replace("/recommendations/", "/traces/", 1)),
    )
    by_name: dict[str, Choices] = {}
    if not isinstance(record, Missing):
        versions = [
            Choice(str(each.number), _("Version %(n)s", n=each.number)) for each in versions_of(record["state"])
        ]
        by_name["text_version"] = Choices(versions, is_whole=True)
    if command.word in ("uncite", "reconfirm") and not isinstance(trace, Missing):
        cited = [each for each in trace["trace"]["mandates"] if each["standing"] != "uncited"]
        instruments = dict.fromkeys(Choice(each["instrument"], each["cite"]) for each in cited)
        provisions = [Choice(each["provision"], f"{each['cite']}: {each.get('summary', '')[:80]}") for each in cited]
        by_name |= {
            "instrument": Choices(list(instruments), is_whole=True),
            "provision": Choices(provisions, is_whole=True),
        }
    return by_name


def _source(command: api.Command, name: str) -> _Source | None:
    """Return where a field's choices come from; None for the id of a new record, and for what names none."""
    if command.is_new and name == command.noun.replace("-", "_"):
        return None
    if name in ("by", "into"):
        of_recommendation = command.noun == "recommendation"
        return _REFERENCE if of_recommendation else _SOURCES["instrument"] if command.noun == "instrument" else None
    if name == "provision" and command.word == "register-provision":
        return None
    if (name, command.word) == ("outcome", "adopt"):
        return _DECISIONS
    if (source := _SOURCES.get(name)) is None or (name == "session" and command.noun != "recommendation"):
        return None
    query = _HELD.get(command.word, {}) if name == "meeting" else {}
    return _Source(source.service, source.path, {**source.query, **query}, source.of, source.has_all)


def _all(fields: Sequence[Field]) -> Iterator[Field]:
    """Yield the fields that hold one value, those of groups and of rows included."""
    for field in leaves(fields):
        if field.kind == "rows":
            yield from _all(row(field, 0))
        else:
            yield field
