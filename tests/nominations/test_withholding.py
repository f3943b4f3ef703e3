"""A refused nomination leaves nothing behind, and a Government learns nothing of another's nomination or expert."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from services.nominations.app import INDEXES
from services.nominations.commands import (
    AmendNominationRequest,
    EraseExpert,
    PersonDetails,
    ResubmitNominationRequest,
    ReturnNomination,
    SubmitNominationRequest,
    WithdrawNomination,
)
from services.nominations.domain.rules import (
    NominationNamesUnknownCall,
    OnlyMembersAndAssociateMembersNominate,
    OnlyTheMembersOwnGovernmentNominates,
)
from services.nominations.handlers import Handlers
from services.nominations.projection import OWN
from shared.domain.aggregate import Command, Context
from shared.domain.rejections import (
    CommandIdReused,
    EventTooLarge,
    OutOfOrder,
    PersonIsAnotherMembers,
    PersonWasErased,
    Rejection,
    VersionConflict,
)
from shared.events.catalogue import decode
from shared.events.values import Sealed
from shared.privacy.key_ring import KeyRing
from shared.store.command_handler import CommandHandler
from shared.store.event_store import Commit, EventStore
from shared.store.indexes import ensure
from shared.store.refusals import Refusals
from tests.nominations.synthetic import NOTE_VERBALE
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
DETAILS = PersonDetails(name="Synthetic Expert", contact="synthetic.expert@example.org")
WRITTEN: dict[str, Any] = {
    "details": DETAILS,
    "note_verbale": NOTE_VERBALE,
    "institution": "Synthetic Institute",
    "category": "academia",
}


class Office:
    """The command side of the service, on a database of its own."""

    def __init__(self, database: Any) -> None:
        self.database, self.store, self.keys = database, EventStore(database), KeyRing(database)
        self.handlers = Handlers(CommandHandler(self.store, Refusals(database), OWN, self._unknown), self.keys)

    async def execute(
        self, command: Command, *, key: str = "n1", member: str = "", command_id: str = "", version: int | None = None
    ) -> Commit | Rejection:
        """Execute a command of a member's focal point, or else of the secretariat."""
        role = "focal_point" if member else "secretariat"
        command_id = command_id or str(uuid4())
        context = Context(datetime.now(UTC), f"actor-{member}", role, command_id, "synthetic", member=member or None)
        stream = f"expert/{key}" if isinstance(command, EraseExpert) else f"nomination/{key}"
        return await self.handlers.handle(stream, command, context, None if version is None else {version})

    async def persons(self) -> list[str]:
        return sorted([entry["_id"] async for entry in self.database["keys"].find()])

    async def returned(self) -> None:
        """A nomination of Fiji that waits for its Government."""
        assert isinstance(await self.execute(submit(person="p1"), member="FJI"), Commit)
        assert isinstance(await self.execute(ReturnNomination(reason="Synthetic")), Commit)

    async def _unknown(self, _stream: str) -> None:
        return None


def submit(member: str = "FJI", **more: Any) -> SubmitNominationRequest:
    return SubmitNominationRequest(**WRITTEN | {"member": member} | more)


def resubmit(**more: Any) -> ResubmitNominationRequest:
    return ResubmitNominationRequest(**WRITTEN | more)


def amend(**more: Any) -> AmendNominationRequest:
    return AmendNominationRequest(**WRITTEN | more)


@pytest.fixture
async def office(servers: Stack) -> AsyncIterator[Office]:
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(servers.mongodb_admin_uri)
    database = client[f"synthetic_{uuid4().hex[:12]}"]
    running = Office(database)
    await ensure(database, INDEXES)
    yield running
    await client.drop_database(database.name)
    client.close()


REFUSED: dict[str, tuple[SubmitNominationRequest, str, type[Rejection]]] = {
    "of another member": (submit(), "TUV", OnlyTheMembersOwnGovernmentNominates),
    "of no member": (submit("BRA"), "", OnlyMembersAndAssociateMembersNominate),
    "under an unknown call": (submit(call="unknown"), "FJI", NominationNamesUnknownCall),
    "too large": (submit(expertise=("Synthetic " * 45,) * 150), "FJI", EventTooLarge),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("person", [None, "p1"])
async def test_a_refused_nomination_leaves_no_key_behind(name: str, person: str | None, office: Office) -> None:
    request, member, rule = REFUSED[name]
    outcome = await office.execute(request.model_copy(update={"person": person}), member=member)
    assert type(outcome) is rule
    assert await office.persons() == []
    assert [each["rule"] for each in await Refusals(office.database).latest(9)] == [rule.__name__]


async def test_an_amendment_may_name_another_person_and_is_refused_once_the_nomination_is_returned(
    office: Office,
) -> None:
    assert isinstance(await office.execute(submit(person="p1"), member="FJI"), Commit)
    amended = await office.execute(amend(person="p2"), member="FJI", version=1)
    assert isinstance(amended, Commit)
    assert decode(amended.events[0]).data.sealed.person == "p2"
    assert isinstance(await office.execute(ReturnNomination(reason="Synthetic")), Commit)
    assert isinstance(await office.execute(amend(person="p3"), member="FJI"), OutOfOrder)
    assert await office.persons() == ["p1", "p2"]


async def test_a_nomination_for_another_version_leaves_no_key_behind(office: Office) -> None:
    assert isinstance(await office.execute(submit(), version=5), VersionConflict)
    assert await office.persons() == []


async def test_a_nomination_sent_concurrently_happens_once_and_is_opened_by_its_key(office: Office) -> None:
    sent = [office.execute(submit(), member="FJI", command_id="synthetic-id") for _ in range(12)]
    outcomes = await asyncio.gather(*sent)
    commits = [outcome for outcome in outcomes if isinstance(outcome, Commit)]
    assert len({commit.events for commit in commits}) == 1
    assert len(commits) == 12
    assert sum(not commit.replayed for commit in commits) == 1
    (person,) = await office.persons()
    data = decode(commits[0].events[0]).data
    assert data.person == person
    assert await office.keys.decrypt(data.sealed) == DETAILS.model_dump(exclude_none=True)


async def test_a_nomination_stored_while_it_is_drafted_again_has_the_first_result(office: Office) -> None:
    concurrent = Office(office.database)
    stored: list[Commit | Rejection] = []

    async def draft_late(person: str, details: Mapping[str, str]) -> Sealed:
        drafted = await KeyRing(office.database).draft(person, details)
        if not stored:
            stored.append(await concurrent.execute(submit(person="p1"), member="FJI", command_id="synthetic-id"))
        return drafted

    with patch.object(office.keys, "draft", draft_late):
        outcome = await office.execute(submit(person="p1"), member="FJI", command_id="synthetic-id")
    assert isinstance(outcome, Commit)
    assert isinstance(stored[0], Commit)
    assert (outcome.events, outcome.replayed) == (stored[0].events, True)
    assert await Refusals(office.database).latest(9) == []


async def test_a_retried_nomination_gets_its_first_result_and_another_under_its_id_none(office: Office) -> None:
    first = await office.execute(submit(), command_id="synthetic-id")
    again = await office.execute(submit(), command_id="synthetic-id")
    assert isinstance(first, Commit)
    assert isinstance(again, Commit)
    assert (again.events, again.replayed) == (first.events, True)
    other = submit(details=DETAILS.model_copy(update={"name": "Synthetic Other"}))
    assert isinstance(await office.execute(other, command_id="synthetic-id"), CommandIdReused)
    assert isinstance(await office.execute(submit()), OutOfOrder)
    assert len(await office.persons()) == 1


@pytest.mark.parametrize("person", [None, "p1"])
async def test_a_government_does_not_learn_that_anothers_expert_was_erased(person: str | None, office: Office) -> None:
    await office.returned()
    tuvalu = resubmit(person=person)
    before = await office.execute(tuvalu, member="TUV")
    assert isinstance(await office.execute(EraseExpert(reason="Synthetic"), key="p1"), Commit)
    after = await office.execute(tuvalu, member="TUV")
    assert isinstance(after, OnlyTheMembersOwnGovernmentNominates)
    assert after == before
    named = await office.execute(submit("TUV", person="p1"), key="n2", member="TUV")
    assert isinstance(named, PersonIsAnotherMembers)
    assert isinstance(await office.execute(resubmit(), member="FJI"), PersonWasErased)


@pytest.mark.parametrize(
    "command", [resubmit(), amend(), WithdrawNomination(), submit()], ids=lambda each: type(each).__name__
)
async def test_a_government_does_not_learn_the_version_of_anothers_nomination(command: Command, office: Office) -> None:
    await office.returned()
    refused = await office.execute(command, member="TUV", version=9)
    assert isinstance(refused, OnlyTheMembersOwnGovernmentNominates)
    own = await office.execute(command, member="FJI", version=9)
    assert own == VersionConflict("nomination/n1", 2)
