"""The table of who sees what, by role, kind of record and stage: the queries of the services follow from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal, Protocol

Sight = Literal["all", "own", "group"]
"""A role sees all records at these stages, its own, or its own and while its own membership is active all."""
Facets = Mapping[str, Any]
Within = Sequence[Mapping[str, Sequence[str]]]
"""A viewer sees the records of a kind for which any of these holds; each gives the values that facets may have."""
ALL: Within = ({},)
DRAFT, ADOPTED = "draft", "adopted"


class Viewer(Protocol):
    """The viewer: a role, of a focal point its member, of an expert the opaque id of its person."""

    @property
    def role(self) -> str: ...
    @property
    def member(self) -> str | None: ...
    @property
    def expert(self) -> str | None: ...


@dataclass(frozen=True)
class Row:
    """The sight of each role on records of a kind at some stages, or at all where none is named.

    `by` is the facet that holds the stage. A role that is not named sees nothing.
    """

    kind: str
    records: str
    sees: Mapping[str, Sight]
    stages: tuple[str, ...] = ()
    by: str = "stage"


def _all(*roles: str) -> dict[str, Sight]:
    return dict.fromkeys(roles, "all")


_OF_ITS_MEMBER: dict[str, Sight] = {"focal_point": "own"}
_OF_ITSELF: dict[str, Sight] = {"expert": "own"}
_OFFICE = _all("secretariat", "auditor")
_GROUP = _all("secretariat", "chair", "expert", "auditor")
_EVERYBODY = _GROUP | _all("focal_point")
_PENDING = ("submitted", "returned", "declined", "withdrawn")
_NOMINATION, _MEMBERSHIP = "Nominations", "Memberships: the roster of the group"
_RECOMMENDATION = "Recommendations, their traces and coverage, and what rests on a stream"

TABLE = (
    Row("call", "Calls for nominations", _EVERYBODY),
    Row("nomination", _NOMINATION, _OFFICE | _OF_ITSELF | _OF_ITS_MEMBER, _PENDING),
    Row("nomination", _NOMINATION, _GROUP | _OF_ITS_MEMBER, ("accepted",)),
    Row("nomination", _NOMINATION, _OFFICE | _OF_ITS_MEMBER, ("void",)),
    Row("membership", _MEMBERSHIP, _GROUP | _OF_ITS_MEMBER, ("active", "ended")),
    Row("membership", _MEMBERSHIP, _OFFICE | _OF_ITS_MEMBER, ("void",)),
    Row("name", "The name of an expert", _all("secretariat", "chair") | {"expert": "group"} | _OF_ITS_MEMBER),
    Row("details", "Contact and statements about an expert", _all("secretariat") | _OF_ITSELF | _OF_ITS_MEMBER),
    Row("nomination_document", "Uploaded documents of nominations", _all("secretariat") | _OF_ITS_MEMBER),
    Row("meeting", "Meetings, with agenda, attendance and outcomes", _EVERYBODY),
    Row("meeting_document", "Uploaded documents of meetings", _EVERYBODY),
    Row("instrument", "Instruments and their provisions", _EVERYBODY),
    Row("session", "Sessions of the Committee", _EVERYBODY),
    Row("body_session", "Sessions of other bodies", _EVERYBODY),
    Row("priority", "Priorities", _EVERYBODY),
    Row("initiative", "Initiatives", _EVERYBODY),
    Row("deliverable", "Deliverables", _EVERYBODY),
    Row("recommendation", _RECOMMENDATION, _GROUP, (DRAFT,), by="phase"),
    Row("recommendation", _RECOMMENDATION, _EVERYBODY, (ADOPTED,), by="phase"),
    Row("subscription", "Subscriptions to mail", _OFFICE),
    Row("notification", "Notifications by mail", _OFFICE),
    Row("subscriber", "The name and address of a subscriber", _all("secretariat")),
    Row("person", "All that is held about a person", _all("secretariat")),
    Row("replica", "Another service's records as consumed (`…-heard`)", _OFFICE),
    Row("event", "Recorded events: streams, journals, logs, refusals, the events behind a trace", _OFFICE),
    Row("operation", "Stalled streams, dead letters, clocks, unsigned events", _OFFICE | _all("operator")),
)
KINDS: Mapping[str, tuple[Row, ...]] = {
    kind: tuple(row for row in TABLE if row.kind == kind) for kind in dict.fromkeys(row.kind for row in TABLE)
}


def readers(kind: str) -> frozenset[str]:
    """Return the roles that see any record of a kind."""
    return frozenset(chain.from_iterable(row.sees for row in KINDS[kind]))


def within(viewer: Viewer, kind: str) -> Within:
    """Return what a viewer sees of a kind: nothing where it is empty, all where it holds an empty mapping."""
    rows = KINDS[kind]
    seen: list[Mapping[str, Sequence[str]]] = []
    for sights, owner in ((("all",), {}), (("own", "group"), _owner(viewer))):
        stages = [row.stages for row in rows if row.sees.get(viewer.role) in sights]
        if stages and owner is not None:
            at = {} if len(stages) == len(rows) else {rows[0].by: tuple(chain(*stages))}
            seen.append(at | owner)
    return seen


def sees(viewer: Viewer, kind: str, facets: Facets) -> bool:
    """Tell whether a viewer sees a record of a kind, by its facets."""
    return any(all(facets.get(name) in values for name, values in each.items()) for each in within(viewer, kind))


def reads_its_own(viewer: Viewer, kind: str) -> bool:
    """Tell whether a viewer sees some records of a kind only where they are its own."""
    return any(row.sees.get(viewer.role) == "own" for row in KINDS[kind])


def _owner(viewer: Viewer) -> dict[str, tuple[str, ...]] | None:
    """Return the facet that makes a record the viewer's own; None for a viewer who owns nothing."""
    owners = {"focal_point": ("member", viewer.member), "expert": ("person", viewer.expert)}
    name, value = owners.get(viewer.role, ("", None))
    return {name: (value,)} if value is not None else None
