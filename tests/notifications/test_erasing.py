"""A subscriber who was erased: nothing is sent any more, and the record of it is enough to end what is left."""

from __future__ import annotations

from services.notifications.commands import AddSubscriptionRequest, EraseSubscriber, ResendNotification
from shared.domain.rejections import OutOfOrder, PersonWasErased
from shared.events.notifications import NotificationFailed, SubscriptionRemoved
from shared.privacy.erasure import redo_erasures
from shared.store.event_store import Commit
from tests.given import a_context
from tests.notifications.conftest import Start
from tests.notifications.instance import DETAILS, Instance
from tests.notifications.smtp import Mailbox
from tests.notifications.test_sending import looks, pytestmark, with_one_planned

__all__ = ["pytestmark"]
PERSON, STREAM = "person-s1", "subscriber/person-s1"
ERASE = EraseSubscriber(reason="Synthetic request")
ENDED = NotificationFailed(attempt=1, reason="person_erased", temporary=False)


async def recorded_only(notifying: Instance) -> None:
    """Record an erasure, and die before the key is destroyed."""
    assert isinstance(await notifying.commands.handle(STREAM, ERASE, a_context()), Commit)
    assert not await notifying.keys.erased(PERSON)


async def test_planned_notifications_of_an_erased_person_end_with_the_reason(start: Start) -> None:
    mailbox = Mailbox()
    async with mailbox.open() as port:
        notifying = await with_one_planned(start, port)
        assert isinstance(await notifying.execute(STREAM, ERASE), Commit)
        await looks(notifying)
        assert await notifying.last() == ENDED
        [stream] = await notifying.history()
        assert isinstance(await notifying.execute(stream, ResendNotification()), Commit)
        await looks(notifying)
    assert mailbox.sessions == 0
    assert await notifying.last() == ENDED.model_copy(update={"attempt": 2})


async def test_a_key_that_outlived_its_erasure_is_destroyed_when_the_event_is_consumed(start: Start) -> None:
    notifying = await with_one_planned(start, 1)
    await recorded_only(notifying)
    await notifying.consume()
    assert await notifying.keys.erased(PERSON)
    _, events = await notifying.store.read("subscription/s1")
    assert isinstance(events[-1].data, SubscriptionRemoved)


async def test_a_key_that_outlived_its_erasure_is_destroyed_at_startup(start: Start) -> None:
    notifying = await with_one_planned(start, 1)
    await recorded_only(notifying)
    await redo_erasures(notifying.store, notifying.keys, "subscriber")
    assert await notifying.keys.erased(PERSON)


async def test_a_repeated_erasure_has_the_first_answer_and_another_is_refused(start: Start) -> None:
    notifying = await with_one_planned(start, 1)
    first = await notifying.handlers.handle(STREAM, ERASE, a_context())
    again = await notifying.handlers.handle(STREAM, ERASE, a_context())
    assert isinstance(first, Commit)
    assert isinstance(again, Commit)
    assert (again.replayed, again.events) == (True, first.events)
    assert isinstance(await notifying.execute(STREAM, ERASE), OutOfOrder)


async def test_no_new_data_are_sealed_under_an_erased_id(start: Start) -> None:
    notifying = await with_one_planned(start, 1)
    await notifying.execute(STREAM, ERASE)
    wanted = AddSubscriptionRequest(subscription="s2", person=PERSON, details=DETAILS, events=("MeetingHeld",))
    assert await notifying.execute("subscription/s2", wanted) == PersonWasErased(PERSON)
    refusals = await notifying.commands.refusals.latest(1)
    assert (refusals[0]["rule"], refusals[0]["request"]) == ("PersonWasErased", "AddSubscription")
    assert "digest" not in refusals[0]
