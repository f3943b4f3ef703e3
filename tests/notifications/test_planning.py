"""The planning of notifications: one per event and subscription, in any order of arrival, on a real MongoDB."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.notifications.commands import RemoveSubscription
from shared.events.recommendations import RecommendationWithdrawn
from shared.projection.rebuild import rebuild
from tests.notifications.conftest import Start
from tests.notifications.instance import recommended

pytestmark = pytest.mark.servers


async def test_each_subscription_to_an_event_is_notified(start: Start) -> None:
    notifying = await start()
    await notifying.subscribe("s1")
    await notifying.subscribe("s2", "RecommendationAdopted", "RecommendationWithdrawn")
    await notifying.subscribe("s3", "RecommendationWithdrawn")
    await notifying.consume(
        recommended("CED/2022/R1"), recommended("CED/2022/R2", event=RecommendationWithdrawn(reason="s"))
    )
    await notifying.consume()
    folded_states = await notifying.states.find("notification", {"standing": "planned"}, 10)
    planned = sorted((folded.state.planned.subscription, folded.state.planned.stream) for folded in folded_states)
    assert planned == [
        ("s1", "recommendation/CED/2022/R1"),
        ("s2", "recommendation/CED/2022/R1"),
        ("s2", "recommendation/CED/2022/R2"),
        ("s3", "recommendation/CED/2022/R2"),
    ]


async def test_a_plan_names_its_cause(start: Start) -> None:
    notifying = await start()
    await notifying.subscribe()
    await notifying.consume(recommended("CED/2022/R1", event_id="e1"))
    [stream] = await notifying.history()
    _, [planned] = await notifying.store.read(stream)
    assert (planned.causationid, planned.correlationid) == ("e1", "synthetic-correlation")
    assert (planned.actor, planned.role) == ("policy:plan-notification", "system")


async def test_events_recorded_before_the_subscription_are_not_notified(start: Start) -> None:
    notifying = await start()
    await notifying.subscribe()
    await notifying.consume(recommended("CED/2022/R1", at=datetime.now(UTC) - timedelta(days=1)))
    assert await notifying.history() == {}
    assert await notifying.mongodb["refusals"].count_documents({}) == 0


async def test_an_event_consumed_before_the_subscription_but_recorded_after_it_is_notified(start: Start) -> None:
    notifying = await start()
    await notifying.subscribe(consumed=False)
    before, after = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(seconds=1)
    early = [recommended("CED/2022/R1", at=after), recommended("CED/2022/R2", at=before)]
    await notifying.projection.project(early)
    assert await notifying.history() == {}
    await notifying.consume()
    assert await notifying.one() == ["Planned"]
    assert await notifying.mongodb["refusals"].count_documents({}) == 0


async def test_a_removed_subscription_is_not_notified(start: Start) -> None:
    notifying = await start()
    await notifying.subscribe()
    await notifying.execute("subscription/s1", RemoveSubscription())
    await notifying.consume(recommended("CED/2022/R1"))
    assert await notifying.history() == {}


async def test_the_store_refuses_a_plan_for_a_removed_subscription(start: Start) -> None:
    notifying = await start()
    await notifying.subscribe()
    await notifying.execute("subscription/s1", RemoveSubscription())
    await notifying.projection.project([recommended("CED/2022/R1")])
    assert await notifying.history() == {}


@pytest.mark.parametrize("lost", [(), ("states",), ("states", "journal")], ids=["nothing", "states", "journal too"])
async def test_a_replay_plans_nothing_new(start: Start, lost: tuple[str, ...]) -> None:
    notifying = await start()
    events = [recommended("CED/2022/R1"), recommended("CED/2022/R2")]
    await notifying.subscribe()
    await notifying.consume(*events)
    before = await notifying.history()
    for collection in lost:
        await notifying.mongodb[collection].delete_many({})
    await notifying.consume(*events)
    await notifying.consume(*events)
    [_ async for _ in rebuild(notifying.projection)]
    assert await notifying.history() == before
    assert list(before.values()) == [["Planned"], ["Planned"]]
    assert await notifying.mongodb["refusals"].count_documents({}) == 0


async def test_an_invalid_event_id_is_not_notified_and_blocks_nothing(start: Start) -> None:
    notifying = await start()
    await notifying.subscribe()
    await notifying.consume(recommended("CED/2022/R1", event_id="no id of ours"), recommended("CED/2022/R2"))
    assert await notifying.one() == ["Planned"]


async def test_two_instances_that_consume_the_same_event_plan_it_once(start: Start) -> None:
    first, second = await start(), await start()
    await first.subscribe()
    events = [recommended(f"CED/2022/R{number}") for number in range(1, 11)]
    await asyncio.gather(*(instance.projection.project([event]) for event in events for instance in (first, second)))
    assert list((await first.history()).values()) == [["Planned"]] * 10
