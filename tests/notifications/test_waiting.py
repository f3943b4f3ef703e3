"""Mails that wait for a person: uncertain ones, and failed ones to somebody who is still told."""

from __future__ import annotations

import pytest

from services.notifications.domain.notification import NOTIFICATION, waiting
from shared.domain.waiting import as_facet
from shared.events.event import Event
from shared.events.notifications import NotificationFailed
from tests.given import given
from tests.notifications.synthetic import (
    DETAILS,
    NOTIFICATION_STREAM,
    attempted,
    delivered,
    failed,
    planned,
    postponed,
    uncertain,
)


def ended(reason: str) -> NotificationFailed:
    return NotificationFailed.model_validate({"attempt": 1, "reason": reason, "temporary": False})


@pytest.mark.parametrize(
    ("events", "kinds"),
    [
        ((), []),
        ((attempted(),), []),
        ((attempted(), postponed()), []),
        ((attempted(), delivered()), []),
        ((attempted(), uncertain()), ["mail_uncertain"]),
        ((attempted(), failed()), ["mail_failed"]),
        ((attempted(), ended("subscription_ended")), []),
        ((attempted(), ended("person_erased")), []),
        ((attempted(), uncertain(), attempted(2)), []),
        ((attempted(), uncertain(), delivered()), []),
    ],
)
def test_a_mail_waits_while_only_a_person_knows_what_becomes_of_it(events: tuple[Event, ...], kinds: list[str]) -> None:
    state = given(NOTIFICATION, NOTIFICATION_STREAM, planned(), *events).state
    matters = list(waiting(state))
    assert [each.kind for each in matters] == kinds
    assert NOTIFICATION.facets(state)["awaits"] == as_facet(matters)
    assert {each.roles for each in matters} <= {("secretariat",)}


def test_a_matter_names_the_event_and_not_the_recipient() -> None:
    [matter] = waiting(given(NOTIFICATION, NOTIFICATION_STREAM, planned(), attempted(), uncertain()).state)
    assert matter.title == "Mail about RecommendationAdopted of recommendation/CED/2022/R1"
    assert (matter.stream, matter.due) == (NOTIFICATION_STREAM, None)
    assert not any(personal in matter.model_dump_json() for personal in DETAILS.values())


def test_no_mail_on_record_waits_for_nobody() -> None:
    assert list(waiting(given(NOTIFICATION, NOTIFICATION_STREAM).state)) == []
