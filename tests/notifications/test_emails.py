"""The content of the emails to a subscriber; personal data stays in the header To."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.notifications.commands import SubscriberDetails
from services.notifications.sending.emails import Misread, mail
from services.notifications.sending.settings import NotificationSettings
from shared.events.notifications import NotificationPlanned
from shared.runtime.settings import CannotStart
from shared.runtime.settings import read as settings_from_environment
from tests.notifications.synthetic import DETAILS, planned

SENDER = "throughline@example.net"
RECORDED = "2026-01-05T09:00:00.000Z"
NOW = datetime(2026, 1, 5, 9, 0, 1, tzinfo=UTC)
ATOMS = st.text("abcXYZ019!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=20).filter(lambda atom: "=?" not in atom)
LABELS = st.from_regex(r"\A[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?\Z")

NAMES = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=200).filter(str.strip)
HEADERS = [
    b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Auto-Submitted",
    b"Content-Type", b"Content-Transfer-Encoding", b"MIME-Version",
]  # fmt: skip


def read(plan: NotificationPlanned, details: SubscriberDetails) -> EmailMessage:
    message = message_from_bytes(mail(plan, RECORDED, details, SENDER, NOW), policy=default)
    assert isinstance(message, EmailMessage)
    return message


def test_it_names_the_event_and_links_to_it() -> None:
    message = read(planned(), SubscriberDetails.model_validate(DETAILS))
    body = message.get_content()
    assert message["Subject"] == "RecommendationAdopted: CED/2022/R1"
    assert f"RecommendationAdopted was recorded on {RECORDED}." in body
    assert "recommendation/CED/2022/R1, version 4" in body
    assert "throughline trace CED/2022/R1" in body
    assert "subscription s1" in body


def test_a_stream_without_a_trace_is_read_at_its_own_service() -> None:
    held = {"event_type": "throughline.meetings.MeetingHeld.v1", "stream": "meeting/teg-5"}
    message = read(planned().model_copy(update=held), SubscriberDetails.model_validate(DETAILS))
    assert message["Subject"] == "MeetingHeld: teg-5"
    assert "GET /streams/meeting/teg-5 of the meetings service" in message.get_content()
    assert "throughline trace" not in message.get_content()


def test_only_the_header_to_holds_personal_data() -> None:
    raw = mail(planned(), RECORDED, SubscriberDetails.model_validate(DETAILS), SENDER, NOW)
    lines = [line for line in raw.splitlines() if b"ynthetic" in line]
    assert lines == [b"To: Synthetic Reader <synthetic.reader@example.org>"]


def test_the_same_notification_has_the_same_message_id_whenever_it_is_sent() -> None:
    details = SubscriberDetails.model_validate(DETAILS)
    later = message_from_bytes(mail(planned(), RECORDED, details, SENDER, NOW.replace(year=2027)), policy=default)
    assert later["Message-ID"] == read(planned(), details)["Message-ID"] == "<n1@example.net>"


@pytest.mark.parametrize("name", ["Синтетический Читатель", "Synthetic, Reader (ESCAP)", 'The "Synthetic" Reader'])
def test_a_name_is_shown_as_it_is_written(name: str) -> None:
    [to] = read(planned(), SubscriberDetails(name=name, address="synthetic.reader@example.org"))["To"].addresses
    assert (to.display_name, to.addr_spec) == (name, "synthetic.reader@example.org")


FORGED = "=?utf-8?q?Reader=0D=0AReply-To=3A_evil=40example.net=0D=0A=0D=0APlease_pay=2E?="
LOOKING_ENCODED = [
    FORGED,
    "Synthetic =?utf-8?b?UmVhZGVy?= Reader",
    '"=?utf-8?q?Synthetic=22_=3Cevil=40example=2Enet=3E=2C?="',
    "=?",
    "Synthetic\u2003Reader =?x",
    "Synthetic Reader " * 20,
    "Синтетический Читатель " * 20,
]


def shown(text: str) -> str:
    """Return a text without blanks: Python's reader adds one between two encoded words of a name."""
    return "".join(text.split())


@pytest.mark.parametrize("name", LOOKING_ENCODED)
def test_a_name_is_text_whatever_it_looks_like(name: str) -> None:
    raw = mail(planned(), RECORDED, SubscriberDetails(name=name, address="reader@example.org"), SENDER, NOW)
    message = message_from_bytes(raw, policy=default)
    [to] = message["To"].addresses
    assert (shown(to.display_name), to.addr_spec) == (shown(name), "reader@example.org")
    assert [header.encode() for header in message] == HEADERS
    assert max(map(len, raw.split(b"\r\n"))) < 500


@pytest.mark.parametrize("stream", [f"meeting/{FORGED}", "meeting/Séance 1", f"recommendation/{'x' * 400}"])
def test_a_subject_is_text_whatever_it_looks_like(stream: str) -> None:
    plan = planned().model_copy(update={"stream": stream, "event_type": "corrected"})
    message = read(plan, SubscriberDetails.model_validate(DETAILS))
    assert message["Subject"] == f"corrected: {stream.partition('/')[2]}"
    assert [header.encode() for header in message] == HEADERS


@pytest.mark.parametrize("address", ["=?utf-8?q?a=0D=0ABcc=3A_evil?=@example.org", "a.=?x?=@example.org"])
def test_an_address_that_a_reader_would_decode_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="encoded word"):
        SubscriberDetails(name="Synthetic Reader", address=address)


def test_a_sender_that_a_reader_would_decode_is_refused_in_our_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"KAFKA": "synthetic.invalid:1", "MONGODB": "mongodb://synthetic.invalid/", "DATABASE": "synthetic"}
    for name, value in (given | {"JWKS": "synthetic"}).items():
        monkeypatch.setenv(f"THROUGHLINE_{name}", value)
    monkeypatch.setenv("THROUGHLINE_SMTP_SENDER", "=?utf-8?q?a?=@example.org")
    with pytest.raises(CannotStart, match=r"^THROUGHLINE_SMTP_SENDER: holds '=\?'"):
        settings_from_environment(NotificationSettings)


def test_a_mail_that_is_read_as_something_else_is_not_sent() -> None:
    details = SubscriberDetails.model_construct(name="Synthetic Reader", address="=?utf-8?q?a=2Cb?=@example.org")
    with pytest.raises(Misread):
        mail(planned(), RECORDED, details, SENDER, NOW)


@settings(max_examples=150)
@drawn(name=NAMES)
def test_the_header_to_is_ascii_with_one_address_for_any_name(name: str) -> None:
    details = SubscriberDetails(name=name, address="synthetic.reader@example.org")
    raw = mail(planned(), RECORDED, details, SENDER, NOW)
    head = raw.partition(b"\r\n\r\n")[0]
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert head.count(b"synthetic.reader@example.org") == 1
    assert [line.partition(b":")[0] for line in head.split(b"\r\n") if not line.startswith(b" ")] == HEADERS


@pytest.mark.slow
@settings(max_examples=150)
@drawn(local=st.lists(ATOMS, min_size=1, max_size=3), domain=st.lists(LABELS, min_size=1, max_size=3))
def test_every_address_that_a_subscription_accepts_can_be_mailed(local: list[str], domain: list[str]) -> None:
    address = f"{'.'.join(local)}@{'.'.join(domain)}"
    [to] = read(planned(), SubscriberDetails(name="Synthetic Reader", address=address))["To"].addresses
    assert to.addr_spec == address
