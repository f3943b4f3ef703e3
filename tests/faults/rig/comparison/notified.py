"""G6: at most one mail for each event and recipient, exactly one if delivered; a person sees the uncertain ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from services.notifications.domain.notification import NOTIFICATION
from shared.domain.voids import Void
from shared.events.catalogue import Recorded
from shared.events.notifications import SubscriptionAdded, SubscriptionRemoved
from tests.faults.rig.client import Client
from tests.faults.rig.comparison.evidence import Evidence, Mail, holding
from tests.faults.rig.comparison.findings import Findings, repeated

SERVICE = "notifications"
OPEN = {"planned", "attempted", "postponed"}


def compare(evidence: Evidence, person: Client, findings: Findings) -> None:
    """Compare the mails that the SMTP server accepted with the notifications, and these with the subscriptions."""
    states = _states(evidence)
    findings.count("mails", SERVICE, len(evidence.mail))
    findings.double(*(f"a second mail of one notification: {mail}" for mail in repeated(evidence.mail)))
    planned = [_event_and_subscription(state) for state in states.values()]
    findings.double(*(f"event and subscription planned twice: {pair}" for pair in repeated(planned)))
    _check_mails(states, evidence.mail, findings)
    _check_subscribers(evidence, set(planned), findings)
    _check_uncertain(states, person, findings)


def _states(evidence: Evidence) -> dict[str, Any]:
    events: dict[str, list[Recorded]] = {}
    for (stream, _), event in sorted(evidence.recorded(SERVICE).items()):
        if stream.startswith("notification/"):
            events.setdefault(stream.partition("/")[2], []).append(event)
    return {key: NOTIFICATION.fold(recorded) for key, recorded in events.items()}


def _event_and_subscription(state: Any) -> tuple[str, str]:
    planned = state.recorded if isinstance(state, Void) else state.planned.model_dump()
    return planned["event_id"], planned["subscription"]


def _check_mails(states: dict[str, Any], mail: Iterable[Mail], findings: Findings) -> None:
    sent = {message.notification for message in mail}
    findings.double(*(f"a mail of no notification on record: {key}" for key in sent - states.keys()))
    for key, state in states.items():
        if state.stage in OPEN:
            findings.stick(f"notification {key} is {state.stage}")
        elif state.stage == "delivered" and key not in sent:
            findings.lose(f"notification {key} is recorded as delivered, and there is no mail")
        elif state.stage in ("failed", "void") and key in sent:
            findings.double(f"notification {key} is recorded as not sent, and there is a mail")
        elif state.stage == "failed" and state.failed.reason != "subscription_ended":
            findings.lose(f"notification {key} has failed: {state.failed.reason}")
    stages = [state.stage for state in states.values()]
    for stage in ("delivered", "uncertain", "failed"):
        findings.count(f"  notifications {stage}", SERVICE, stages.count(stage))


def _check_subscribers(evidence: Evidence, planned: set[tuple[str, str]], findings: Findings) -> None:
    """Check that each subscriber at the time of an event who still subscribes was notified of it."""
    subscriptions = holding(evidence.recorded(SERVICE).values())
    added = [event for event in subscriptions if isinstance(event.data, SubscriptionAdded)]
    removed = {e.subject for e in evidence.recorded(SERVICE).values() if isinstance(e.data, SubscriptionRemoved)}
    for service in ("nominations", "meetings", "recommendations"):
        for event in holding(evidence.recorded(service).values()):
            for subscription in added:
                assert isinstance(subscription.data, SubscriptionAdded)
                wanted = type(event.data).__name__ in subscription.data.events and event.time > subscription.time
                key = subscription.data.subscription
                if wanted and subscription.subject not in removed and (event.id, key) not in planned:
                    findings.lose(f"{key} was not notified of {event.subject} version {event.streamversion}")


def _check_uncertain(states: dict[str, Any], person: Client, findings: Findings) -> None:
    """Check that a person is shown each uncertain notification."""
    page = person.read(SERVICE, "/notifications", standing="uncertain", limit=1000)
    listed = {item["stream"].partition("/")[2] for item in page["items"]} if page else set()
    for key, state in states.items():
        if state.stage == "uncertain" and key not in listed:
            findings.lose(f"notification {key} is uncertain, and no person is shown it")
