"""A mail about what is void is not sent, unless it was tried already; on a real MongoDB."""

from __future__ import annotations

import pytest

from services.notifications.api import views
from services.notifications.commands import AttemptNotification
from shared.consumer.record import KafkaRecord
from shared.domain.correction_rules import CannotBeVoided, RecordedByPolicy
from shared.events.recommendations import RecommendationWithdrawn, RecordVoided
from shared.http.auth import Principal
from shared.store.event_store import Commit
from shared.store.voiding import VoidRecord
from tests.notifications.conftest import Start
from tests.notifications.instance import ADOPTED, Instance, following, recommended

pytestmark = pytest.mark.servers
R1 = "CED/2022/R1"


def an_event_and_voids() -> tuple[KafkaRecord, KafkaRecord, KafkaRecord]:
    """Return an event of a sibling, its void, and the void of that."""
    event = recommended(R1)
    void = following(event, R1, RecordVoided(voids=1, reason="Synthetic mistake"))
    return event, void, following(void, R1, RecordVoided(voids=2, reason="Synthetic second thoughts"))


def a_void_record() -> tuple[KafkaRecord, KafkaRecord, KafkaRecord]:
    """Return a sibling's event that nobody is told of, one that somebody is told of, and the void of the first."""
    first = recommended(R1, event=RecommendationWithdrawn(reason="s"))
    event = following(first, R1, ADOPTED)
    return first, event, following(event, R1, RecordVoided(voids=1, reason="Synthetic mistake"))


async def _standing(notifying: Instance) -> list[str]:
    return [folded.state.stage for folded in await notifying.states.find("notification", {}, 10)]


async def test_a_planned_mail_is_void_with_its_event_and_planned_again_with_the_void_of_the_void(start: Start) -> None:
    notifying = await start()
    await notifying.subscribe()
    event, void, void_of_void = an_event_and_voids()
    await notifying.consume(event)
    await notifying.consume()
    assert await _standing(notifying) == ["planned"]
    for record, stage in ((void, "void"), (void_of_void, "planned")):
        await notifying.consume(record)
        await notifying.consume()
        assert await _standing(notifying) == [stage]
    await notifying.consume(event, void, void_of_void)
    assert await notifying.one() == ["Planned", "RecordVoided", "RecordVoided"]


async def test_a_mail_that_was_tried_stays(start: Start) -> None:
    notifying = await start()
    await notifying.subscribe()
    event, void, _ = an_event_and_voids()
    await notifying.consume(event)
    [stream] = await notifying.history()
    assert isinstance(await notifying.execute(stream, AttemptNotification()), Commit)
    await notifying.consume(void)
    assert await notifying.one() == ["Planned", "Attempted"]
    refused = await notifying.mongodb["refusals"].find_one({})
    assert refused is not None
    assert refused["rule"] == "HasConsequences"
    gaps = {view.kind: view.gaps for view in views(notifying.keys, notifying.journal)}["notification"]
    assert gaps is not None
    shown = await gaps(await notifying.states.find("notification", {}, 10), notifying.states, Principal("a", "auditor"))
    assert shown == {stream: [f"It is about version 1 of recommendation/{R1}, which is void; its mail was tried."]}


@pytest.mark.parametrize("of_the_record", [False, True])
async def test_no_mail_is_planned_for_what_is_void_when_it_is_looked_at(start: Start, of_the_record: bool) -> None:
    notifying = await start()
    await notifying.subscribe(consumed=False)
    await notifying.projection.project(a_void_record() if of_the_record else an_event_and_voids()[:2])
    await notifying.consume()
    assert await notifying.history() == {}
    await notifying.consume(following(None, "CED/2022/R2", ADOPTED))
    assert await notifying.one() == ["Planned"]


async def test_a_person_voids_neither_a_plan_nor_an_attempt(start: Start) -> None:
    notifying = await start()
    await notifying.subscribe()
    event, _, _ = an_event_and_voids()
    await notifying.consume(event)
    [stream] = await notifying.history()
    await notifying.execute(stream, AttemptNotification())
    refusals = [await notifying.execute(stream, VoidRecord(voids=version, reason="Synthetic")) for version in (1, 2)]
    assert [type(refusal) for refusal in refusals] == [RecordedByPolicy, CannotBeVoided]
