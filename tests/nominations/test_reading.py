"""The readable fields of a nomination by role, and the decryption of names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest
from fastapi import APIRouter

from services.nominations.api import COMMAND_ROUTES, views
from services.nominations.commands import PersonDetails
from services.nominations.domain.nomination import NOMINATION
from services.nominations.projection import AGGREGATES
from shared.events.values import Sealed
from shared.http.auth import Principal
from shared.http.problems import Refused
from shared.http.queries import add_queries
from shared.privacy.key_ring import KeyRing, encrypt
from shared.projection.fold import FoldedState
from shared.projection.state_store import StateStore
from tests.given import given
from tests.nominations.synthetic import SUBMITTED

DETAILS = {"name": "Synthetic Expert", "contact": "synthetic.expert@example.org"}
READ_CIPHERTEXT = ["auditor", "expert"]


class KeysInMemory(KeyRing):
    """The same key ring, its keys lost at the end."""

    def __init__(self) -> None:
        self.keys: dict[str, bytes] = {}
        self.gone: set[str] = set()
        self.queries = 0

    async def encrypt(
        self, person: str, details: Mapping[str, str], owner: str | None = None, *, owned: bool = False
    ) -> Sealed:
        return encrypt(self.keys.setdefault(person, b"k" * 32), person, details)

    async def entries(self, persons: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        self.queries += 1
        keys = {person: {"key": self.keys[person]} for person in persons if person in self.keys}
        return keys | {person: {"erased": True} for person in persons if person in self.gone}


async def read(
    role: str, member: str | None = None, expert: str | None = None, *, lost: bool = False, erased: bool = False
) -> dict[str, Any]:
    """Read a nomination of Fiji in that role."""
    keys = KeysInMemory()
    sealed = await keys.encrypt("synthetic-person", DETAILS)
    if lost or erased:
        keys.keys.clear()
    if erased:
        keys.gone.add("synthetic-person")
    state = given(NOMINATION, "nomination/n1", SUBMITTED.model_copy(update={"sealed": sealed})).state
    [shown] = await page_of(
        keys, [FoldedState("nomination/n1", state, version=1)], Principal("a", role, member, expert)
    )
    return shown


async def page_of(keys: KeyRing, page: Sequence[FoldedState], caller: Principal) -> Sequence[dict[str, Any]]:
    """Return the nominations of a page as they are shown to a caller."""
    (view,) = (view for view in views(keys) if view.kind == "nomination")
    assert caller.role in view.roles
    assert view.show is not None
    return await view.show(page, OneNomination(), caller)


@pytest.mark.parametrize(("role", "member"), [("secretariat", None), ("focal_point", "FJI")])
async def test_names_are_opened_for_the_secretariat_and_the_members_own_focal_point(
    role: str, member: str | None
) -> None:
    shown = await read(role, member)
    assert shown["details"] == DETAILS


async def test_the_chair_sees_the_name_alone() -> None:
    assert (await read("chair"))["details"] == {"name": DETAILS["name"]}


@pytest.mark.parametrize(
    ("expert", "details"),
    [
        (None, None),
        ("no-member", None),
        ("active-member", {"name": DETAILS["name"]}),
        (SUBMITTED.person, DETAILS),
    ],
)
async def test_an_expert_sees_names_as_an_active_member_and_its_own_details(
    expert: str | None, details: dict[str, str] | None
) -> None:
    assert (await read("expert", expert=expert)).get("details") == details


async def test_a_page_of_names_takes_one_query_for_the_keys() -> None:
    keys, page = KeysInMemory(), []
    for number in range(5):
        sealed = await keys.encrypt(f"synthetic-{number}", DETAILS | {"name": f"Synthetic {number}"})
        named = {"nomination": f"n{number}", "sealed": sealed, "person": sealed.person}
        stream, submitted = f"nomination/n{number}", SUBMITTED.model_copy(update=named)
        page.append(FoldedState(stream, given(NOMINATION, stream, submitted).state, version=1))
    shown = await page_of(keys, page, Principal("a", "secretariat"))
    assert [each["details"]["name"] for each in shown] == [f"Synthetic {number}" for number in range(5)]
    assert keys.queries == 1
    await page_of(keys, page, Principal("a", "auditor"))
    assert keys.queries == 1


@pytest.mark.parametrize("role", READ_CIPHERTEXT)
async def test_other_roles_read_the_ciphertext(role: str) -> None:
    shown = await read(role)
    assert "details" not in shown
    assert shown["particulars"]["sealed"]["box"]
    assert DETAILS["name"] not in str(shown)


class OneNomination(StateStore):
    """A store of states with the nomination of Fiji at version 2, or none."""

    version = 2

    def __init__(self) -> None:
        self.aggregates = AGGREGATES

    async def find(
        self, kind: str, facets: Mapping[str, Any], limit: int, after: str | None = None
    ) -> list[FoldedState]:
        is_active = (kind, facets) == ("membership", {"stage": "active", "person": "active-member"})
        return [FoldedState("membership/m1", None, version=1)] if is_active else []

    async def read(self, streams: Iterable[str]) -> dict[str, FoldedState]:
        state = given(NOMINATION, "nomination/n1", SUBMITTED).state if self.version else NOMINATION.initial
        return {stream: FoldedState(stream, state, version=self.version) for stream in streams}


@pytest.mark.parametrize("caller", [Principal("a", "focal_point", "KHM"), Principal("a", "expert", expert="other")])
@pytest.mark.parametrize("at_least", [0, 2, 9])
async def test_who_does_not_see_a_nomination_learns_neither_its_version_nor_whether_it_is(
    at_least: int, caller: Principal
) -> None:
    states = OneNomination()
    refusals = []
    for version in (2, 0):
        states.version = version
        with pytest.raises(Refused) as refused:
            await one(states, caller, at_least)
        refusals.append((refused.value.status, refused.value.rule, refused.value.detail))
    assert refusals[0] == refusals[1]
    assert refusals[0][:2] == ((409, "NotHeardYet") if at_least else (403, "NotYoursToRead"))
    assert "version 2" not in refusals[0][2]
    states.version = 2
    with pytest.raises(Refused, match="is at version 2 here, not yet at 9"):
        await one(states, Principal("a", "focal_point", "FJI"), 9)


async def one(states: StateStore, caller: Principal, at_least: int) -> Any:
    """Read the nomination by its address."""
    router = APIRouter()
    add_queries(router, views(KeysInMemory()), states)
    route: Any = next(route for route in router.routes if getattr(route, "path", "") == "/nominations/{nomination}")
    return await route.endpoint(nomination="n1", at_least=at_least, wait=0.0, caller=caller)


async def test_a_person_whose_key_is_lost_is_shown_as_ciphertext_only() -> None:
    shown = await read("secretariat", lost=True)
    assert "details" not in shown


async def test_an_erased_person_is_shown_as_erased_to_readers_of_names() -> None:
    shown = await read("secretariat", erased=True)
    assert shown["details"] == {"name": "[erased]", "contact": "[erased]"}
    audited = await read("auditor", erased=True)
    assert "details" not in audited


@pytest.mark.parametrize("kind", ["call", "nomination", "membership"])
def test_an_operator_reads_no_record(kind: str) -> None:
    (view,) = (view for view in views(KeysInMemory()) if view.kind == kind)
    assert "operator" not in view.roles


def test_a_focal_point_may_only_nominate_and_say_what_changed() -> None:
    allowed = {post.command.__name__ for post in COMMAND_ROUTES if "focal_point" in post.roles}
    assert allowed == {
        "SubmitNominationRequest",
        "ResubmitNominationRequest",
        "AmendNominationRequest",
        "WithdrawNomination",
        "ChangeExpertDetailsRequest",
    }
    assert all(post.roles <= {"secretariat", "focal_point"} for post in COMMAND_ROUTES)


def test_no_request_begins_a_membership() -> None:
    assert "BeginMembership" not in {post.command.__name__ for post in COMMAND_ROUTES}


def test_details_too_large_to_encrypt_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="about"):
        PersonDetails(name="Synthetic", contact="synthetic@example.org", about="ក" * 15_000)


async def test_the_largest_accepted_details_fit_the_sealed_box() -> None:
    empty = len(PersonDetails(name="S", contact="S", about="a").model_dump_json().encode()) - 1
    details = PersonDetails(name="S", contact="S", about="ក" * ((29_000 - empty) // 3))
    keys, written = KeysInMemory(), details.model_dump(exclude_none=True)
    assert await keys.decrypt(await keys.encrypt("synthetic-person", written)) == written
