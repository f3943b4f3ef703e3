"""Mails by TLS and with a login, on a real SMTP server; what is wrong with its settings is said in words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.notifications.sending.courier import Answer, Courier, NotTaken, Taken
from services.notifications.sending.smtp_server import Encryption, SmtpServer
from shared.runtime.tls import Tls
from tests.certificates import Authority, Issued
from tests.notifications.smtp import ADDRESS, PASSWORD, USER, Mailbox

MESSAGE = b"Subject: synthetic\r\n\r\nsynthetic\r\n"
WAYS: list[tuple[Encryption, bool]] = [("starttls", False), ("tls", True)]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def own(authority: Authority) -> Issued:
    return authority.issue("smtp", "127.0.0.1")


async def delivered(
    port: int, encryption: Encryption, ca: Path | None, user: str | None = USER, password: str = PASSWORD
) -> Answer:
    server = SmtpServer("127.0.0.1", port, encryption, user, SecretStr(password), Tls(ca))
    return await Courier(server, "throughline@example.org", 3.0).deliver(ADDRESS, MESSAGE)


def trouble(answer: Answer) -> str:
    assert isinstance(answer, NotTaken)
    assert answer.temporary
    return answer.trouble


@pytest.mark.parametrize(("encryption", "from_the_start"), WAYS)
async def test_a_message_is_delivered_by_tls_after_a_login(
    encryption: Encryption, from_the_start: bool, authority: Authority, own: Issued
) -> None:
    mailbox = Mailbox()
    async with mailbox.secured(own, from_the_start=from_the_start) as port:
        assert await delivered(port, encryption, authority.file) == Taken(250)
    assert mailbox.stored == [MESSAGE]


@pytest.mark.parametrize(("encryption", "from_the_start"), WAYS)
async def test_a_wrong_password_is_named(
    encryption: Encryption, from_the_start: bool, authority: Authority, own: Issued
) -> None:
    async with Mailbox().secured(own, from_the_start=from_the_start) as port:
        answer = await delivered(port, encryption, authority.file, password="wrong")
    assert answer == NotTaken("refused", True, 535)
    assert trouble(answer).startswith("THROUGHLINE_SMTP_USER: ")
    assert "wrong" not in trouble(answer)


@pytest.mark.parametrize(("encryption", "from_the_start"), [*WAYS, ("offered", False)])
async def test_a_server_of_an_unknown_ca_gets_neither_password_nor_message(
    encryption: Encryption, from_the_start: bool, own: Issued
) -> None:
    mailbox = Mailbox()
    async with mailbox.secured(own, from_the_start=from_the_start) as port:
        answer = await delivered(port, encryption, None, USER if encryption != "offered" else None)
    assert trouble(answer).startswith("THROUGHLINE_SMTP_CA_FILE: ")
    assert "unknown CA" in trouble(answer)
    assert mailbox.stored == []


@pytest.mark.parametrize(
    ("encryption", "says"),
    [("starttls", "THROUGHLINE_SMTP_TLS: .* offers no STARTTLS"), ("tls", "THROUGHLINE_SMTP_TLS: .* speaks no TLS")],
)
async def test_a_server_without_tls_gets_neither_password_nor_message(encryption: Encryption, says: str) -> None:
    mailbox = Mailbox()
    async with mailbox.open() as port:
        answer = await delivered(port, encryption, None)
    assert re.match(says, trouble(answer)), trouble(answer)
    assert mailbox.stored == []


async def test_tls_from_the_start_is_told_from_starttls(authority: Authority, own: Issued) -> None:
    async with Mailbox().secured(own, from_the_start=True) as port:
        assert "speaks TLS from the start" in trouble(await delivered(port, "starttls", authority.file))


async def test_a_server_that_takes_no_login_is_named(authority: Authority, own: Issued) -> None:
    async with Mailbox().secured(own, login=False) as port:
        assert "offers no way to log in" in trouble(await delivered(port, "starttls", authority.file))
        assert await delivered(port, "starttls", authority.file, None) == Taken(250)
