"""Who is told of what: once for each event and subscription, whatever comes in whatever order, on a real MongoDB."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.notifications.commands import RemoveSubscription
from shared.events.recommendations import RecommendationWithdrawn
from shared.projection.rebuild import rebuild
from tests.notifications.conftest import Start
from tests.notifications.instance import recommended

pytestmark = pytest.mark.servers


async def test_each_subscription_that_wants_an_event_is_told_of_it(start: Start) -> None:
    notifying = await start()
    await notifying.subscribe("s1")
    await notifying.subscribe("s2", "RecommendationAdopted", "RecommendationWithdrawn")
    await notifying.subscribe("s3", "RecommendationWithdrawn")
    await notifying.hear(
        recommended("CED/2022/R1"), recommended("CED/2022/R2", event=RecommendationWithdrawn(reason="s"))
    )
    await notifying.hear()
    found = await notifying.states.find("notification", {"standing": "planned"}, 10)
    told = sorted((folded.state.planned.subscription, folded.state.planned.stream) for folded in found)
    assert told == [
        ("s1", "recommendation/CED/2022/R1"),
        ("s2", "recommendation/CED/2022/R1"),
        ("s2", "recommendation/CED/2022/R2"),
        ("s3", "recommendation/CED/2022/R2"),
    ]


async def test_a_plan_says_by_what_it_was_caused(start: Start) -> None:
    notifying = await start()
    await notifying.subscribe()
    await notifying.hear(recommended("CED/2022/R1", event_id="e1"))
    [stream] = await notifying.history()
    _, [planned] = await notifying.store.read(stream)
    assert (planned.causationid, planned.correlationid) == ("e1", "synthetic-correlation")
    assert (planned.actor, planned.role) == ("policy:plan-notification", "system")


async def test_nobody_is_told_of_what_was_recorded_before_the_subscription(start: Start) -> None:
    notifying = await start()
    await notifying.subscribe()
    await notifying.hear(recommended("CED/2022/R1", at=datetime.now(UTC) - timedelta(days=1)))
    assert await notifying.history() == {}
    assert await notifying.mongodb["refusals"].count_documents({}) == 0


async def test_an_event_heard_before_the_subscription_but_recorded_after_it_is_told(start: Start) -> None:
    notifying = await start()
    await notifying.subscribe(heard=False)
    before, after = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(seconds=1)
    early = [recommended("CED/2022/R1", at=after), recommended("CED/2022/R2", at=before)]
    await notifying.projection.project(early)
    assert await notifying.history() == {}
    await notifying.hear()
    assert await notifying.one() == ["Planned"]
    assert await notifying.mongodb["refusals"].count_documents({}) == 0


async def test_a_removed_subscription_is_told_no_more(start: Start) -> None:
    notifying = await start()
    await notifying.subscribe()
    await notifying.ask("subscription/s1", RemoveSubscription())
    await notifying.hear(recommended("CED/2022/R1"))
    assert await notifying.history() == {}


async def test_an_event_heard_while_the_removal_was_not_is_refused_by_the_store(start: Start) -> None:
    notifying = await start()
    await notifying.subscribe()
    await notifying.ask("subscription/s1", RemoveSubscription())
    await notifying.projection.project([recommended("CED/2022/R1")])
    assert await notifying.history() == {}


@pytest.mark.parametrize("lost", [(), ("states",), ("states", "journal")], ids=["nothing", "states", "journal too"])
async def test_a_replay_plans_nothing_new(start: Start, lost: tuple[str, ...]) -> None:
    notifying = await start()
    events = [recommended("CED/2022/R1"), recommended("CED/2022/R2")]
    await notifying.subscribe()
    await notifying.hear(*events)
    before = await notifying.history()
    for collection in lost:
        await notifying.mongodb.drop_collection(collection)
    await notifying.hear(*events)
    await notifying.hear(*events)
    [_ async for _ in rebuild(notifying.projection)]
    assert await notifying.history() == before
    assert list(before.values()) == [["Planned"], ["Planned"]]
    assert await notifying.mongodb["refusals"].count_documents({}) == 0


async def test_an_id_that_no_service_would_give_is_not_told_and_stops_nothing(start: Start) -> None:
    notifying = await start()
    await notifying.subscribe()
    await notifying.hear(recommended("CED/2022/R1", event_id="no id of ours"), recommended("CED/2022/R2"))
    assert await notifying.one() == ["Planned"]


async def test_two_instances_that_hear_the_same_at_once_plan_it_once(start: Start) -> None:
    first, second = await start(), await start()
    await first.subscribe()
    events = [recommended(f"CED/2022/R{number}") for number in range(1, 11)]
    await asyncio.gather(*(instance.projection.project([event]) for event in events for instance in (first, second)))
    assert list((await first.history()).values()) == [["Planned"]] * 10
