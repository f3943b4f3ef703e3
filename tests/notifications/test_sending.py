"""At most one delivery for each event and subscription under any failure, on a real MongoDB and real SMTP."""

from __future__ import annotations

import asyncio
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from services.notifications.commands import AttemptNotification, RemoveSubscription, ResendNotification
from services.notifications.sending.courier import Answer, Courier
from shared.domain.rejections import OutOfOrder
from shared.events.notifications import NotificationAttempted, NotificationFailed, NotificationUncertain
from shared.projection.rebuild import rebuild
from shared.store.event_store import Commit
from tests.certificates import Authority
from tests.notifications.conftest import Start
from tests.notifications.instance import Instance, recommended
from tests.notifications.smtp import ADDRESS, DROP, PASSWORD, USER, Mailbox
from tests.patience import AT_MOST_SECONDS
from tools.local.ports import choose

pytestmark = pytest.mark.servers
ONCE = ["Planned", "Attempted", "Delivered"]


async def with_one_planned(start: Start, port: int, **overrides: Any) -> Instance:
    """Return an instance that has one notification to send."""
    notifying = await start(port, **overrides)
    await notifying.subscribe()
    await notifying.consume(recommended("CED/2022/R1"))
    await notifying.consume()
    return notifying


async def looks(notifying: Instance, times: int = 3) -> None:
    """Send due notifications, consume the results, and wait out the pause before another attempt."""
    for _ in range(times):
        await notifying.sender.look()
        await notifying.consume()
        await asyncio.sleep(0.15)


async def test_a_planned_notification_is_sent_once(start: Start) -> None:
    mailbox = Mailbox()
    async with mailbox.open() as port:
        notifying = await with_one_planned(start, port)
        await looks(notifying)
    [mail] = [message_from_bytes(raw) for raw in mailbox.stored]
    assert mail["Subject"] == "RecommendationAdopted: CED/2022/R1"
    assert await notifying.one() == ONCE


async def test_a_notification_whose_state_has_another_shape_is_left_to_the_version_that_stored_it(start: Start) -> None:
    mailbox = Mailbox()
    async with mailbox.open() as port:
        notifying = await with_one_planned(start, port)
        states = notifying.states.database["states"]
        await states.update_many({}, {"$inc": {"shape": 1}})
        assert await notifying.sender.look()
        assert not mailbox.stored
        await states.update_many({}, {"$inc": {"shape": -1}})
        await looks(notifying)
    assert len(mailbox.stored) == 1


async def test_a_sent_message_is_not_sent_again_before_its_result_is_consumed(start: Start) -> None:
    mailbox = Mailbox()
    async with mailbox.open() as port:
        notifying = await with_one_planned(start, port)
        for _ in range(3):
            await notifying.sender.look()
    assert len(mailbox.stored) == 1


async def test_two_concurrent_senders_send_each_message_once(start: Start) -> None:
    mailbox = Mailbox(pause=0.01)
    async with mailbox.open() as port:
        first, second, third = await start(port), await start(port), await start(port)
        await first.subscribe()
        await first.consume(*(recommended(f"CED/2022/R{number}") for number in range(1, 21)))
        await first.consume()
        await asyncio.gather(first.sender.look(), second.sender.look(), third.sender.look())
    ids = [message_from_bytes(raw)["Message-ID"] for raw in mailbox.stored]
    assert len(ids) == len(set(ids)) == 20
    assert list((await first.history()).values()) == [ONCE] * 20


async def test_a_server_that_is_down_then_up_gets_it_once(start: Start) -> None:
    port, mailbox = choose(()), Mailbox()
    notifying = await with_one_planned(start, port)
    assert await notifying.sender.look() is False
    await notifying.consume()
    assert await notifying.last() == NotificationFailed(attempt=1, reason="unreachable", temporary=True)
    await asyncio.sleep(0.15)
    async with mailbox.open(port):
        await looks(notifying)
    assert len(mailbox.stored) == 1
    assert await notifying.one() == ["Planned", "Attempted", "Failed", "Attempted", "Delivered"]


async def test_a_server_that_refuses_the_login_is_left_alone_and_named_until_it_takes_it(
    start: Start, tmp_path: Path
) -> None:
    authority, mailbox = Authority(tmp_path), Mailbox()
    login: dict[str, Any] = {"smtp_tls": "starttls", "smtp_user": USER, "smtp_ca_file": authority.file}
    async with mailbox.secured(authority.issue("smtp", "127.0.0.1")) as port:
        notifying = await with_one_planned(start, port, smtp_password="wrong", **login)
        assert await notifying.sender.look() is False
        assert notifying.sender.pulse.warning.startswith("THROUGHLINE_SMTP_USER: ")
        await notifying.consume()
        assert await notifying.last() == NotificationFailed(attempt=1, reason="refused", temporary=True, smtp_code=535)
        await asyncio.sleep(0.15)
        mended = await start(port, smtp_password=PASSWORD, **login)
        await looks(mended)
    assert len(mailbox.stored) == 1
    assert mended.sender.pulse.warning == ""


async def test_a_failed_attempt_is_not_repeated_before_its_pause_is_over(start: Start) -> None:
    mailbox = Mailbox("451 later", "451 later")
    async with mailbox.open() as port:
        notifying = await with_one_planned(start, port, retry_first=30.0)
        await looks(notifying)
    assert await notifying.one() == ["Planned", "Attempted", "Failed"]


async def test_a_failure_is_not_retried_before_it_is_consumed(start: Start) -> None:
    mailbox = Mailbox("451 later")
    async with mailbox.open() as port:
        notifying = await with_one_planned(start, port)
        for _ in range(3):
            await notifying.sender.look()
    assert await notifying.one() == ["Planned", "Attempted", "Failed"]


async def test_the_last_failure_is_final(start: Start) -> None:
    mailbox = Mailbox(*["451 later"] * 9)
    async with mailbox.open() as port:
        notifying = await with_one_planned(start, port, retry_attempts=2, retry_longest=0.1)
        await looks(notifying, times=4)
    assert await notifying.one() == ["Planned", "Attempted", "Failed", "Attempted", "Failed"]
    assert await notifying.last() == NotificationFailed(attempt=2, reason="refused", temporary=False, smtp_code=451)


async def test_a_recipient_who_is_refused_is_not_tried_again(start: Start) -> None:
    mailbox = Mailbox(rcpt=f"550 no mailbox {ADDRESS}")
    async with mailbox.open() as port:
        notifying = await with_one_planned(start, port)
        await looks(notifying)
    assert mailbox.sessions == 1
    expected = NotificationFailed(attempt=1, reason="rejected_recipient", temporary=False, smtp_code=550)
    assert await notifying.last() == expected


async def test_a_message_without_an_answer_is_uncertain_and_never_resent_automatically(start: Start) -> None:
    mailbox = Mailbox(DROP)
    async with mailbox.open() as port:
        notifying = await with_one_planned(start, port)
        await looks(notifying, times=4)
    assert len(mailbox.stored) == 1
    assert await notifying.last() == NotificationUncertain(attempt=1, reason="no_answer")
    shown = await notifying.states.find("notification", {"standing": "uncertain"}, 10)
    assert len(shown) == 1


async def test_a_person_may_send_an_uncertain_one_again(start: Start) -> None:
    mailbox = Mailbox(DROP)
    async with mailbox.open() as port:
        notifying = await with_one_planned(start, port)
        await looks(notifying, times=1)
        [stream] = await notifying.history()
        assert isinstance(await notifying.execute(stream, ResendNotification()), Commit)
        assert isinstance(await notifying.execute(stream, ResendNotification()), OutOfOrder)
        await looks(notifying)
    first, second = (message_from_bytes(raw)["Message-ID"] for raw in mailbox.stored)
    assert first == second
    assert await notifying.one() == ["Planned", "Attempted", "Uncertain", "Attempted", "Delivered"]


async def test_a_subscription_that_ended_meanwhile_is_not_written_to(start: Start) -> None:
    mailbox = Mailbox()
    async with mailbox.open() as port:
        notifying = await with_one_planned(start, port)
        await notifying.execute("subscription/s1", RemoveSubscription())
        await looks(notifying)
    assert mailbox.sessions == 0
    assert await notifying.last() == NotificationFailed(attempt=1, reason="subscription_ended", temporary=False)


async def test_a_subscriber_whose_key_is_destroyed_is_not_written_to(start: Start) -> None:
    mailbox = Mailbox()
    async with mailbox.open() as port:
        notifying = await with_one_planned(start, port)
        await notifying.mongodb["keys"].delete_many({})
        await looks(notifying)
    assert mailbox.sessions == 0
    assert await notifying.last() == NotificationFailed(attempt=1, reason="unreadable_address", temporary=False)


async def claimed_and_abandoned(notifying: Instance) -> Commit:
    """Claim the notification as a sender does that dies before it speaks SMTP."""
    [stream] = await notifying.history()
    commit = await notifying.execute(stream, AttemptNotification())
    assert isinstance(commit, Commit)
    await notifying.consume()
    return commit


async def test_an_interrupted_attempt_becomes_uncertain(start: Start) -> None:
    mailbox = Mailbox()
    async with mailbox.open() as port:
        notifying = await with_one_planned(start, port, smtp_timeout=0.1, interrupted_after=3.0)
        await claimed_and_abandoned(notifying)
        await notifying.sender.look()
        assert await notifying.last() == NotificationAttempted(attempt=1)
        await asyncio.sleep(3.2)
        await looks(notifying)
    assert mailbox.stored == []
    assert await notifying.last() == NotificationUncertain(attempt=1, reason="interrupted")


async def test_a_sender_that_returns_to_an_expired_claim_sends_nothing(start: Start) -> None:
    mailbox = Mailbox()
    async with mailbox.open() as port:
        notifying = await with_one_planned(start, port, smtp_timeout=0.1, interrupted_after=0.5)
        commit = await claimed_and_abandoned(notifying)
        await asyncio.sleep(0.4)
        await notifying.sender.send_claimed(commit)
    assert mailbox.stored == []
    assert await notifying.one() == ["Planned", "Attempted"]


async def test_an_answer_after_the_attempt_became_uncertain_is_recorded(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox = Mailbox("451 later")
    deliver = Courier.deliver
    held_up = [True]

    async def stopped_meanwhile(courier: Courier, recipient: str, message: bytes) -> Answer:
        answer = await deliver(courier, recipient, message)
        if held_up and held_up.pop():
            await asyncio.sleep(6.2)
            await notifying.consume()
            await notifying.sender.look()
        return answer

    monkeypatch.setattr(Courier, "deliver", stopped_meanwhile)
    async with mailbox.open() as port:
        notifying = await with_one_planned(start, port, smtp_timeout=1.2, interrupted_after=6.0)
        await looks(notifying)
        await looks(notifying)
    assert await notifying.one() == ["Planned", "Attempted", "Uncertain", "Failed", "Attempted", "Delivered"]
    assert len(mailbox.stored) == 1


async def test_a_message_in_transit_is_finished_at_shutdown(start: Start) -> None:
    mailbox = Mailbox(pause=0.3)
    async with mailbox.open() as port:
        notifying = await with_one_planned(start, port)
        notifying.relay.beat()
        running = asyncio.create_task(notifying.sender.run())
        await mailbox.busy.wait()
        running.cancel()
        await asyncio.wait({running})
    assert running.cancelled()
    assert await notifying.one() == ONCE


async def test_nothing_is_sent_before_the_relay_has_checked_the_store(start: Start) -> None:
    mailbox = Mailbox()
    async with mailbox.open() as port:
        notifying = await with_one_planned(start, port)
        running = asyncio.create_task(notifying.sender.run())
        await asyncio.sleep(0.3)
        assert mailbox.sessions == 0
        assert notifying.sender.pulse.trouble == "waits for the relay"
        notifying.relay.beat()
        await asyncio.wait_for(mailbox.busy.wait(), AT_MOST_SECONDS)
        running.cancel()
        await asyncio.wait({running})
    assert await notifying.one() == ONCE


async def test_a_replay_sends_nothing(start: Start) -> None:
    mailbox = Mailbox()
    event = recommended("CED/2022/R1")
    async with mailbox.open() as port:
        notifying = await start(port)
        await notifying.subscribe()
        await notifying.consume(event)
        await notifying.consume()
        await looks(notifying)
        for collection in ("states", "journal"):
            await notifying.mongodb[collection].delete_many({})
        await notifying.consume(event)
        await looks(notifying)
        [_ async for _ in rebuild(notifying.projection)]
        await looks(notifying)
    assert len(mailbox.stored) == 1
    assert await notifying.one() == ONCE


async def test_an_answer_that_the_database_lost_is_stored_once(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    mailbox = Mailbox()
    async with mailbox.open() as port:
        notifying = await with_one_planned(start, port)
        append, lost = notifying.store.append, [False, True, True]

        async def losing(*arguments: Any) -> Commit:
            commit = await append(*arguments)
            if lost and lost.pop(0):
                raise AutoReconnect("synthetic: the answer was lost")
            return commit

        monkeypatch.setattr(notifying.store, "append", losing)
        await looks(notifying)
    assert lost == [True]
    assert len(mailbox.stored) == 1
    assert await notifying.one() == ONCE


async def test_a_claim_with_a_lost_answer_sends_nothing(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    mailbox = Mailbox()
    async with mailbox.open() as port:
        notifying = await with_one_planned(start, port)
        append = notifying.store.append

        async def losing(*arguments: Any) -> Commit:
            await append(*arguments)
            raise AutoReconnect("synthetic: the answer was lost")

        monkeypatch.setattr(notifying.store, "append", losing)
        with pytest.raises(AutoReconnect):
            await notifying.sender.look()
        monkeypatch.undo()
        await looks(notifying)
    assert mailbox.sessions == 0
    assert await notifying.one() == ["Planned", "Attempted"]


async def test_no_address_is_in_the_database_or_the_log(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    mailbox = Mailbox(f"451 not now, {ADDRESS}", DROP, rcpt="250 ok")
    async with mailbox.open() as port:
        notifying = await with_one_planned(start, port)
        await looks(notifying)
    assert await notifying.one() == ["Planned", "Attempted", "Failed", "Attempted", "Uncertain"]
    names = await notifying.mongodb.list_collection_names()
    stored = [repr(document) for name in names for document in await notifying.mongodb[name].find().to_list(None)]
    assert not [document for document in stored if ADDRESS in document or "Synthetic Reader" in document]
    out, err = capsys.readouterr()
    assert "notification_uncertain" in out
    assert ADDRESS not in out + err
