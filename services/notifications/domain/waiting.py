"""Matters that wait on mails: those whose delivery is uncertain, and those that failed."""

from __future__ import annotations

from shared.domain.waiting import Waiting
from shared.events.notifications import NotificationFailed, NotificationPlanned, NotificationUncertain

KINDS = ("mail_failed", "mail_uncertain")
_TO_NOBODY = frozenset({"subscription_ended", "person_erased"})


def of_uncertain(planned: NotificationPlanned, uncertain: NotificationUncertain, since: str) -> list[Waiting]:
    """Return what waits on a mail that the server may have taken."""
    why = f"The mail server may have taken it ({_words(uncertain.reason)}): ask the recipient, or resend it."
    return [_of(planned, "mail_uncertain", since, why)]


def of_failed(planned: NotificationPlanned, failed: NotificationFailed, since: str) -> list[Waiting]:
    """Return what waits on a mail that the server did not take; nothing where it was to nobody any more."""
    why = f"The mail server did not take it ({_words(failed.reason)}): put the subscription right, or resend it."
    return [] if failed.reason in _TO_NOBODY else [_of(planned, "mail_failed", since, why)]


def _of(planned: NotificationPlanned, kind: str, since: str, why: str) -> Waiting:
    """Return a matter that names the event, never the recipient."""
    event = planned.event_type.split(".")[2]
    return Waiting(
        kind=kind, stream=f"notification/{planned.notification}", title=f"Mail about {event} of {planned.stream}",
        since=since, why=why, roles=("secretariat",),
    )  # fmt: skip


def _words(reason: str) -> str:
    return reason.replace("_", " ")
