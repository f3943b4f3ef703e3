"""Notifications: planned once, attempted by one, answered, and sent again only by a person."""

import pytest

from services.notifications.commands import (
    AttemptNotification,
    PlanNotification,
    ReportDelivered,
    ReportFailed,
    ReportUncertain,
    ResendNotification,
)
from services.notifications.domain.notification import NOTIFICATION
from services.notifications.domain.rules import EventCameBeforeSubscription, NotificationRestsOnUnknownSubscription
from shared.domain.aggregate import Command
from shared.domain.rejections import OutOfOrder
from shared.events.envelope import stamp
from shared.events.event import Event
from shared.events.notifications import NotificationAttempted, SubscriptionRemoved
from tests.given import NOW, Given, given
from tests.notifications.synthetic import (
    NOTIFICATION_STREAM,
    SUBSCRIPTION_STREAM,
    added,
    attempted,
    delivered,
    failed,
    planned,
    postponed,
    subscribed,
    uncertain,
)

LONG_BEFORE, LONG_AFTER = stamp(NOW.replace(year=2020)), stamp(NOW.replace(year=2040))
AT_THE_SAME_MOMENT = subscribed()[SUBSCRIPTION_STREAM].state.added_at
DELIVERED = ReportDelivered(attempt=1, smtp_code=250)
POSTPONED = ReportFailed(attempt=1, reason="unreachable", temporary=True)
FAILED = ReportFailed(attempt=1, reason="rejected_recipient", temporary=False, smtp_code=550)
UNCERTAIN = ReportUncertain(attempt=1, reason="no_answer")


def notification(*events: Event) -> Given:
    return given(NOTIFICATION, NOTIFICATION_STREAM, *events)


def planning(recorded_at: str = LONG_AFTER) -> PlanNotification:
    return PlanNotification(**planned().model_dump(exclude_none=True), recorded_at=recorded_at)


def test_an_event_recorded_after_the_subscription_is_announced() -> None:
    notification().knowing(subscribed()).when(planning()).then(planned()).then_stage("planned")


@pytest.mark.parametrize("recorded_at", [LONG_BEFORE, AT_THE_SAME_MOMENT])
def test_an_event_not_recorded_after_the_subscription_is_not_announced(recorded_at: str) -> None:
    notification().knowing(subscribed()).when(planning(recorded_at)).then_refused(EventCameBeforeSubscription)


def test_nobody_is_notified_without_a_subscription() -> None:
    notification().when(planning()).then_refused(NotificationRestsOnUnknownSubscription)


def test_nobody_is_notified_after_the_subscription_was_removed() -> None:
    removed = subscribed(added(), SubscriptionRemoved())
    notification().knowing(removed).when(planning()).then_refused(OutOfOrder)


def test_one_event_is_planned_once_for_one_subscription() -> None:
    notification(planned()).knowing(subscribed()).when(planning()).then_refused(OutOfOrder)


def test_a_planned_notification_is_attempted_by_one() -> None:
    notification(planned()).when(AttemptNotification()).then(attempted(1)).then_stage("attempted")
    notification(planned(), attempted()).when(AttemptNotification()).then_refused(OutOfOrder)


def test_a_temporary_failure_is_attempted_again() -> None:
    again = notification(planned(), attempted(), postponed()).when(AttemptNotification())
    again.then(attempted(2)).then_stage("attempted")


@pytest.mark.parametrize("end", [delivered(), failed(), uncertain()])
def test_nothing_is_resent_automatically(end: Event) -> None:
    notification(planned(), attempted(), end).when(AttemptNotification()).then_refused(OutOfOrder)


@pytest.mark.parametrize(
    ("report", "event", "stage"),
    [
        (DELIVERED, delivered(), "delivered"),
        (POSTPONED, postponed(), "postponed"),
        (FAILED, failed(), "failed"),
        (UNCERTAIN, uncertain(), "uncertain"),
    ],
)
def test_an_attempt_is_answered(report: Command, event: Event, stage: str) -> None:
    notification(planned(), attempted()).when(report).then(event).then_stage(stage)


@pytest.mark.parametrize("report", [DELIVERED, POSTPONED, FAILED, UNCERTAIN])
def test_only_the_attempt_that_is_open_is_answered(report: Command) -> None:
    notification(planned(), attempted(), postponed(), attempted(2)).when(report).then_refused(OutOfOrder)


@pytest.mark.parametrize("report", [DELIVERED, POSTPONED, FAILED, UNCERTAIN])
@pytest.mark.parametrize("history", [(), (planned(),), (planned(), attempted(), delivered())])
def test_nothing_is_answered_that_is_not_open(history: tuple[Event, ...], report: Command) -> None:
    notification(*history).when(report).then_refused(OutOfOrder)


@pytest.mark.parametrize(
    ("report", "event", "stage"),
    [(DELIVERED, delivered(), "delivered"), (POSTPONED, postponed(), "postponed"), (FAILED, failed(), "failed")],
)
def test_a_certain_answer_replaces_an_uncertain_one(report: Command, event: Event, stage: str) -> None:
    notification(planned(), attempted(), uncertain()).when(report).then(event).then_stage(stage)


@pytest.mark.parametrize("report", [DELIVERED, POSTPONED, FAILED, UNCERTAIN])
def test_no_answer_of_the_attempt_before_a_resend_counts(report: Command) -> None:
    notification(planned(), attempted(), uncertain(), attempted(2)).when(report).then_refused(OutOfOrder)


@pytest.mark.parametrize("end", [failed(), uncertain()])
def test_a_person_may_send_again_what_failed_or_is_uncertain(end: Event) -> None:
    resend = ResendNotification(note="the address was put right")
    again = NotificationAttempted(attempt=2, note="the address was put right")
    notification(planned(), attempted(), end).when(resend).then(again).then_stage("attempted")


@pytest.mark.parametrize("history", [(planned(),), (planned(), attempted()), (planned(), attempted(), delivered())])
def test_a_person_sends_nothing_again_that_is_on_its_way_or_there(history: tuple[Event, ...]) -> None:
    notification(*history).when(ResendNotification()).then_refused(OutOfOrder)


def test_a_postponed_notification_is_not_sent_by_hand() -> None:
    notification(planned(), attempted(), postponed()).when(ResendNotification()).then_refused(OutOfOrder)


def test_events_of_a_notification_that_was_never_planned_change_nothing() -> None:
    assert notification(attempted(), delivered()).state == NOTIFICATION.initial
