"""The sections `coverage` and `gaps`: the reach of the thread, and an auditor's first questions, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from typing import Any, Literal

from services.recommendations.trace.contradictions import Sessions, contradictions
from shared.domain.dates import in_words
from shared.events.values import earliest_day, latest_day
from shared.events.words import NO_DECISION

Coverage = Literal["uncovered", "shallow", "deep"]


def coverage(trace: dict[str, Any]) -> Coverage:
    """Return the reach of the thread: a live mandate; from there to a decision of the Committee and evidence."""
    if not any(mandate["standing"] == "live" for mandate in trace["mandates"]):
        return "uncovered"
    decided = any(disposition["outcome"] not in NO_DECISION for disposition in trace["dispositions"])
    return "deep" if decided and any("evidence" in item for item in trace["follow_up"]) else "shallow"


def gaps(trace: dict[str, Any], of_texts: Iterable[str], sessions: Sessions) -> list[str]:
    """Return the missing and uncertain facts, in plain words, with those of the text versions."""
    return [
        *_mandate_gaps(trace["mandates"]),
        *dict.fromkeys(_register_gaps(trace)),
        *_adoption_gaps(trace["work"]),
        *of_texts,
        *_committee_gaps(trace["transmission"], trace["dispositions"]),
        *_follow_up_gaps(trace["follow_up"]),
        *_early_follow_up_gaps(trace["follow_up"], trace["dispositions"], sessions),
        *contradictions(trace, sessions),
        *_unverified(trace),
    ]


def _mandate_gaps(mandates: list[dict[str, Any]]) -> Iterable[str]:
    if not mandates:
        yield "It cites no mandate."
    elif not any(mandate["standing"] == "live" for mandate in mandates):
        yield "None of the mandates that it cites is live."
    for mandate in mandates:
        if mandate["standing"] == "void":
            yield f"The citation of {mandate['cite']} is void: {mandate['provision']} is not on record, or no longer."
        for why in mandate.get("why", ()):
            by, on = why.get("cite", why["superseded_by"]), in_words(why.get("on"))
            yield (
                f"The citation of {mandate['cite']} is suspect: superseded by {by} on {on} ({why['status']}), "
                "and not reconfirmed."
            )


def _register_gaps(trace: dict[str, Any]) -> Iterable[str]:
    for item in (*trace["mandates"], *trace["lineage"].get("carried_by", ())):
        for other in item.get("also_registered_as", ()):
            names = " and ".join(sorted((item["instrument"], other["instrument"])))
            yield f"{item['cite']} is on record twice, as {names}: what rests on the one does not show for the other."
        for fact in (*item.get("why", ()), *item.get("reconfirmed", ())):
            if "mutual" in fact:
                by = fact.get("cite", fact["superseded_by"])
                yield f"{item['cite']} and {by} are on record as superseding each other."


def _adoption_gaps(work: list[dict[str, Any]]) -> Iterable[str]:
    adoptions = [step for step in work if step["role"] == "adoption"]
    if not adoptions:
        yield "Its adoption is not on record."
    for step in adoptions:
        if "meeting" not in step:
            yield "The record does not say at which meeting it was adopted, or whether it was."
        if "outcome_standing" in step:
            where = step.get("title", step["meeting"])
            yield f"The decision {step['outcome']} of {where}, on which it was adopted, is not on record, or no longer."


def _committee_gaps(transmission: list[dict[str, Any]], dispositions: list[dict[str, Any]]) -> Iterable[str]:
    if not transmission:
        yield "It has not been transmitted to the Committee."
    disposed: dict[int | None, list[dict[str, Any]]] = {}
    for item in dispositions:
        disposed.setdefault(item.get("transmission"), []).append(item)
    for place, item in enumerate(transmission):
        session = item["session"]
        if "on" not in item and "session_starts_on" not in item:
            yield f"On what date it was transmitted to session {session} is unknown, and so are the mandates then live."
        elif "on" not in item:
            yield f"The date of its transmission to session {session} is not on record; the first day is taken."
        if place not in disposed:
            yield f"No disposition of session {session} is on record."
        elif place == len(transmission) - 1:
            yield from _open_end(disposed[place][-1])
    for item in dispositions:
        if item["outcome"] == "unknown":
            yield f"What session {item['session']} of the Committee did with it is not known: an open gap."
        if "transmission" not in item:
            yield f"No transmission is on record for the disposition of session {item['session']}."


def _open_end(last: dict[str, Any]) -> Iterable[str]:
    """Yield what should follow the last disposition of the last transmission."""
    session = f"Session {last['session']} of the Committee"
    if last["outcome"] == "deferred":
        yield f"{session} deferred it, and no later disposition is on record."
    elif last["outcome"] == "returned":
        yield f"{session} returned it, and no later transmission is on record."


def _follow_up_gaps(follow_up: list[dict[str, Any]]) -> Iterable[str]:
    if not follow_up:
        yield "No follow-up is on record."
    elif not any("evidence" in item for item in follow_up):
        yield "No follow-up has evidence."


def _early_follow_up_gaps(
    follow_up: list[dict[str, Any]], dispositions: list[dict[str, Any]], sessions: Sessions
) -> Iterable[str]:
    """Yield the follow-ups before any decision of the Committee: all, where none is on record."""
    decided = [item for item in dispositions if item["outcome"] not in NO_DECISION]
    if follow_up and not decided:
        yield "A follow-up is on record, and no decision of the Committee."
    days = [_day_of(item, sessions) for item in decided]
    first = min((earliest_day(day) for day in days if day), default=None)
    if first is None or None in days:
        return
    early = sum("on" in item and latest_day(item["on"]) < first for item in follow_up)
    if early:
        of = f"{len(follow_up)} follow-ups" if len(follow_up) > 1 else "1 follow-up"
        yield f"Before any decision of the Committee: {early} of {of}."


def _day_of(disposition: dict[str, Any], sessions: Sessions) -> str | None:
    """Return the day of a disposition: its own, else the last day of its session."""
    session = sessions[disposition["session"]]
    day: str | None = disposition.get("on") or session.get("ends_on") or session.get("starts_on")
    return day


_SECTIONS = {
    "mandates": ("citation", "citations"),
    "work": ("step of the work", "steps of the work"),
    "transmission": ("transmission", "transmissions"),
    "dispositions": ("disposition", "dispositions"),
    "follow_up": ("follow-up", "follow-ups"),
    "lineage": ("fact of its lineage", "facts of its lineage"),
}


def _unverified(trace: dict[str, Any]) -> Iterable[str]:
    of_lineage = list(chain.from_iterable(trace["lineage"].values()))
    for section, (one, many) in _SECTIONS.items():
        items = of_lineage if section == "lineage" else trace[section]
        doubtful = Counter(item["status"] for item in items if item["status"] != "verified")
        if doubtful:
            count = sum(doubtful.values())
            kinds = ", ".join(f"{number} {status}" for status, number in sorted(doubtful.items()))
            yield f"Not verified: {count} of {len(items)} {one if len(items) == 1 else many} ({kinds})."
