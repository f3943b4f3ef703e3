"""Subscriptions: the events that can be subscribed to, and the order of commands."""

import pytest
from pydantic import ValidationError

from services.notifications.commands import AddSubscription, RemoveSubscription, SubscriberDetails
from services.notifications.domain.rules import SubscriptionNamesUnknownEvent
from services.notifications.domain.subscription import ANNOUNCED_EVENTS, SUBSCRIPTION
from shared.domain.rejections import OutOfOrder
from shared.events.catalogue import EVENTS
from shared.events.event import Event
from shared.events.notifications import RecordCorrected, SubscriptionRemoved
from tests.given import Given, given
from tests.notifications.synthetic import SUBSCRIBER, SUBSCRIPTION_STREAM, added, sealed


def subscription(*events: Event) -> Given:
    return given(SUBSCRIPTION, SUBSCRIPTION_STREAM, *events)


def adding(*events: str) -> AddSubscription:
    return AddSubscription(subscription="s1", person=SUBSCRIBER, sealed=sealed(), events=events)


def test_a_person_is_subscribed_to_events_by_their_names() -> None:
    subscription().when(adding("RecommendationAdopted")).then(added()).then_stage("active")


def test_an_unknown_event_cannot_be_subscribed_to() -> None:
    refusal = subscription().when(adding("RecommendationAdopted", "RecommendationApplauded"))
    assert "RecommendationApplauded" in refusal.then_refused(SubscriptionNamesUnknownEvent).sentence()


@pytest.mark.parametrize("event", [event.__name__ for event in EVENTS.values() if event.service == "notifications"])
def test_notifications_cannot_be_subscribed_to(event: str) -> None:
    if event in ANNOUNCED_EVENTS:
        assert event in {"RecordCorrected", "RecordVoided"}, "only the names that every service has"
    else:
        subscription().when(adding(event)).then_refused(SubscriptionNamesUnknownEvent)


def test_a_subscription_is_added_once() -> None:
    subscription(added()).when(adding("RecommendationAdopted")).then_refused(OutOfOrder)


def test_a_subscription_is_removed_once() -> None:
    subscription(added()).when(RemoveSubscription()).then(SubscriptionRemoved()).then_stage("removed")
    subscription(added(), SubscriptionRemoved()).when(RemoveSubscription()).then_refused(OutOfOrder)
    subscription().when(RemoveSubscription()).then_refused(OutOfOrder)


def test_a_removed_subscription_is_not_revived() -> None:
    subscription(added(), SubscriptionRemoved()).when(adding("RecommendationAdopted")).then_refused(OutOfOrder)


def test_corrected_events_count_from_the_start_of_the_subscription() -> None:
    wishes = added(events=("RecommendationWithdrawn",)).model_dump(mode="json", exclude_none=True)
    before = subscription(added()).state
    after = subscription(added(), RecordCorrected(corrects=1, data=wishes, reason="synthetic slip")).state
    assert after.added.events == ("RecommendationWithdrawn",)
    assert after.added_at == before.added_at
    assert after.versions == (1, 2)


@pytest.mark.parametrize(
    "address",
    [
        "reader",
        "reader@",
        "reader@example..org",
        "reader@-example.org",
        "a b@example.org",
        "reader@example.org\r\nBcc: everybody@example.org",
        "reader@example.org, other@example.org",
        "<reader@example.org>",
        "leser@exämple.org",
        f"{'r' * 250}@example.org",
    ],
)
def test_an_invalid_mail_address_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        SubscriberDetails(name="Synthetic Reader", address=address)


@pytest.mark.parametrize("address", ["o'neil+teg@mail.example.org", "r@localhost", "first.last@xn--exmple-cua.org"])
def test_a_valid_mail_address_is_accepted(address: str) -> None:
    assert SubscriberDetails(name="Synthetic Reader", address=address).address == address
