"""The table of consumed topics and notified kinds is complete."""

from services.meetings.projection import OWN as MEETINGS
from services.nominations.projection import OWN as NOMINATIONS
from services.notifications.projection import OWN, TOPICS
from services.notifications.subscribers import ANNOUNCED_KINDS
from services.recommendations.projection import OWN as RECOMMENDATIONS
from shared.ledger.checkpoint_topic import CHECKPOINTS
from tools.deployment.topics import declared


def test_subscribers_may_be_notified_of_every_foreign_kind_of_stream() -> None:
    assert MEETINGS.keys() | NOMINATIONS.keys() | RECOMMENDATIONS.keys() == ANNOUNCED_KINDS


def test_a_notification_leads_to_no_notification() -> None:
    assert OWN.keys() - ANNOUNCED_KINDS == {"notification", "subscription", "subscriber"}


def test_every_topic_of_events_is_consumed() -> None:
    assert set(TOPICS) == declared().partitions.keys() - {CHECKPOINTS}
