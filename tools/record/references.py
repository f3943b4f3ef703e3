"""The check of references: the record defines every name once, and members are those of ESCAP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.domain.members import MEMBERS
from shared.domain.spelling import suggestion
from tools.record.faults import Fault, Place, Places
from tools.record.slugs import slug

_DEFINED = {
    "instrument": ("instruments.*.cite", "instruments.*.id"),
    "provision": ("provisions.*.id",),
    "meeting": ("meetings.*.id",),
    "deliverable": ("deliverables.*.id",),
    "session": ("committee_sessions.*.session",),
    "recommendation": ("recommendations.*.reference",),
    "initiative": ("initiatives.*.id",),
}
_NAMED = {
    "provisions.*.instrument": "instrument",
    "relations.*.from": "instrument",
    "relations.*.to": "instrument",
    "initiatives.*.mandates.*": "provision",
    "recommendations.*.mandates.*.provision": "provision",
    "recommendations.*.meetings.*.meeting": "meeting",
    "recommendations.*.origin.*.meeting": "meeting",
    "recommendations.*.adopted.meeting": "meeting",
    "recommendations.*.transmitted.*.to_session": "session",
    "recommendations.*.disposition.*.session": "session",
    "recommendations.*.carried_by.*.instrument": "instrument",
    "recommendations.*.follow_up.*.evidence.meeting": "meeting",
    "recommendations.*.follow_up.*.evidence.deliverable": "deliverable",
    "recommendations.*.follow_up.*.evidence.session": "session",
}
_SECTIONS = {"session": "committee_sessions"}
_MEMBERS = ("initiatives.*.supported_by", "members.*")
_THEMES = "recommendations.*.themes.*"


def check_references(places: Places) -> list[Fault]:
    """Return a fault for every name that is undefined, defined twice, or no member's."""
    tree = places.tree
    return [*_twice(tree, places), *_unknown(tree, places), *_not_members(tree, places), *_not_themes(tree, places)]


def texts_at(tree: Any, pattern: str) -> Iterator[tuple[Place, str]]:
    """Yield the texts that match a pattern; `*` is each entry of a list, or a single entry in place of one."""
    yield from _walk(tree, pattern.split("."), ())


def _walk(tree: Any, steps: list[str], place: Place) -> Iterator[tuple[Place, str]]:
    match tree, steps:
        case str(), [] | [_]:
            if steps != ["*"]:
                yield place, tree
        case list(), ["*", *rest]:
            for index, item in enumerate(tree):
                yield from _walk(item, rest, (*place, index))
        case dict(), ["*", *rest]:
            yield from _walk(tree, rest, place)
        case dict(), [name, *rest] if name in tree:
            yield from _walk(tree[name], rest, (*place, name))


def _twice(tree: Any, places: Places) -> Iterator[Fault]:
    for kind, patterns in _DEFINED.items():
        for pattern in patterns:
            seen: set[str] = set()
            for place, name in texts_at(tree, pattern):
                if name in seen:
                    yield places.fault(place, "NamedTwice", f"the {kind} {name!r} is in the record already: keep one")
                seen.add(name)
    yield from _same_id(tree, places, "instruments", "cite")
    yield from _same_id(tree, places, "initiatives", "title")


def _same_id(tree: Any, places: Places, section: str, named_by: str) -> Iterator[Fault]:
    """Yield faults of rows with different names and the same id."""
    seen: dict[str, str] = {}
    explicit_ids = {place[:-1]: name for place, name in texts_at(tree, f"{section}.*.id")}
    for place, name in texts_at(tree, f"{section}.*.{named_by}"):
        key = explicit_ids.get(place[:-1]) or slug(name)
        if seen.setdefault(key, name) != name:
            says = f"its id {key!r} is that of {seen[key]!r} too: give one of them another id"
            yield places.fault(place, "NamedTwice", says)


def _unknown(tree: Any, places: Places) -> Iterator[Fault]:
    known = {kind: _known(tree, kind) for kind in _DEFINED}
    for pattern, kind in _NAMED.items():
        for place, name in texts_at(tree, pattern):
            if name not in known[kind]:
                section = _SECTIONS.get(kind, f"{kind}s")
                hint = suggestion(name, known[kind]) or f"add it under {section}, or correct the name"
                yield places.fault(place, f"Unknown{kind.capitalize()}", f"no {kind} {name!r} is in the record: {hint}")


def _known(tree: Any, kind: str) -> set[str]:
    names = {name for pattern in _DEFINED[kind] for _, name in texts_at(tree, pattern)}
    return names | {slug(name) for _, name in texts_at(tree, "instruments.*.cite")} if kind == "instrument" else names


def _not_members(tree: Any, places: Places) -> Iterator[Fault]:
    for pattern in _MEMBERS:
        for place, name in texts_at(tree, pattern):
            if name not in MEMBERS:
                says = f"{name!r} is none of the 53 members and 9 associate members: write its ISO 3166-1 alpha-3 code"
                yield places.fault(place, "NotAMember", says)


def _not_themes(tree: Any, places: Places) -> Iterator[Fault]:
    known = {name for _, name in texts_at(tree, "themes.*")}
    for place, name in texts_at(tree, _THEMES) if known else ():
        if name not in known:
            yield places.fault(place, "UnknownTheme", f"{name!r} is not one of the record's themes: add or correct it")
