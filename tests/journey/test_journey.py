"""The journey from a call for nominations to evidence of follow-up, on real servers, with each service killed once."""

from __future__ import annotations

import email
import itertools
from email import policy
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from services.recommendations.trace import trace_bytes
from shared.consumer.decoding import decode_record
from shared.consumer.record import ConsumedEvent, KafkaRecord, headers_of
from tests.history import replayed
from tests.journey.office import Desk
from tests.journey.topics import everything_on
from tools.client.log_keys import log_trust
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
NAME = "Synthetic Person of Testing"
ADDRESS = "synthetic.reader@example.org"


def killed(stack: Stack, service: str) -> None:
    stack.kill(service)
    stack.start_one(service)


def a_membership(stack: Stack, secretariat: Desk, key: str) -> str:
    """Nominate an expert and register the nomination; a policy begins the membership."""
    fiji = Desk(stack, "focal_point", member="FJI")
    secretariat.send("nominations", "/calls", call=f"call-{key}", title="Synthetic call")
    fiji.send(
        "nominations",
        "/nominations",
        nomination=f"nomination-{key}",
        call=f"call-{key}",
        member="FJI",
        details={"name": NAME, "contact": ADDRESS},
        note_verbale={"channel": "note_verbale", "reference": "SYN/1"},
        institution="Synthetic ministry",
        category="official",
    )
    killed(stack, "nominations")
    secretariat.send("nominations", f"/nominations/nomination-{key}/accept", accepted_on="2020-01-10")
    page = secretariat.query_until(
        "nominations", "/memberships", lambda page: bool(page["items"]), nomination=f"nomination-{key}"
    )
    stream: str = page["items"][0]["stream"]
    return stream.partition("/")[2]


def a_meeting(stack: Stack, secretariat: Desk, key: str, membership: str) -> str:
    """Propose a meeting, confirm it twice, hold it, and record attendance."""
    meeting = f"meeting-{key}"
    at = {"starts_at": "2020-03-01T09:00:00+07:00", "ends_at": "2020-03-01T12:00:00+07:00"}
    secretariat.send(
        "meetings", "/meetings", meeting=meeting, title="Synthetic meeting", kind="technical_expert_group",
        modality="hybrid", **at,
    )  # fmt: skip
    assert secretariat.refused("meetings", f"/meetings/{meeting}/hold") != ""
    secretariat.send("meetings", f"/meetings/{meeting}/confirm")
    Desk(stack, "chair").send("meetings", f"/meetings/{meeting}/confirm")
    killed(stack, "meetings")
    secretariat.send("meetings", f"/meetings/{meeting}/attendance", membership=membership, presence="in_room")
    rendition = {"media_type": "text/html", "language": "en", "digest": "0" * 64, "accessible": True}
    secretariat.send(
        "meetings", f"/meetings/{meeting}/documents", document="paper", title="Synthetic paper", renditions=[rendition]
    )
    held = secretariat.send("meetings", f"/meetings/{meeting}/hold")
    secretariat.query("recommendations", f"/meetings-heard/{meeting}", at_least=held["version"], wait=20)
    return meeting


def a_recommendation(stack: Stack, secretariat: Desk, number: int, meeting: str) -> str:
    """Draft, cite, discuss, adopt, transmit, dispose, follow up."""
    reference, key = f"SYN/2030/R{number}", f"r{number}"
    one = f"/recommendations/{reference}"
    secretariat.send(
        "recommendations",
        "/instruments",
        instrument=f"i-{key}",
        cite=f"Synthetic {key}",
        body="SYN",
        title="T",
    )
    secretariat.send(
        "recommendations", f"/instruments/i-{key}/provisions", provision="query", summary="Synthetic query",
        status="verified",
    )  # fmt: skip
    secretariat.send("recommendations", "/recommendations", reference=reference, title="Synthetic", themes=["Syn"])
    citation = {"instrument": f"i-{key}", "provision": "query", "status": "verified"}
    secretariat.send("recommendations", f"{one}/cite", **citation)
    secretariat.send("recommendations", f"{one}/discuss", meeting=meeting)
    killed(stack, "recommendations")
    secretariat.send("recommendations", f"{one}/adopt", meeting=meeting, status="verified")
    session = 100 + number % 800
    secretariat.send("recommendations", "/sessions", session=session, starts_on="2020-11-04")
    secretariat.send("recommendations", f"{one}/transmit", session=session, on="2020-10-01")
    secretariat.send("recommendations", f"{one}/dispose", session=session, outcome="endorsed", on="2020-11-06")
    secretariat.send(
        "recommendations", f"{one}/follow-up", progress="implemented", evidence={"text": "Synthetic"}, on="2021"
    )
    return reference


def mail_about(stack: Stack, reference: str) -> list[Any]:
    """Return the emails to this test's subscriber about a recommendation; there may be other subscribers."""
    emails = [email.message_from_bytes(file.read_bytes(), policy=policy.default) for file in stack.mail.glob("*.eml")]
    return [each for each in emails if ADDRESS in each["To"] and reference in each.get_content()]


def consumed_history(stack: Stack) -> list[KafkaRecord]:
    """Return each event on the topics of traces once, in stream order."""
    trust = log_trust(stack.home)
    events = [decode_record(record, trust) for record in everything_on(stack.kafka, "recommendations", "meetings")]
    unique = {event.key: event for event in events if isinstance(event, ConsumedEvent)}
    return [_record(unique[key]) for key in sorted(unique)]


def _record(event: ConsumedEvent) -> KafkaRecord:
    topic, partition, offset = event.origin.rsplit("/", 2)
    headers = headers_of(event.position, event.leaf, event.proof)
    return KafkaRecord(topic, int(partition), int(offset), event.recorded.subject.encode(), event.raw, headers)


@pytest.fixture(scope="module")
def travelled(stack: Stack) -> tuple[Desk, str]:
    """One complete journey, with a subscriber to the adoption."""
    secretariat, key, number = Desk(stack), uuid4().hex[:8], uuid4().int % 90_000 + 1
    secretariat.send(
        "notifications", "/subscriptions", subscription=f"s-{key}", details={"name": NAME, "address": ADDRESS},
        events=["RecommendationAdopted"],
    )  # fmt: skip
    secretariat.query("notifications", f"/subscriptions/s-{key}", at_least=1, wait=20)
    killed(stack, "notifications")
    membership = a_membership(stack, secretariat, key)
    meeting = a_meeting(stack, secretariat, key, membership)
    return secretariat, a_recommendation(stack, secretariat, number, meeting)


def test_the_trace_reaches_from_the_mandate_to_the_evidence(travelled: tuple[Desk, str]):
    secretariat, reference = travelled
    answer = secretariat.query("recommendations", f"/traces/{reference}", at_least=7, wait=20)
    trace = answer["trace"]
    assert (trace["coverage"], trace["recommendation"]["standing"]) == ("deep", "disposed")
    assert [mandate["standing"] for mandate in trace["mandates"]] == ["live"]
    adoption = next(step for step in trace["work"] if step["role"] == "adoption")
    assert (adoption["members"], adoption["in_room"], adoption["on"]) == (["FJI"], 1, "2020-03-01")
    assert [document["accessible"] for document in adoption["documents"]] == ["yes"]
    assert trace["dispositions"][0]["outcome"] == "endorsed"
    assert answer["today"]["stalled"] == {}


def test_the_live_trace_equals_the_trace_replayed_from_kafka_byte_for_byte(stack: Stack, travelled: tuple[Desk, str]):
    secretariat, _ = travelled
    rebuilt = replayed(consumed_history(stack), log_trust(stack.home))
    live = secretariat.query("recommendations", "/traces", limit=1000)["items"]
    assert {trace["recommendation"]["reference"]: trace_bytes(trace) for trace in live} == rebuilt
    assert rebuilt


def test_the_subscriber_is_notified_once_and_a_rebuild_notifies_nobody(stack: Stack, travelled: tuple[Desk, str]):
    secretariat, reference = travelled
    secretariat.query_until(
        "notifications",
        "/notifications",
        lambda page: bool(page["items"] and mail_about(stack, reference)),
        standing="delivered",
        stream=f"recommendation/{reference}",
    )
    before = len(list(stack.mail.glob("*.eml")))
    operator = Desk(stack, "operator")
    for service in stack.services:
        assert operator.rebuilt(service)
    assert len(mail_about(stack, reference)) == 1
    assert len(list(stack.mail.glob("*.eml"))) == before


def test_no_name_and_no_address_reached_a_topic_or_a_log(stack: Stack, travelled: tuple[Desk, str]):
    assert travelled
    values = [record.value or b"" for record in everything_on(stack.kafka, *stack.services)]
    logs = [file.read_bytes() for file in Path(stack.home / "logs").glob("*.log")]
    for secret, content in itertools.product((NAME, ADDRESS), [*values, *logs]):
        assert secret.encode() not in content
