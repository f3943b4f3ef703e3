"""Commands and queries over HTTP; the secretariat and the Government's own focal point see names in plain text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter

from services.nominations import commands
from services.nominations.domain.call import CALL
from services.nominations.domain.membership import MEMBERSHIP, Absent, gaps_of
from services.nominations.domain.nomination import NOMINATION
from services.nominations.handlers import Handlers
from shared.domain.members import MEMBERS
from shared.domain.voids import Void
from shared.events.words import Capacity, Category, words
from shared.http.auth import READERS, WRITERS, Principal
from shared.http.commands import CommandRoute, add_commands
from shared.http.queries import QueryRoute, Show, add_queries, stages_of
from shared.http.routes import StrictRoute
from shared.privacy.key_ring import KeyRing
from shared.projection.fold import FoldedState
from shared.projection.state_store import StateStore
from shared.store.correcting import CorrectRecord
from shared.store.voiding import VoidRecord

_CALL = ("/calls/{call}", "call/{call}")
_NOMINATION = ("/nominations/{nomination}", "nomination/{nomination}")
_MEMBERSHIP = ("/memberships/{membership}", "membership/{membership}")
GOVERNMENTS = WRITERS | {"focal_point"}
OPENS = frozenset({"secretariat", "focal_point"})

COMMAND_ROUTES = (
    CommandRoute("/calls", commands.OpenCall, _CALL[1]),
    CommandRoute(f"{_CALL[0]}/close", commands.CloseCall, _CALL[1]),
    CommandRoute(f"{_CALL[0]}/correct", CorrectRecord, _CALL[1]),
    CommandRoute(f"{_CALL[0]}/void", VoidRecord, _CALL[1]),
    CommandRoute("/nominations", commands.SubmitNominationRequest, _NOMINATION[1], GOVERNMENTS),
    CommandRoute(f"{_NOMINATION[0]}/return", commands.ReturnNomination, _NOMINATION[1]),
    CommandRoute(f"{_NOMINATION[0]}/resubmit", commands.ResubmitNominationRequest, _NOMINATION[1], GOVERNMENTS),
    CommandRoute(f"{_NOMINATION[0]}/accept", commands.AcceptNomination, _NOMINATION[1]),
    CommandRoute(f"{_NOMINATION[0]}/decline", commands.DeclineNomination, _NOMINATION[1]),
    CommandRoute(f"{_NOMINATION[0]}/withdraw", commands.WithdrawNomination, _NOMINATION[1], GOVERNMENTS),
    CommandRoute(f"{_NOMINATION[0]}/correct", CorrectRecord, _NOMINATION[1]),
    CommandRoute(f"{_NOMINATION[0]}/void", VoidRecord, _NOMINATION[1]),
    CommandRoute(f"{_MEMBERSHIP[0]}/end", commands.EndMembership, _MEMBERSHIP[1]),
    CommandRoute(f"{_MEMBERSHIP[0]}/correct", CorrectRecord, _MEMBERSHIP[1]),
    CommandRoute(f"{_MEMBERSHIP[0]}/void", VoidRecord, _MEMBERSHIP[1]),
    CommandRoute("/experts/{person}/erase", commands.EraseExpert, "expert/{person}"),
    CommandRoute("/experts/{person}/correct", CorrectRecord, "expert/{person}"),
    CommandRoute("/experts/{person}/void", VoidRecord, "expert/{person}"),
)


def views(keys: KeyRing) -> tuple[QueryRoute, ...]:
    """Return the kinds of stream that may be read; a focal point reads its own member's."""
    members = tuple(MEMBERS)
    filters = {
        "stage": stages_of(NOMINATION),
        "member": members,
        "call": (),
        "category": words(Category),
        "capacity": words(Capacity),
        "person": (),
        "theme": (),
    }
    of_memberships = {
        "stage": stages_of(MEMBERSHIP),
        "member": members,
        "person": (),
        "nomination": (),
        "capacity": words(Capacity),
    }
    readers = READERS | {"focal_point"}
    return (
        QueryRoute("/calls", _CALL[0], "call", _CALL[1], {"stage": stages_of(CALL), "theme": ()}, readers),
        QueryRoute(
            "/nominations",
            _NOMINATION[0],
            "nomination",
            _NOMINATION[1],
            filters,
            readers,
            _opened_by(keys),
            own="member",
        ),
        QueryRoute(
            "/memberships",
            _MEMBERSHIP[0],
            "membership",
            _MEMBERSHIP[1],
            of_memberships,
            readers,
            own="member",
            gaps=_of_memberships,
        ),
    )


def router(handlers: Handlers, states: StateStore, keys: KeyRing) -> APIRouter:
    """Return this service's endpoints."""
    routes = APIRouter(route_class=StrictRoute)
    add_commands(routes, "nominations", COMMAND_ROUTES, handlers.handle)
    add_queries(routes, views(keys), states)
    return routes


async def _of_memberships(page: Sequence[FoldedState], states: StateStore) -> dict[str, list[str]]:
    """Return the gaps between memberships and the nominations from which they began."""
    begun = {each.stream: each.state for each in page if not isinstance(each.state, Absent | Void)}
    nominations = await states.read({f"nomination/{state.began.nomination}" for state in begun.values()})
    return {
        stream: gaps_of(state, nominations[f"nomination/{state.began.nomination}"].state)
        for stream, state in begun.items()
    }


def _opened_by(keys: KeyRing) -> Show:
    async def show(folded: FoldedState, caller: Principal) -> dict[str, Any]:
        shown: dict[str, Any] = folded.state.model_dump(mode="json", exclude_none=True)
        if caller.role not in OPENS or isinstance(folded.state, Void):
            return shown
        details = await keys.shown(folded.state.particulars.sealed, ("name", "contact"))
        return {**shown, "details": details} if details is not None else shown

    return show
