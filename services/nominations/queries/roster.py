"""The roster as at a day: its rows from the folded states, filtered, in pages, names decrypted in one batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from services.nominations.domain.membership import MEMBERSHIP, Active, Ended
from services.nominations.domain.roster import (
    OnRecord,
    Particulars,
    Validity,
    chain_of,
    nominated_in,
    particulars_on,
    replacements,
    standing_on,
)
from services.nominations.queries.sight import fields_seen, is_in_group, opened
from shared.domain.members import MEMBERS
from shared.domain.visibility import within
from shared.events.values import Sealed
from shared.http.auth import Principal
from shared.privacy.key_ring import KeyRing
from shared.projection.natural_order import natural_order
from shared.projection.state_store import StateStore

COUNTED = ("member", "category", "capacity", "theme")
Row = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """A member of the group on a day."""

    membership: OnRecord
    standing: Validity
    particulars: Particulars

    @property
    def key(self) -> str:
        """The key that sorts the roster: by member, principals first, then by id."""
        began = self.membership.began
        return f"{began.member} {began.capacity == 'alternate':d} {natural_order(began.membership)}"

    def values(self, facet: str) -> Sequence[str]:
        """Return the values by which a filter finds it."""
        began = self.membership.began
        values = {
            "member": (began.member,),
            "capacity": (began.capacity,),
            "category": (self.particulars.category,) if self.particulars.category else (),
            "theme": self.particulars.themes,
        }
        return values[facet]


@dataclass(frozen=True)
class Group:
    """The memberships on record, and the particulars of each on a day."""

    memberships: Mapping[str, OnRecord]
    particulars: Mapping[str, Particulars]

    @cached_property
    def after(self) -> dict[str, list[str]]:
        """The memberships that replace one, by the one replaced."""
        return replacements(self.memberships)

    def places(self, on: date) -> list[Place]:
        """Return the places of the roster on a day, in its order."""
        standings = {key: standing_on(each, on) for key, each in self.memberships.items()}
        places = [
            Place(self.memberships[key], standing, self.particulars[key])
            for key, standing in standings.items()
            if standing
        ]
        return sorted(places, key=lambda place: place.key)


async def group_on(states: StateStore, caller: Principal, on: date, member: str | None) -> Group:
    """Read the memberships that the caller sees, of one member or of all, and the nominations that they began from."""
    rows = await states.listed(
        "membership", {"member": member} if member else {}, 0, within=within(caller, "membership")
    )
    memberships = {each.state.began.membership: each.state for each in rows if isinstance(each.state, Active | Ended)}
    nominations = await states.read({f"nomination/{each.began.nomination}" for each in memberships.values()})
    return Group(
        memberships,
        {
            key: particulars_on(each, nominated_in(nominations[f"nomination/{each.began.nomination}"].state), on)
            for key, each in memberships.items()
        },
    )


async def roster(
    states: StateStore,
    keys: KeyRing,
    caller: Principal,
    on: date,
    chosen: Mapping[str, str],
    limit: int,
    after: str | None,
) -> Row:
    """Return a page of the roster on a day, with the counts of all that matches."""
    group = await group_on(states, caller, on, chosen.get("member"))
    places = [each for each in group.places(on) if all(value in each.values(name) for name, value in chosen.items())]
    left = [place for place in places if after is None or place.key > after]
    page = left[:limit]
    chains = {place.key: chain_of(place.membership.began.membership, group.memberships, group.after) for place in page}
    names = await _names(states, keys, caller, group, {key for chain in chains.values() for key in chain})
    items = [_row(place, group, chains[place.key], names) for place in page]
    more = {"next": page[-1].key} if len(page) < len(left) else {}
    return {"on": on.isoformat(), "total": len(places), "counts": _counts(places), "items": items} | more


def _counts(places: Iterable[Place]) -> dict[str, dict[str, int]]:
    every = list(places)
    counted = {name: Counter(value for place in every for value in place.values(name)) for name in COUNTED}
    counted["certainty"] = Counter(place.standing.certainty for place in every)
    return {name: dict(sorted(counts.items())) for name, counts in counted.items()}


async def _names(
    states: StateStore, keys: KeyRing, caller: Principal, group: Group, wanted: Iterable[str]
) -> dict[str, dict[str, str]]:
    """Return the details of members that the caller sees, by membership."""
    in_group = await is_in_group(caller, states)
    boxes: dict[str, tuple[Sealed, Collection[str]]] = {}
    for key in wanted:
        facets, sealed = MEMBERSHIP.facets(group.memberships[key]), group.particulars[key].sealed
        if sealed is not None:
            boxes[key] = sealed, fields_seen(caller, facets, in_group=in_group)
    return await opened(keys, boxes)


def _row(place: Place, group: Group, chain: Sequence[str], names: Mapping[str, dict[str, str]]) -> Row:
    began, particulars = place.membership.began, place.particulars
    possibly = [
        each.model_dump(mode="json", exclude_none=True, exclude={"sealed"}) | ({"details": True} if each.sealed else {})
        for each in particulars.possibly
    ]
    row = {
        **_member_of(place.membership, names),
        "nomination": began.nomination,
        "member": began.member,
        "member_name": MEMBERS[began.member].name if began.member in MEMBERS else began.member,
        "certainty": place.standing.certainty,
        "because": list(place.standing.because),
        "institution": particulars.institution,
        "category": particulars.category,
        "expertise": list(particulars.expertise),
        "themes": list(particulars.themes),
        "possibly_changed": possibly or None,
        "replaces": began.replaces,
        "replaced_by": group.after.get(began.membership),
        "chain": [_member_of(group.memberships[key], names) for key in chain] if len(chain) > 1 else None,
    }
    return {name: value for name, value in row.items() if value is not None}


def _member_of(membership: OnRecord, names: Mapping[str, dict[str, str]]) -> Row:
    """Return who a member of the group is and was, with the details that the caller sees."""
    began = membership.began
    row = {
        "membership": began.membership,
        "person": began.person,
        "details": names.get(began.membership),
        "capacity": began.capacity,
        "began_on": began.began_on,
        "stage": membership.stage,
    }
    if isinstance(membership, Ended):
        row |= {"ended_on": membership.ended.ended_on, "reason": membership.ended.reason}
    return {name: value for name, value in row.items() if value is not None}
