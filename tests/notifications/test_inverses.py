"""A planned mail is void with its event, unless it was tried; planned again with the void of the void."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from services.notifications.commands import AddSubscription, AttemptNotification
from services.notifications.domain.notification import NOTIFICATION, gaps_of, is_tried
from services.notifications.projection import OWN
from services.notifications.subscribers import Policies
from shared.domain.rejections import Rejection
from shared.events.event import Event
from shared.events.notifications import NotificationAttempted, NotificationPlanned
from shared.events.recommendations import RecordVoided
from shared.projection.fold import FoldedState
from tests.given import given, recorded
from tests.notifications.instance import ADOPTED
from tests.notifications.synthetic import added
from tests.shared.memory import MemoryService

SIBLING = "recommendation/SYN/2031/R1"
VOID = RecordVoided(voids=1, reason="Synthetic mistake")
VOID_OF_VOID = RecordVoided(voids=2, reason="Synthetic second thoughts")


class Office(MemoryService):
    """The notifications service in memory, and what it consumed of a sibling."""

    async def forget(self, _person: str) -> None:
        return None

    async def consume(self, *life: Event) -> None:
        """Consume the stream of a sibling up to the last of these events, and run the policies."""
        events = recorded(SIBLING, *life, start=datetime.now(UTC) + timedelta(hours=1))
        self.store.recorded[SIBLING] = [each.model_copy(update={"id": f"e{each.streamversion}"}) for each in events]
        self.store.raws[SIBLING] = [b""] * len(events)
        await self.run(Policies(self, self, self), "notifications")  # type: ignore[arg-type]

    async def find(
        self, kind: str, wanted: Mapping[str, str], _limit: int, after: str | None = None
    ) -> list[FoldedState]:
        """Return the states of a kind whose facets have these values, all on one page."""
        streams = [stream for stream in self.store.recorded if stream.startswith(f"{kind}/") and after is None]
        states = [FoldedState(stream, await self.state(stream), 1) for stream in streams]
        return [state for state in states if _fits(OWN[kind].facets(state.state), wanted)]

    async def mails(self) -> list[str]:
        """Return the stage of each notification."""
        return [
            (await self.state(stream)).stage for stream in self.store.recorded if stream.startswith("notification/")
        ]


def _fits(facets: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    return all(value == facets.get(name) or value in facets.get(name, ()) for name, value in wanted.items())


async def an_office() -> Office:
    office = Office(dict(OWN))
    subscription = AddSubscription.model_validate(added().model_dump() | {"events": ("RecommendationAdopted",)})
    stream = f"subscription/{subscription.subscription}"
    assert not isinstance(await office.execute(stream, subscription), Rejection)
    office.reacted[stream] = 1
    return office


async def test_a_planned_mail_is_void_with_its_event_and_planned_again_with_the_void_of_the_void() -> None:
    office = await an_office()
    await office.consume(ADOPTED)
    assert await office.mails() == ["planned"]
    await office.consume(ADOPTED, VOID)
    assert await office.mails() == ["void"]
    await office.consume(ADOPTED, VOID, VOID_OF_VOID)
    assert await office.mails() == ["planned"]


async def test_a_mail_that_was_tried_stays() -> None:
    office = await an_office()
    await office.consume(ADOPTED)
    [stream] = [stream for stream in office.store.recorded if stream.startswith("notification/")]
    assert not isinstance(await office.execute(stream, AttemptNotification(), role="system"), Rejection)
    await office.consume(ADOPTED, VOID)
    assert await office.mails() == ["attempted"]
    assert office.refusals.rules == ["HasConsequences"]
    planned = (await office.state(stream)).planned
    [gap] = gaps_of(planned, {1})
    assert gap == f"It is about version 1 of {SIBLING}, which is void; its mail was tried."


async def test_a_mail_that_was_tried_after_the_void_of_a_void_stays_whatever_is_voided_later() -> None:
    office = await an_office()
    life: list[Event] = [ADOPTED, VOID, VOID_OF_VOID]
    for number in (1, 2, 3):
        await office.consume(*life[:number])
    [stream] = [stream for stream in office.store.recorded if stream.startswith("notification/")]
    assert not isinstance(await office.execute(stream, AttemptNotification(), role="system"), Rejection)
    for void in (3, 4, 5):
        life.append(RecordVoided(voids=void, reason="Synthetic"))
        await office.consume(*life)
        assert await office.mails() == ["attempted"]


def test_only_a_mail_that_was_tried_has_the_gap_and_a_void_stream_voids_all_its_events() -> None:
    plan = NotificationPlanned(
        notification="n1", subscription="s1", event_id="e1", event_type="t", stream=SIBLING, stream_version=3
    )
    assert [bool(gaps_of(plan, voids)) for voids in (set[int](), {2}, {3}, {1})] == [False, False, True, True]
    tried = [
        is_tried(given(NOTIFICATION, "notification/n1", *events).state)
        for events in ((plan,), (plan, NotificationAttempted(attempt=1)))
    ]
    assert tried == [False, True]


async def test_no_mail_is_planned_for_what_is_void_until_its_void_is_void() -> None:
    office = await an_office()
    await office.consume(ADOPTED, VOID)
    assert await office.mails() == []
    await office.consume(ADOPTED, VOID, VOID_OF_VOID)
    assert await office.mails() == ["planned"]
