"""A person is erased once, and the erasure is an event like any other."""

from __future__ import annotations

from typing import Any

import pytest

from services.nominations.commands import EraseExpert
from services.nominations.domain.expert import EXPERT
from services.notifications.commands import EraseSubscriber
from services.notifications.domain.subscriber import SUBSCRIBER
from shared.domain.rejections import OutOfOrder
from shared.events.nominations import ExpertErased
from shared.events.notifications import SubscriberErased
from shared.http.persons import refers_to
from tests.given import given
from tests.http.asking import new_id
from tools.cli.privacy import in_words

KINDS = [
    (EXPERT, "expert/p1", EraseExpert, ExpertErased),
    (SUBSCRIBER, "subscriber/p1", EraseSubscriber, SubscriberErased),
]


@pytest.mark.parametrize(("aggregate", "stream", "command", "event"), KINDS, ids=["expert", "subscriber"])
def test_a_person_is_erased_once(aggregate: Any, stream: str, command: Any, event: Any) -> None:
    erased = event(person="p1", reason="Synthetic request")
    given(aggregate, stream).when(command(reason="Synthetic request")).then(erased).then_stage("erased")
    given(aggregate, stream, erased).when(command(reason="Again")).then_refused(OutOfOrder)


def test_an_event_names_a_stream_in_a_member_called_after_its_kind() -> None:
    attended = {"data": {"membership": "n1", "member": "FJI", "seen": {"stream": "membership/n1", "version": 1}}}
    assert refers_to(attended, "membership/n1")
    assert not refers_to(attended, "membership/n2")
    assert not refers_to(attended, "nomination/n1")
    assert not refers_to({"data": {"replaces": "n1"}}, "membership/n1")
    assert refers_to({"data": {"corrects": 1, "data": {"membership": "n1"}}}, "membership/n1")


def test_held_data_are_reported_in_words() -> None:
    person = new_id("person")
    event = {
        "time": "2031-01-01T00:00:00.000Z",
        "type": "throughline.nominations.NominationSubmitted.v1",
        "streamversion": 1,
        "subject": "nomination/n1",
        "data": {
            "member": "FJI",
            "note_verbale": {"channel": "portal", "reference": "SYN/1"},
            "sealed": {"person": person, "box": "A" * 40},
            "themes": ["Synthetic", "Air"],
        },
    }
    answers = ({"name": "Synthetic Person"}, "[erased]")
    held = {"nominations": {"events": [{"event": event, "opened": opened} for opened in answers]}}
    report = "\n".join(in_words({"person": person, "asked_at": "2031-02-01T00:00:00.000Z", "services": held}))
    assert "NominationSubmitted, version 1 of nomination/n1" in report
    assert "note verbale, reference: SYN/1" in report
    assert "themes: Synthetic, Air" in report
    assert "name (sealed): Synthetic Person" in report
    assert "sealed: [erased]" in report
    assert "AAAA" not in report
