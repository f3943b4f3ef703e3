"""Search entries of calls, nominations and memberships; of a person nothing but what every reader sees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from services.nominations.domain import call, membership, nomination_states
from shared.domain.members import MEMBERS
from shared.domain.search_entry import SearchEntry
from shared.domain.voids import Void


def _of_call(item: call.Call) -> Iterator[SearchEntry]:
    if isinstance(item, call.Open | call.Closed):
        yield SearchEntry("call", item.opened.title, (item.opened.call,), item.opened.themes)


def _of_nomination(item: nomination_states.Nomination) -> Iterator[SearchEntry]:
    if not isinstance(item, nomination_states.Absent | Void):
        data = item.particulars
        texts = (*_member(data.member), *data.expertise, *data.themes)
        yield SearchEntry("nomination", data.institution, (data.nomination,), texts)


def _of_membership(item: membership.Membership) -> Iterator[SearchEntry]:
    if isinstance(item, membership.Active | membership.Ended):
        data = item.began
        yield SearchEntry("membership", _member(data.member)[0], (data.membership, data.nomination), (data.member,))


def _member(code: str) -> tuple[str, str]:
    return MEMBERS[code].name if code in MEMBERS else code, code


SEARCHED: Mapping[str, Callable[[Any], Iterable[SearchEntry]]] = {
    "call": _of_call,
    "nomination": _of_nomination,
    "membership": _of_membership,
}
