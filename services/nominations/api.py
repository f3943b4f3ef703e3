"""Commands and queries over HTTP; names are decrypted for those who see them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from fastapi import APIRouter

from services.nominations import commands
from services.nominations.domain.call import CALL
from services.nominations.domain.membership import MEMBERSHIP, Absent, gaps_of
from services.nominations.domain.nomination import NOMINATION
from services.nominations.domain.waiting import KINDS
from services.nominations.handlers import Handlers
from services.nominations.queries.sight import fields_seen, is_in_group, opened
from services.nominations.queries.waiting import waiting
from services.nominations.roster_api import add_members, add_roster
from shared.domain.members import MEMBERS
from shared.domain.visibility import sees
from shared.domain.voids import Void
from shared.events.words import Capacity, Category, words
from shared.http.auth import WRITERS, Principal
from shared.http.commands import CommandRoute, add_commands
from shared.http.queries import QueryRoute, Show, add_queries, plain, stages_of
from shared.http.routes import StrictRoute
from shared.http.search import add_search
from shared.http.waiting import add_waiting
from shared.privacy.key_ring import KeyRing
from shared.projection.fold import FoldedState
from shared.projection.state_search import StateSearch
from shared.projection.state_store import StateStore
from shared.store.correcting import CorrectRecord
from shared.store.voiding import VoidRecord

_CALL = ("/calls/{call}", "call/{call}")
_NOMINATION = ("/nominations/{nomination}", "nomination/{nomination}")
_MEMBERSHIP = ("/memberships/{membership}", "membership/{membership}")
GOVERNMENTS = WRITERS | {"focal_point"}

COMMAND_ROUTES = (
    CommandRoute("/calls", commands.OpenCall, _CALL[1]),
    CommandRoute(f"{_CALL[0]}/close", commands.CloseCall, _CALL[1]),
    CommandRoute(f"{_CALL[0]}/correct", CorrectRecord, _CALL[1]),
    CommandRoute(f"{_CALL[0]}/void", VoidRecord, _CALL[1]),
    CommandRoute("/nominations", commands.SubmitNominationRequest, _NOMINATION[1], GOVERNMENTS),
    CommandRoute(f"{_NOMINATION[0]}/return", commands.ReturnNomination, _NOMINATION[1]),
    CommandRoute(f"{_NOMINATION[0]}/resubmit", commands.ResubmitNominationRequest, _NOMINATION[1], GOVERNMENTS),
    CommandRoute(f"{_NOMINATION[0]}/amend", commands.AmendNominationRequest, _NOMINATION[1], GOVERNMENTS),
    CommandRoute(f"{_NOMINATION[0]}/accept", commands.AcceptNomination, _NOMINATION[1]),
    CommandRoute(f"{_NOMINATION[0]}/decline", commands.DeclineNomination, _NOMINATION[1]),
    CommandRoute(f"{_NOMINATION[0]}/withdraw", commands.WithdrawNomination, _NOMINATION[1], GOVERNMENTS),
    CommandRoute(f"{_NOMINATION[0]}/correct", CorrectRecord, _NOMINATION[1]),
    CommandRoute(f"{_NOMINATION[0]}/void", VoidRecord, _NOMINATION[1]),
    CommandRoute(f"{_MEMBERSHIP[0]}/change", commands.ChangeExpertDetailsRequest, _MEMBERSHIP[1], GOVERNMENTS),
    CommandRoute(f"{_MEMBERSHIP[0]}/end", commands.EndMembership, _MEMBERSHIP[1]),
    CommandRoute(f"{_MEMBERSHIP[0]}/correct", CorrectRecord, _MEMBERSHIP[1]),
    CommandRoute(f"{_MEMBERSHIP[0]}/void", VoidRecord, _MEMBERSHIP[1]),
    CommandRoute("/experts/{person}/erase", commands.EraseExpert, "expert/{person}"),
    CommandRoute("/experts/{person}/correct", CorrectRecord, "expert/{person}"),
    CommandRoute("/experts/{person}/void", VoidRecord, "expert/{person}"),
)


def views(keys: KeyRing) -> tuple[QueryRoute, ...]:
    """Return the kinds of stream that may be read."""
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
    return (
        QueryRoute("/calls", _CALL[0], "call", _CALL[1], {"stage": stages_of(CALL), "theme": ()}),
        QueryRoute(
            "/nominations", _NOMINATION[0], "nomination", _NOMINATION[1], filters, _opened_by(keys), newest="submitted"
        ),
        QueryRoute("/memberships", _MEMBERSHIP[0], "membership", _MEMBERSHIP[1], of_memberships, gaps=_of_memberships),
    )


def router(handlers: Handlers, states: StateStore, keys: KeyRing, search: StateSearch) -> APIRouter:
    """Return this service's endpoints."""
    routes = APIRouter(route_class=StrictRoute)
    add_commands(routes, "nominations", COMMAND_ROUTES, handlers.handle)
    add_queries(routes, views(keys), states)
    add_roster(routes, states, keys)
    add_members(routes, states)
    add_waiting(routes, KINDS, states, partial(waiting, states))
    add_search(routes, views(keys), search)
    return routes


async def _of_memberships(page: Sequence[FoldedState], states: StateStore, caller: Principal) -> dict[str, list[str]]:
    """Return the gaps between memberships and those nominations from which they began that the caller sees."""
    begun = {each.stream: each.state for each in page if not isinstance(each.state, Absent | Void)}
    nominations = await states.read({f"nomination/{state.began.nomination}" for state in begun.values()})
    seen = {
        stream: folded.state
        for stream, folded in nominations.items()
        if sees(caller, "nomination", NOMINATION.facets(folded.state))
    }
    return {
        stream: gaps_of(state, seen[nomination])
        for stream, state in begun.items()
        if (nomination := f"nomination/{state.began.nomination}") in seen
    }


def _opened_by(keys: KeyRing) -> Show:
    async def show(page: Sequence[FoldedState], states: StateStore, caller: Principal) -> list[dict[str, Any]]:
        """Show nominations, with the details of the experts that the caller sees."""
        in_group = await is_in_group(caller, states)
        boxes = {
            each.stream: (
                each.state.particulars.sealed,
                fields_seen(caller, NOMINATION.facets(each.state), in_group=in_group),
            )
            for each in page
            if not isinstance(each.state, Void)
        }
        details = await opened(keys, boxes)
        return [plain(each) | ({"details": details[each.stream]} if each.stream in details else {}) for each in page]

    return show
