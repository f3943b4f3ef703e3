"""The behaviour of SMTP servers, and the certainty of delivery after it."""

import time

import pytest

from services.notifications.sending.courier import Answer, Courier, NoAnswer, NotTaken, Taken
from services.notifications.sending.smtp_server import SmtpServer
from tests.notifications.smtp import ADDRESS, DROP, SILENCE, Mailbox, scripted
from tools.local.ports import choose

MESSAGE = b"Subject: synthetic\r\n\r\n.a line that begins with a dot\r\n..\r\nthe end\r\n"
UNREACHABLE = NotTaken("unreachable", temporary=True)
WORDS = f"not for {ADDRESS}"


async def deliver(port: int, patience: float = 5.0) -> Answer:
    courier = Courier(SmtpServer("127.0.0.1", port), "throughline@localhost.invalid", patience)
    return await courier.deliver(ADDRESS, MESSAGE)


async def test_a_message_arrives_byte_for_byte() -> None:
    mailbox = Mailbox()
    async with mailbox.open() as port:
        assert await deliver(port) == Taken(250)
    assert mailbox.stored == [MESSAGE]


async def test_without_a_listening_server_nothing_was_accepted() -> None:
    port = choose(())
    assert await deliver(port) == UNREACHABLE


@pytest.mark.parametrize(
    ("replies", "answer"),
    [
        ({"GREETING": f"554 {WORDS}"}, NotTaken("refused", True, 554)),
        ({"GREETING": DROP}, UNREACHABLE),
        ({"EHLO": DROP}, UNREACHABLE),
        ({"MAIL": f"451 {WORDS}"}, NotTaken("refused", True, 451)),
        ({"MAIL": f"550 {WORDS}"}, NotTaken("refused", False, 550)),
        ({"MAIL": "gibberish"}, NotTaken("refused", True)),
        ({"RCPT": f"450 {WORDS}"}, NotTaken("rejected_recipient", True, 450)),
        ({"RCPT": f"550 {WORDS}"}, NotTaken("rejected_recipient", False, 550)),
        ({"RCPT": DROP}, UNREACHABLE),
        ({"DATA": f"421 {WORDS}"}, NotTaken("refused", True, 421)),
        ({"DATA": f"554 {WORDS}"}, NotTaken("refused", False, 554)),
        ({"DATA": DROP}, UNREACHABLE),
    ],
    ids=str,
)
async def test_before_the_message_is_sent_nothing_was_accepted(replies: dict[str, str], answer: Answer) -> None:
    async with scripted(replies) as port:
        assert await deliver(port) == answer


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("250 kept", Taken(250)),
        (f"452 {WORDS}", NotTaken("refused", True, 452)),
        (f"554 {WORDS}", NotTaken("refused", False, 554)),
        (DROP, NoAnswer()),
        ("gibberish", NoAnswer()),
        ("354 go on", NoAnswer()),
    ],
    ids=str,
)
async def test_after_the_message_was_sent_only_an_answer_is_certain(reply: str, answer: Answer) -> None:
    async with scripted({"CONTENT": reply}) as port:
        assert await deliver(port) == answer


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA"])
async def test_a_server_that_falls_silent_before_the_message_accepted_nothing(verb: str) -> None:
    async with scripted({verb: SILENCE}) as port:
        began = time.monotonic()
        assert await deliver(port, patience=0.3) == UNREACHABLE
        assert time.monotonic() - began < 15


async def test_a_server_that_falls_silent_after_the_message_leaves_it_uncertain() -> None:
    async with scripted({"CONTENT": SILENCE}) as port:
        assert await deliver(port, patience=0.3) == NoAnswer()


@pytest.mark.slow
async def test_a_slow_first_half_leaves_the_second_its_own_time() -> None:
    mailbox = Mailbox(pause=2.0)
    async with mailbox.open() as port:
        assert await deliver(port, patience=1.5) == NoAnswer()
        assert await deliver(port, patience=30.0) == Taken(250)
