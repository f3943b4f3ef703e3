"""One full example of each event of the notifications service. Synthetic: nobody subscribed, nothing was sent."""

from __future__ import annotations

from shared.events import notifications as s
from shared.events.event import Event
from shared.privacy.key_ring import encrypt
from tests.contracts.examples.common import CERTAIN, ENCRYPTION_KEY

SEALED = encrypt(ENCRYPTION_KEY, "synthetic-reader", {"name": "Synthetic Reader", "address": "synthetic@example.org"})

EXAMPLES: dict[str, Event] = {
    "SubscriptionAdded": s.SubscriptionAdded(
        subscription="synthetic-subscription",
        person="synthetic-reader",
        sealed=SEALED,
        events=("RecommendationAdopted", "CommitteeDispositionRecorded"),
        **CERTAIN,
    ),
    "SubscriptionRemoved": s.SubscriptionRemoved(**CERTAIN),
    "NotificationPlanned": s.NotificationPlanned(
        notification="synthetic-notification",
        subscription="synthetic-subscription",
        event_id="0190f000-0000-7000-8000-000000000001",
        event_type="throughline.recommendations.RecommendationAdopted.v1",
        stream="recommendation/SYN/2031/R1",
        stream_version=3,
        **CERTAIN,
    ),
    "NotificationAttempted": s.NotificationAttempted(attempt=1, **CERTAIN),
    "NotificationDelivered": s.NotificationDelivered(attempt=1, smtp_code=250, **CERTAIN),
    "NotificationFailed": s.NotificationFailed(
        attempt=2, reason="rejected_recipient", temporary=False, smtp_code=550, **CERTAIN
    ),
    "NotificationFailed.erased": s.NotificationFailed(attempt=2, reason="person_erased", temporary=False),
    "NotificationUncertain": s.NotificationUncertain(attempt=3, reason="no_answer", **CERTAIN),
    "SubscriberErased": s.SubscriberErased(
        person="synthetic-reader", reason="Synthetic request of the person", **CERTAIN
    ),
    "RecordCorrected": s.RecordCorrected(
        corrects=2,
        data={"attempt": 1, "smtp_code": 251},
        data_type="throughline.notifications.NotificationDelivered.v1",
        reason="A synthetic slip of the pen.",
        **CERTAIN,
    ),
    "RecordVoided": s.RecordVoided(voids=3, reason="Entered in the wrong synthetic stream.", **CERTAIN),
}
