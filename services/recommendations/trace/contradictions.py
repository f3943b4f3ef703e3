"""Contradictions in time between the facts of a trace, in words. Each fact was recorded as it was given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, TypeAlias

from shared.domain.dates import in_words
from shared.domain.single_facts import is_before
from shared.domain.terms import outside_term

Sessions: TypeAlias = Mapping[int, Mapping[str, Any]]
"""The sessions of the Committee that a trace names, with the fields that are on record."""


def contradictions(trace: dict[str, Any], sessions: Sessions) -> list[str]:
    """Return what cannot have been in the order of its dates, each once; a date known in part contradicts no other."""
    sections = (_of_mandates, _of_the_priority, _of_meetings, _of_stages, _of_adoption)
    sentences = chain.from_iterable(section(trace) for section in sections)
    return list(dict.fromkeys([*sentences, *_of_sessions(sessions), *_of_the_committee(trace, sessions)]))


def _of_mandates(trace: dict[str, Any]) -> Iterator[str]:
    for mandate in trace["mandates"]:
        cited_on, adopted_on = mandate.get("cited_on"), mandate.get("adopted_on")
        if _precedes(cited_on, adopted_on):
            yield (
                f"{mandate['cite']} was cited on {in_words(cited_on)}, before it was adopted on {in_words(adopted_on)}."
            )


def _of_the_priority(trace: dict[str, Any]) -> Iterator[str]:
    priority = trace.get("priority", {})
    begins, ends = priority.get("timeline_from"), priority.get("timeline_to")
    if _precedes(ends, begins):
        yield f"The timeline of its priority ends on {in_words(ends)}, before it begins on {in_words(begins)}."
    selected, closed = priority.get("selected_on"), priority.get("closed", {}).get("on")
    if _precedes(closed, selected):
        yield f"Its priority was closed on {in_words(closed)}, before it was selected on {in_words(selected)}."


def _of_meetings(trace: dict[str, Any]) -> Iterator[str]:
    for step in trace["work"]:
        starts, ends, title = step.get("starts_at"), step.get("ends_at"), step.get("title")
        if _precedes(ends, starts):
            yield f"The meeting {title} ends on {in_words(ends)}, before it starts on {in_words(starts)}."
        for entry in step.get("outside_term", ()):
            yield from outside_term(entry, title, starts)


_STEPS = {"origin": "came from", "discussion": "was discussed at", "adoption": "was adopted at"}


def _of_stages(trace: dict[str, Any]) -> Iterator[str]:
    """Yield the steps at meetings that did not take place by the record; an adoption is of a meeting that was held."""
    for step in trace["work"]:
        took_place, stage = f"{_STEPS[step['role']]} {step.get('title')}", step.get("meeting_standing")
        if stage == "cancelled":
            yield f"It {took_place}, which was cancelled."
        elif stage == "proposed" or (stage == "convened" and step["role"] == "adoption"):
            yield f"It {took_place}, which is only {stage}."


def _of_adoption(trace: dict[str, Any]) -> Iterator[str]:
    drafted = trace["recommendation"].get("drafted_on")
    for step in trace["work"]:
        on, verb = step.get("on"), {"adoption": "adopted", "discussion": "discussed"}.get(step["role"])
        if verb is None or on is None:
            continue
        if _precedes(on, step.get("starts_at")):
            yield f"It was {verb} on {in_words(on)}, before its meeting of {in_words(step['starts_at'])}."
        if _precedes(step.get("ends_at"), on):
            yield f"It was {verb} on {in_words(on)}, after its meeting ended on {in_words(step['ends_at'])}."
        if _precedes(on, drafted):
            yield f"It was {verb} on {in_words(on)}, before it was drafted on {in_words(drafted)}."


def _of_sessions(sessions: Sessions) -> Iterator[str]:
    for session, known in sessions.items():
        starts, ends = known.get("starts_on"), known.get("ends_on")
        if _precedes(ends, starts):
            yield f"Session {session} ends on {in_words(ends)}, before it starts on {in_words(starts)}."


def _of_the_committee(trace: dict[str, Any], sessions: Sessions) -> Iterator[str]:
    for item in trace["transmission"]:
        on, to = item.get("on"), f"to session {item['session']}"
        if _precedes_all(on, adopted := _days_of_adoption(trace["work"], item["text_version"])):
            yield f"It was transmitted {to} on {in_words(on)}, before its adoption on {in_words(min(adopted))}."
        if _precedes(ends := sessions[item["session"]].get("ends_on"), on):
            yield f"It was transmitted {to} on {in_words(on)}, after that session ended on {in_words(ends)}."
    for item in trace["dispositions"]:
        on, session = item.get("on"), item["session"]
        place = item.get("transmission")
        of = trace["transmission"] if place is None else [trace["transmission"][place]]
        if _precedes_all(on, [each.get("on") for each in of]):
            yield f"Session {session} disposed of it on {in_words(on)}, before it was transmitted."
        if _precedes(on, begins := sessions[session].get("starts_on")):
            yield f"Session {session} disposed of it on {in_words(on)}, before it began on {in_words(begins)}."


def _days_of_adoption(work: Iterable[dict[str, Any]], text_version: int) -> list[Any]:
    """Return the days of the adoption that a transmitted text version rests on: the latest up to it, else of all."""
    adoptions = [step for step in work if step["role"] == "adoption"]
    number = max((step["text_version"] for step in adoptions if step["text_version"] <= text_version), default=None)
    return [step.get("on") or step.get("starts_at") for step in adoptions if number in (None, step["text_version"])]


def _precedes(earlier: str | None, later: str | None) -> bool:
    return earlier is not None and later is not None and is_before(earlier, later)


def _precedes_all(earlier: str | None, later: Iterable[str | None]) -> bool:
    """Tell whether a date lies before every one of some, none of them unknown."""
    dates = list(later)
    return bool(dates) and all(_precedes(earlier, each) for each in dates)
