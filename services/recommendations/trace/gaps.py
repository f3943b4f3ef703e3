"""The sections `coverage` and `gaps`: the reach of the thread, and an auditor's first questions, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal

from shared.domain.dates import in_words

Coverage = Literal["uncovered", "shallow", "deep"]


def coverage(trace: dict[str, Any]) -> Coverage:
    """Return the reach of the thread: a live mandate; from there to a known disposition and evidence."""
    if not any(mandate["standing"] == "live" for mandate in trace["mandates"]):
        return "uncovered"
    decided = any(disposition["outcome"] != "unknown" for disposition in trace["dispositions"])
    return "deep" if decided and any("evidence" in item for item in trace["follow_up"]) else "shallow"


def gaps(trace: dict[str, Any]) -> list[str]:
    """Return the missing and uncertain facts, in plain words."""
    return [
        *_mandate_gaps(trace["mandates"]),
        *_adoption_gaps(trace["work"]),
        *_committee_gaps(trace["transmission"], trace["dispositions"]),
        *_follow_up_gaps(trace["follow_up"]),
        *_unverified(trace),
    ]


def _mandate_gaps(mandates: list[dict[str, Any]]) -> Iterable[str]:
    if not mandates:
        yield "It cites no mandate."
    elif not any(mandate["standing"] == "live" for mandate in mandates):
        yield "None of the mandates that it cites is live."
    for mandate in mandates:
        for why in mandate.get("why", ()):
            by, on = why.get("cite", why["superseded_by"]), in_words(why.get("on"))
            yield (
                f"The citation of {mandate['cite']} is suspect: superseded by {by} on {on} ({why['status']}), "
                "and not reconfirmed."
            )


def _adoption_gaps(work: list[dict[str, Any]]) -> Iterable[str]:
    adoptions = [step for step in work if step["role"] == "adoption"]
    if not adoptions:
        yield "Its adoption is not on record."
    for step in adoptions:
        if "meeting" not in step:
            yield "The record does not say at which meeting it was adopted, or whether it was."


def _committee_gaps(transmission: list[dict[str, Any]], dispositions: list[dict[str, Any]]) -> Iterable[str]:
    if not transmission:
        yield "It has not been transmitted to the Committee."
    disposed = {item["session"]: item["outcome"] for item in dispositions}
    for item in transmission:
        session = item["session"]
        if "on" not in item and "session_starts_on" not in item:
            yield f"On what date it was transmitted to session {session} is unknown, and so are the mandates then live."
        elif "on" not in item:
            yield f"The date of its transmission to session {session} is not on record; the first day is taken."
        if session not in disposed:
            yield f"No disposition of session {session} is on record."
        elif disposed[session] == "unknown":
            yield f"What session {session} of the Committee did with it is not known: an open gap."


def _follow_up_gaps(follow_up: list[dict[str, Any]]) -> Iterable[str]:
    if not follow_up:
        yield "No follow-up is on record."
    elif not any("evidence" in item for item in follow_up):
        yield "No follow-up has evidence."


_SECTIONS = {
    "mandates": ("citation", "citations"),
    "work": ("step of the work", "steps of the work"),
    "transmission": ("transmission", "transmissions"),
    "dispositions": ("disposition", "dispositions"),
    "follow_up": ("follow-up", "follow-ups"),
}


def _unverified(trace: dict[str, Any]) -> Iterable[str]:
    for section, (one, many) in _SECTIONS.items():
        items = trace[section]
        doubtful = Counter(item["status"] for item in items if item["status"] != "verified")
        if doubtful:
            count = sum(doubtful.values())
            kinds = ", ".join(f"{number} {status}" for status, number in sorted(doubtful.items()))
            yield f"Not verified: {count} of {len(items)} {one if len(items) == 1 else many} ({kinds})."
