"""The readable fields of a nomination by role, and the decryption of names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from fastapi import APIRouter

from services.nominations.api import COMMAND_ROUTES, views
from services.nominations.commands import PersonDetails
from services.nominations.domain.nomination import NOMINATION
from shared.events.values import Sealed
from shared.http.auth import Principal
from shared.http.problems import Refused
from shared.http.queries import add_queries
from shared.privacy.key_ring import KeyRing, decrypt, encrypt
from shared.projection.fold import FoldedState
from shared.projection.state_store import StateStore
from tests.given import given
from tests.nominations.synthetic import SUBMITTED

DETAILS = {"name": "Synthetic Expert", "contact": "synthetic.expert@example.org"}
READ_CIPHERTEXT = ["auditor", "expert", "chair"]


class KeysInMemory(KeyRing):
    """The same key ring, its keys lost at the end."""

    def __init__(self) -> None:
        self.keys: dict[str, bytes] = {}
        self.gone: set[str] = set()

    async def encrypt(
        self, person: str, details: Mapping[str, str], owner: str | None = None, *, owned: bool = False
    ) -> Sealed:
        return encrypt(self.keys.setdefault(person, b"k" * 32), person, details)

    async def erased(self, person: str) -> bool:
        return person in self.gone

    async def decrypt(self, sealed: Sealed) -> dict[str, str] | None:
        return decrypt(self.keys[sealed.person], sealed) if sealed.person in self.keys else None


async def read(role: str, member: str | None = None, *, lost: bool = False, erased: bool = False) -> dict[str, Any]:
    """Read a nomination of Fiji in that role."""
    keys = KeysInMemory()
    sealed = await keys.encrypt("synthetic-person", DETAILS)
    if lost or erased:
        keys.keys.clear()
    if erased:
        keys.gone.add("synthetic-person")
    state = given(NOMINATION, "nomination/n1", SUBMITTED.model_copy(update={"sealed": sealed})).state
    (view,) = (view for view in views(keys) if view.kind == "nomination")
    assert role in view.roles
    assert view.show is not None
    return await view.show(FoldedState("nomination/n1", state, version=1), Principal("synthetic-actor", role, member))


@pytest.mark.parametrize(("role", "member"), [("secretariat", None), ("focal_point", "FJI")])
async def test_names_are_opened_for_the_secretariat_and_the_members_own_focal_point(
    role: str, member: str | None
) -> None:
    shown = await read(role, member)
    assert shown["details"] == DETAILS


@pytest.mark.parametrize("role", READ_CIPHERTEXT)
async def test_other_roles_read_the_ciphertext(role: str) -> None:
    shown = await read(role)
    assert "details" not in shown
    assert shown["particulars"]["sealed"]["box"]
    assert DETAILS["name"] not in str(shown)


class OneNomination(StateStore):
    """A store of states with the nomination of Fiji at version 2."""

    def __init__(self) -> None:
        pass

    async def read(self, streams: Iterable[str]) -> dict[str, FoldedState]:
        state = given(NOMINATION, "nomination/n1", SUBMITTED).state
        return {stream: FoldedState(stream, state, version=2) for stream in streams}


@pytest.mark.parametrize("at_least", [0, 2, 9])
async def test_another_members_focal_point_learns_no_version(at_least: int) -> None:
    router = APIRouter()
    add_queries(router, views(KeysInMemory()), OneNomination())
    one: Any = next(route for route in router.routes if getattr(route, "path", "") == "/nominations/{nomination}")
    arguments = {"nomination": "n1", "at_least": at_least, "wait": 0.0}
    with pytest.raises(Refused) as refused:
        await one.endpoint(**arguments, caller=Principal("synthetic-actor", "focal_point", "KHM"))
    assert (refused.value.status, refused.value.rule) == (403, "NotYoursToRead")
    assert "2" not in refused.value.detail
    with pytest.raises(Refused, match="is at version 2 here, not yet at 9"):
        await one.endpoint(**arguments | {"at_least": 9}, caller=Principal("synthetic-actor", "focal_point", "FJI"))


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


def test_a_focal_point_may_only_submit_resubmit_and_withdraw() -> None:
    allowed = {post.command.__name__ for post in COMMAND_ROUTES if "focal_point" in post.roles}
    assert allowed == {"SubmitNominationRequest", "ResubmitNominationRequest", "WithdrawNomination"}
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
