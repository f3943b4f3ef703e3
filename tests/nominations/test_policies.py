"""The policies on accepted and withdrawn nominations and on replacing memberships."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import pytest

from services.nominations.commands import BeginMembership, EndMembership
from services.nominations.domain.membership import MEMBERSHIP
from services.nominations.handlers import Handlers
from services.nominations.subscribers import Policies
from shared.domain.aggregate import Command, Context, Known
from shared.domain.rejections import OutOfOrder, Rejection
from shared.events.event import Event
from shared.events.nominations import (
    MembershipBegan,
    MembershipEnded,
    NominationAccepted,
    NominationReturned,
    NominationWithdrawn,
    RecordVoided,
)
from shared.store.event_store import Commit
from tests.given import known, recorded
from tests.nominations.synthetic import BEGAN, SUBMITTED

ACTIVE = known(MEMBERSHIP, "membership/n1", BEGAN)
ENDED = known(MEMBERSHIP, "membership/n1", BEGAN, MembershipEnded(reason="term_ended"))
REPLACING = MembershipBegan(
    membership="n2", nomination="n2", person="synthetic-person-2", member="FJI", replaces="n1", began_on="2026-03"
)


class Recorder(Handlers):
    """Handlers that only record the commands."""

    def __init__(self, answer: Rejection | None = None) -> None:
        self.commands: list[tuple[str, Command]] = []
        self.contexts: list[Context] = []
        self._answer = answer

    async def handle(
        self, stream: str, command: Command, context: Context, expected: Container[int] | None = None
    ) -> Commit | Rejection:
        self.commands.append((stream, command))
        self.contexts.append(context)
        return self._answer or Commit(stream, 1, 1, ())


async def react(stream: str, *events: Event, on_record: dict[str, Known], handlers: Recorder | None = None) -> Recorder:
    """Run the policies on the last of these events."""
    handlers = handlers or Recorder()

    async def own(named: str) -> Known | None:
        return on_record.get(named)

    policies, event = Policies(handlers, own), recorded(stream, *events)[-1]
    await policies.react(event)
    assert policies.handles(event) or not handlers.commands
    return handlers


async def test_an_accepted_nomination_begins_a_membership_under_its_own_id() -> None:
    handlers = await react("nomination/n1", SUBMITTED, NominationAccepted(accepted_on="2026-03"), on_record={})
    assert handlers.commands == [("membership/n1", BeginMembership(nomination="n1", began_on="2026-03"))]


async def test_a_membership_that_replaces_another_ends_it() -> None:
    handlers = await react("membership/n2", REPLACING, on_record=ACTIVE)
    assert handlers.commands == [("membership/n1", EndMembership(reason="replaced", ended_on="2026-03"))]


async def test_an_older_membership_that_replaces_one_of_another_member_ends_nothing() -> None:
    foreign = known(MEMBERSHIP, "membership/n1", BEGAN.model_copy(update={"member": "KHM"}))
    assert (await react("membership/n2", REPLACING, on_record=foreign)).commands == []


async def test_a_withdrawn_nomination_ends_the_membership_that_it_began() -> None:
    handlers = await react("nomination/n1", SUBMITTED, NominationWithdrawn(withdrawn_on="2026-04"), on_record=ACTIVE)
    ended = EndMembership(reason="withdrawn_by_government", ended_on="2026-04")
    assert handlers.commands == [("membership/n1", ended)]


@pytest.mark.parametrize("on_record", [{}, ENDED], ids=["not on record", "ended"])
@pytest.mark.parametrize(
    ("stream", "event"), [("membership/n2", REPLACING), ("nomination/n1", NominationWithdrawn())], ids=str
)
async def test_a_membership_that_is_not_active_is_not_ended(
    stream: str, event: Event, on_record: dict[str, Any]
) -> None:
    assert (await react(stream, event, on_record=on_record)).commands == []


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        ("nomination/n1", (SUBMITTED,)),
        ("nomination/n1", (SUBMITTED, NominationReturned(reason="Synthetic"))),
        ("membership/n1", (BEGAN,)),
        ("membership/n1", (BEGAN, MembershipEnded(reason="term_ended"))),
    ],
)
async def test_no_command_follows_from_any_other_event(stream: str, events: tuple[Event, ...]) -> None:
    assert (await react(stream, *events, on_record=ACTIVE)).commands == []


async def test_a_redelivered_event_gives_the_same_command_id() -> None:
    first = await react("membership/n2", REPLACING, on_record=ACTIVE)
    second = await react("membership/n2", REPLACING, on_record=ACTIVE)
    other = await react("nomination/n1", SUBMITTED, NominationAccepted(), on_record={})
    assert first.contexts[0].command_id == second.contexts[0].command_id != other.contexts[0].command_id


async def test_a_policy_commands_as_the_system_and_names_its_cause() -> None:
    (context,) = (await react("membership/n2", REPLACING, on_record=ACTIVE)).contexts
    assert (context.role, context.actor) == ("system", "policy:end-replaced")
    assert (context.causation_id, context.correlation_id) == ("membership/n2-1", "synthetic-correlation")


async def test_a_refused_policy_command_does_not_block_its_event() -> None:
    refusing = Recorder(OutOfOrder("EndMembership", "membership/n1", "ended"))
    await react("membership/n2", REPLACING, on_record=ACTIVE, handlers=refusing)
    assert len(refusing.commands) == 1


def test_the_policies_handle_only_events_that_begin_or_end_a_membership() -> None:
    policies = Policies(Recorder(), Recorder)  # type: ignore[arg-type]
    events = recorded(
        "nomination/n1", SUBMITTED, NominationReturned(reason="synthetic"), NominationAccepted(), NominationWithdrawn()
    )
    assert [policies.handles(event) for event in events] == [False, False, True, True]
    assert policies.handles(recorded("membership/n2", REPLACING)[0])
    void = RecordVoided(voids=1, reason="Synthetic")
    for stream, handled in (("membership/n1", True), ("nomination/n1", True), ("expert/n1", False)):
        assert policies.handles(recorded(stream, void)[0]) is handled
