"""The commands of policies: their ids depend on the event alone, so that a redelivered event repeats them."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

import pytest

from services.recommendations.commands import NoteLineage
from shared.domain.aggregate import Command, Context
from shared.events.recommendations import RecommendationWithdrawn
from shared.store.event_store import Commit
from shared.store.policies import react
from tests.given import recorded

EVENT = recorded("recommendation/SYN/2031/R1", RecommendationWithdrawn(reason="Synthetic"))[-1]
STREAM, COMMAND = "recommendation/SYN/2031/R2", NoteLineage(supersedes="SYN/2031/R1")


@pytest.mark.parametrize(
    ("target", "key"), [(None, f"{EVENT.id}:synthetic"), ("SYN/2031/R2", f"{EVENT.id}:synthetic:SYN/2031/R2")]
)
async def test_a_policy_repeats_its_command_id_for_a_redelivered_event(target: str | None, key: str) -> None:
    contexts: list[Context] = []

    async def handle(stream: str, _command: Command, context: Context) -> Commit:
        contexts.append(context)
        return Commit(stream, 1, 1, ())

    for _ in range(2):
        await react(handle, EVENT, "synthetic", STREAM, COMMAND, target=target)
    assert {context.command_id for context in contexts} == {str(uuid5(NAMESPACE_URL, key))}
    assert {context.actor for context in contexts} == {"policy:synthetic"}
    assert {context.causation_id for context in contexts} == {EVENT.id}
