"""Void causes: acceptance and membership, replacement and ending, in any interleaving."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.nominations.api import views
from services.nominations.commands import (
    AcceptNomination,
    AmendNomination,
    ChangeExpertDetails,
    EndMembership,
    ResubmitNomination,
    ReturnNomination,
    SubmitNomination,
    SubmitNominationRequest,
    WithdrawNomination,
)
from services.nominations.domain.nomination_states import Accepted
from services.nominations.domain.rules import OnlyTheMembersOwnGovernmentNominates
from services.nominations.handlers import Handlers
from services.nominations.projection import OWN
from services.nominations.subscribers import Policies
from shared.domain.correction_rules import HasConsequences, RecordIsVoid
from shared.domain.rejections import OutOfOrder, Rejection
from shared.http.auth import Principal
from shared.projection.fold import FoldedState
from shared.store.voiding import VoidRecord
from tests.given import a_context
from tests.nominations.synthetic import PAPER, SUBMITTED
from tests.shared.memory import MemoryService

pytestmark = pytest.mark.slow


class Office(MemoryService):
    """The nominations service in memory."""

    async def forget(self, _person: str) -> None:
        return None

    async def run_policies(self) -> None:
        """Let the policies run until nothing follows any more."""
        policies = Policies(cast(Any, self), self.handler.known, self.store.read, self.namesakes)
        await self.run(policies, "nominations")

    async def submit(self, key: str, **more: Any) -> None:
        fields = SUBMITTED.model_dump() | {"nomination": key} | more
        assert not isinstance(
            await self.execute(f"nomination/{key}", SubmitNomination.model_validate(fields)), Rejection
        )

    async def void(self, stream: str, version: int) -> Any:
        outcome = await self.execute(stream, VoidRecord(voids=version, reason="Synthetic mistake"))
        await self.run_policies()
        return outcome

    async def gaps(self, key: str) -> list[str]:
        """Return the gaps that the page of a membership shows, from the states of this service."""
        (view,) = (view for view in views(cast(Any, None)) if view.kind == "membership")
        assert view.gaps is not None
        stream = f"membership/{key}"
        page = [FoldedState(stream, await self.state(stream), 1)]
        return list(
            (await view.gaps(page, cast(Any, self), Principal("synthetic-actor", "secretariat"))).get(stream, ())
        )

    async def read(self, streams: set[str]) -> dict[str, FoldedState]:
        return {stream: FoldedState(stream, await self.state(stream), 1) for stream in streams}

    async def stages(self, *streams: str) -> list[str]:
        return [(await self.state(stream)).stage for stream in streams]


async def an_office(accepted: bool = True) -> Office:
    office = Office(dict(OWN))
    await office.submit("n1")
    if accepted:
        await office.execute("nomination/n1", AcceptNomination())
        await office.run_policies()
    return office


async def test_a_void_acceptance_voids_the_membership_and_its_void_restores_it() -> None:
    office = await an_office()
    assert await office.stages("nomination/n1", "membership/n1") == ["accepted", "active"]
    await office.void("nomination/n1", 2)
    assert await office.stages("nomination/n1", "membership/n1") == ["submitted", "void"]
    await office.void("nomination/n1", 3)
    assert await office.stages("nomination/n1", "membership/n1") == ["accepted", "active"]


async def test_a_void_nomination_voids_the_membership() -> None:
    office = await an_office()
    await office.void("nomination/n1", 1)
    assert await office.stages("nomination/n1", "membership/n1") == ["void", "void"]
    await office.void("nomination/n1", 3)
    assert await office.stages("nomination/n1", "membership/n1") == ["accepted", "active"]


async def test_a_void_nomination_has_no_active_membership_whatever_is_voided_in_it() -> None:
    office = await an_office()
    for version in (2, 1, 3):
        outcome = await office.void("nomination/n1", version)
    assert outcome == RecordIsVoid("nomination/n1", 3, 4)
    assert await office.stages("nomination/n1", "membership/n1") == ["void", "void"]


async def test_a_nomination_accepted_again_begins_the_same_membership_again() -> None:
    office = await an_office()
    await office.void("nomination/n1", 2)
    await office.execute("nomination/n1", AcceptNomination(accepted_on="2021-05"))
    await office.run_policies()
    membership = await office.state("membership/n1")
    assert (membership.stage, membership.began.began_on) == ("active", "2021-05")
    await office.void("nomination/n1", 4)
    assert await office.stages("membership/n1") == ["void"]


@pytest.mark.parametrize(("first", "again"), [(None, "n1"), ("n1", None), ("n1", "n0"), ("n1", "n1")])
async def test_a_membership_that_begins_again_ends_the_one_that_its_nomination_replaces_now(
    first: str | None, again: str | None
) -> None:
    office = await an_office()
    for key, replaces in (("n0", None), ("n2", first)):
        await office.submit(key, replaces=replaces)
        await office.execute(f"nomination/{key}", AcceptNomination())
        await office.run_policies()
    await office.void("nomination/n2", 2)
    fields = SUBMITTED.model_dump(include=set(ResubmitNomination.model_fields), exclude_none=True)
    resubmit = ResubmitNomination.model_validate(fields | {"replaces": again})
    for command in (ReturnNomination(reason="Synthetic"), resubmit, AcceptNomination()):
        assert not isinstance(await office.execute("nomination/n2", command), Rejection)
    await office.run_policies()
    replaced = ["ended" if key == again else "active" for key in ("n0", "n1")]
    assert await office.stages("membership/n0", "membership/n1") == replaced
    for version, stages in ((6, ["active", "active"]), (7, replaced), (8, ["active", "active"])):
        await office.void("nomination/n2", version)
        assert await office.stages("membership/n0", "membership/n1") == stages
    assert office.refusals.rules == []


async def test_a_void_replacement_lets_the_one_replaced_be_a_member_again() -> None:
    office = await an_office()
    await office.submit("n2", replaces="n1")
    await office.execute("nomination/n2", AcceptNomination())
    await office.run_policies()
    assert await office.stages("membership/n1", "membership/n2") == ["ended", "active"]
    await office.void("nomination/n2", 2)
    assert await office.stages("membership/n1", "membership/n2") == ["active", "void"]
    await office.void("nomination/n2", 3)
    assert await office.stages("membership/n1", "membership/n2") == ["ended", "active"]


@pytest.mark.parametrize("second", ["replacement", "withdrawal"])
@pytest.mark.parametrize("first_is_void", [True, False])
async def test_a_membership_with_two_causes_to_end_is_active_once_both_are_void(
    second: str, first_is_void: bool
) -> None:
    office = await an_office()
    for key in ("n2", "n3"):
        await office.submit(key, replaces="n1")
    stream, command = {
        "replacement": ("nomination/n3", AcceptNomination()),
        "withdrawal": ("nomination/n1", WithdrawNomination()),
    }[second]
    causes = [("nomination/n2", 2), (stream, 2 if second == "replacement" else 3)]
    await office.execute("nomination/n2", AcceptNomination())
    await office.run_policies()
    await office.execute(stream, command)
    await office.run_policies()
    for (voided, version), stage in zip(causes if first_is_void else causes[::-1], ("ended", "active"), strict=True):
        await office.void(voided, version)
        assert await office.stages("membership/n1") == [stage]
    for (voided, version), stage in zip(causes, ("ended", "ended"), strict=True):
        await office.void(voided, version + 1)
        assert await office.stages("membership/n1") == [stage]


async def test_a_membership_whose_end_by_a_person_is_void_stays_ended_by_a_withdrawal() -> None:
    office = await an_office()
    await office.execute("membership/n1", EndMembership(reason="term_ended"))
    await office.execute("nomination/n1", WithdrawNomination())
    await office.run_policies()
    await office.void("membership/n1", 2)
    assert (await office.state("membership/n1")).ended.reason == "withdrawn_by_government"


async def test_a_void_withdrawal_lets_the_membership_go_on() -> None:
    office = await an_office()
    await office.execute("nomination/n1", WithdrawNomination())
    await office.run_policies()
    assert await office.stages("membership/n1") == ["ended"]
    await office.void("nomination/n1", 3)
    assert await office.stages("nomination/n1", "membership/n1") == ["accepted", "active"]


async def test_a_membership_that_a_person_ended_stays_and_its_refusal_is_recorded() -> None:
    office = await an_office()
    await office.execute("membership/n1", EndMembership(reason="term_ended"))
    await office.void("nomination/n1", 2)
    assert await office.stages("nomination/n1", "membership/n1") == ["submitted", "ended"]
    assert office.refusals.rules == [HasConsequences.__name__]
    assert await office.gaps("n1") == [
        "It began when the nomination n1 was accepted, and that acceptance is void: the nomination is submitted."
    ]
    await office.void("nomination/n1", 1)
    assert "the nomination is void." in (await office.gaps("n1"))[0]
    await office.void("nomination/n1", 4)
    await office.void("nomination/n1", 3)
    assert await office.gaps("n1") == []


async def test_a_change_of_details_keeps_no_membership_whose_acceptance_is_void() -> None:
    office = await an_office()
    change = ChangeExpertDetails(changed_on="2026", institution="Synthetic Ministry")
    assert not isinstance(await office.execute("membership/n1", change), Rejection)
    await office.void("nomination/n1", 2)
    assert (await office.stages("membership/n1"), office.refusals.rules) == (["void"], [])
    await office.void("nomination/n1", 3)
    membership = await office.state("membership/n1")
    assert (membership.stage, [each.change.institution for each in membership.changes]) == (
        "active", ["Synthetic Ministry"]
    )  # fmt: skip


async def test_a_membership_that_a_person_ended_after_the_void_of_a_void_stays_whatever_is_voided_later() -> None:
    office = await an_office()
    for version in (2, 3):
        await office.void("nomination/n1", version)
    await office.execute("membership/n1", EndMembership(reason="term_ended"))
    for version, stage in ((4, "submitted"), (5, "accepted"), (6, "submitted")):
        await office.void("nomination/n1", version)
        assert await office.stages("nomination/n1", "membership/n1") == [stage, "ended"]
    assert await office.gaps("n1")


async def test_a_membership_of_an_accepted_or_withdrawn_nomination_and_a_void_one_have_no_gap() -> None:
    office = await an_office()
    assert await office.gaps("n1") == []
    await office.execute("nomination/n1", WithdrawNomination())
    await office.run_policies()
    assert await office.gaps("n1") == []
    await office.void("nomination/n1", 3)
    await office.void("nomination/n1", 2)
    assert (await office.stages("membership/n1"), await office.gaps("n1")) == (["void"], [])


async def test_a_policy_does_not_act_on_an_event_that_is_void_when_it_looks() -> None:
    office = await an_office(accepted=False)
    await office.execute("nomination/n1", AcceptNomination())
    await office.void("nomination/n1", 2)
    assert "membership/n1" not in office.store.recorded
    await office.void("nomination/n1", 3)
    assert await office.stages("membership/n1") == ["active"]


async def test_the_policies_on_the_same_events_again_record_nothing() -> None:
    office = await an_office()
    await office.void("nomination/n1", 2)
    await office.void("nomination/n1", 3)
    before = {stream: len(events) for stream, events in office.store.recorded.items()}
    office.reacted.clear()
    await office.run_policies()
    assert {stream: len(events) for stream, events in office.store.recorded.items()} == before


class _Keys:
    async def draft(self, _person: str, _details: Any) -> Any:
        return SUBMITTED.sealed


@pytest.mark.parametrize(
    ("role", "member", "rule"),
    [
        ("secretariat", None, OutOfOrder),
        ("focal_point", SUBMITTED.member, OutOfOrder),
        ("focal_point", "TUV", OnlyTheMembersOwnGovernmentNominates),
    ],
)
async def test_a_void_nomination_is_not_submitted_again_and_another_government_learns_nothing(
    role: str, member: str | None, rule: type[Rejection]
) -> None:
    office = await an_office()
    await office.void("nomination/n1", 1)
    handlers = Handlers(office.handler, _Keys())  # type: ignore[arg-type]
    details = {"name": "Synthetic Expert", "contact": "synthetic.expert@example.org"}
    written = SUBMITTED.model_dump(include={"note_verbale", "institution", "category", "member"})
    request = SubmitNominationRequest.model_validate({**written, "nomination": "n1", "details": details})
    refused = await handlers.handle("nomination/n1", request, a_context(role, member))
    assert type(refused) is rule


STEPS = st.lists(
    st.one_of(
        st.sampled_from(["accept", "amend", "return", "withdraw", "change", "policies"]),
        st.tuples(st.just("void"), st.integers(1, 9)),
    ),
    max_size=10,
)


async def _end(steps: list[Any]) -> tuple[Any, str]:
    office = await an_office(accepted=False)
    people = {"accept": AcceptNomination(), "return": ReturnNomination(reason="Synthetic"),
              "withdraw": WithdrawNomination(), "amend": AmendNomination(**PAPER)}  # fmt: skip
    for step in steps:
        match step:
            case "policies":
                await office.run_policies()
            case ("void", version):
                await office.execute("nomination/n1", VoidRecord(voids=version, reason="Synthetic mistake"))
            case "change":
                change = ChangeExpertDetails(changed_on="2026", institution="Synthetic Ministry")
                await office.execute("membership/n1", change)
            case command:
                await office.execute("nomination/n1", people[command])
    await office.run_policies()
    return await office.state("nomination/n1"), (await office.stages("membership/n1"))[0]


@example(steps=["withdraw", ("void", 2), "accept", ("void", 3)])
@example(steps=["accept", "policies", "change", ("void", 2)])
@example(steps=["accept", "withdraw", "policies", ("void", 3)])
@settings(max_examples=100, deadline=None)
@given(steps=STEPS)
def test_whatever_is_voided_a_membership_is_active_just_where_its_nomination_is_accepted(steps: list[Any]) -> None:
    nomination, membership = asyncio.run(_end(steps))
    assert (membership == "active") == isinstance(nomination, Accepted), steps


REPLACING = st.lists(
    st.one_of(
        st.sampled_from(["accept", "withdraw", "policies"]),
        st.tuples(st.just("resubmit"), st.sampled_from([None, "n0", "n1"])),
        st.tuples(st.just("void"), st.integers(1, 12)),
    ),
    max_size=12,
)


async def _replaced(steps: list[Any]) -> tuple[Any, list[str]]:
    office = Office(dict(OWN))
    for key in ("n0", "n1"):
        await office.submit(key)
        await office.execute(f"nomination/{key}", AcceptNomination())
        await office.run_policies()
    await office.submit("n2", replaces="n1")
    fields = SUBMITTED.model_dump(include=set(ResubmitNomination.model_fields), exclude_none=True)
    for step in steps:
        match step:
            case "policies":
                await office.run_policies()
            case ("void", version):
                await office.execute("nomination/n2", VoidRecord(voids=version, reason="Synthetic mistake"))
            case ("resubmit", replaces):
                await office.execute("nomination/n2", ReturnNomination(reason="Synthetic"))
                again = ResubmitNomination.model_validate(fields | {"replaces": replaces})
                await office.execute("nomination/n2", again)
            case "accept":
                await office.execute("nomination/n2", AcceptNomination())
            case _:
                await office.execute("nomination/n2", WithdrawNomination())
    await office.run_policies()
    return await office.state("membership/n2"), await office.stages("membership/n0", "membership/n1")


@example(steps=["accept", "policies", ("void", 2), "policies", ("resubmit", "n0"), "accept"])
@settings(max_examples=150, deadline=None)
@given(steps=REPLACING)
def test_whatever_is_voided_a_membership_is_replaced_just_by_what_replaces_it_now(steps: list[Any]) -> None:
    membership, stages = asyncio.run(_replaced(steps))
    replaced = membership.began.replaces if membership.stage in ("active", "ended") else None
    assert stages == ["ended" if key == replaced else "active" for key in ("n0", "n1")], steps
