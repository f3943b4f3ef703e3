"""The sections `transmission`, `dispositions`, `follow_up` and `lineage`: the outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.recommendations.domain.naming import evidence_streams
from services.recommendations.domain.recorded_fact import RecordedFact
from services.recommendations.domain.state import Recommendation
from services.recommendations.domain.texts import Texts, number_of
from services.recommendations.trace.mandates import doubles
from services.recommendations.trace.provenance import ProvenanceTracker, certainty, known_fields
from shared.events.recommendations import RecommendationTransmitted
from shared.events.values import Evidence

Dated = Sequence[tuple[RecordedFact[RecommendationTransmitted], str | None]]


def transmissions(state: Recommendation, tracker: ProvenanceTracker) -> Dated:
    """Return the transmissions up to the window's day, each with its day: the session's first, where it has none."""
    dated = [(item, item.data.on or _starts_on(item.data.session, tracker)) for item in state.transmitted]
    return [(item, day) for item, day in dated if tracker.window.sees(day)]


def _starts_on(session: int, tracker: ProvenanceTracker) -> str | None:
    recorded = tracker.recorded(f"session/{session}")
    starts_on: str | None = recorded.data.starts_on if recorded else None
    return starts_on


def transmission(sent: Dated, texts: Texts, tracker: ProvenanceTracker) -> list[dict[str, Any]]:
    """Return its transmissions to sessions."""
    items: list[dict[str, Any]] = []
    for item, day in sent:
        session = _session(item.data.session, tracker)
        statement = f"transmission/{len(items)}"
        tracker.own_fact(statement, item)
        _behind_session(statement, item.data.session, tracker)
        items.append(
            known_fields(
                session=item.data.session,
                session_starts_on=session.get("starts_on"),
                session_ends_on=session.get("ends_on"),
                level=session.get("level"),
                text_version=number_of(item, texts),
                document_symbol=item.data.document_symbol,
                symbol_status=item.data.symbol_status,
                on=item.data.on,
                dated=tracker.window.mark(day),
                **certainty(item.data),
            )
        )
    return items


def dispositions(state: Recommendation, sent: Dated, texts: Texts, tracker: ProvenanceTracker) -> list[dict[str, Any]]:
    """Return the Committee's dispositions; the session's last day dates one without a day.

    `transmission` is the place, in that section, of the one disposed of, and `text_version` its text version.
    """
    numbers = {item.versions[0]: number_of(item, texts) for item in state.transmitted}
    places = {item.versions[0]: place for place, (item, _) in enumerate(sent)}
    items: list[dict[str, Any]] = []
    for item in state.disposed:
        data, of = item.data, item.transmission or 0
        session = _session(data.session, tracker)
        day = data.on or session.get("ends_on") or session.get("starts_on")
        if not tracker.window.sees(day):
            continue
        statement = f"dispositions/{len(items)}"
        tracker.own_fact(statement, item)
        _behind_session(statement, data.session, tracker)
        paragraph = f", para. {data.paragraph}" if data.paragraph else ""
        items.append(
            known_fields(
                session=data.session,
                transmission=places.get(of),
                text_version=numbers.get(of),
                outcome=data.outcome,
                on=data.on,
                citation=f"{data.report_symbol}{paragraph}" if data.report_symbol else None,
                symbol_status=data.symbol_status,
                dated=tracker.window.mark(day),
                **certainty(data),
            )
        )
    return items


def follow_up(state: Recommendation, tracker: ProvenanceTracker) -> list[dict[str, Any]]:
    """Return the reported follow-ups, each with its evidence."""
    items: list[dict[str, Any]] = []
    for item in state.followed_up:
        data = item.data
        if not tracker.window.sees(data.on):
            continue
        statement = f"follow_up/{len(items)}"
        tracker.own_fact(statement, item)
        items.append(
            known_fields(
                action=data.action,
                progress=data.progress,
                responsible=data.responsible,
                evidence=_evidence(statement, data.evidence, tracker),
                on=data.on,
                due=data.due,
                dated=tracker.window.mark(data.on),
                **certainty(data),
            )
        )
    return items


def lineage(state: Recommendation, tracker: ProvenanceTracker) -> dict[str, Any]:
    """Return its relations to other recommendations, and the instruments that carried it."""
    sections: dict[str, list[Any]] = {}
    for names, items in (
        (("by", "supersedes"), state.superseded),
        (("into", "absorbs"), state.merged),
        (("into", "split_from"), state.split),
    ):
        for item in items:
            _add_lineage(sections, names, item, tracker)
    for carried in state.carried:
        if tracker.window.sees(carried.data.on):
            _carry(sections, carried, tracker)
    if state.withdrawn is not None and tracker.window.sees(state.withdrawn.data.on):
        tracker.own_fact("lineage", state.withdrawn)
        sections["withdrawn"] = [{"reason": state.withdrawn.data.reason} | _relation(state.withdrawn.data, tracker)]
    return sections


_WORDS = {
    "RecommendationSuperseded.by": "superseded_by",
    "RecommendationSuperseded.supersedes": "supersedes",
    "RecommendationMerged.into": "merged_into",
    "RecommendationMerged.absorbs": "absorbs",
    "RecommendationSplit.into": "split_into",
    "RecommendationSplit.split_from": "split_from",
}


def _add_lineage(
    sections: dict[str, list[Any]], names: tuple[str, ...], item: RecordedFact[Any], tracker: ProvenanceTracker
) -> None:
    if not tracker.window.sees(item.data.on):
        return
    tracker.own_fact("lineage", item)
    for name in names:
        value = getattr(item.data, name)
        if value is not None:
            others = [value] if isinstance(value, str) else list(value)
            words = _WORDS[f"{type(item.data).__name__}.{name}"]
            relation = _relation(item.data, tracker)
            sections.setdefault(words, []).extend({"reference": other} | relation for other in others)


def _relation(data: Any, tracker: ProvenanceTracker) -> dict[str, Any]:
    return known_fields(on=data.on, dated=tracker.window.mark(data.on), **certainty(data))


def _carry(sections: dict[str, list[Any]], item: RecordedFact[Any], tracker: ProvenanceTracker) -> None:
    tracker.own_fact("lineage", item)
    data = item.data
    others = None
    if (instrument := tracker.instrument(data.instrument)) is not None:
        tracker.note("lineage", f"instrument/{data.instrument}", instrument.registered.versions)
        others = doubles("lineage", data.instrument, instrument, tracker)
    sections.setdefault("carried_by", []).append(
        known_fields(
            instrument=data.instrument,
            cite=tracker.cite(data.instrument),
            also_registered_as=others or None,
            **_relation(data, tracker),
        )
    )


def sessions(trace: Mapping[str, Any], tracker: ProvenanceTracker) -> dict[int, dict[str, Any]]:
    """Return what is on record of the sessions of the transmissions and dispositions of a trace."""
    named = [item["session"] for section in ("transmission", "dispositions") for item in trace[section]]
    return {session: _session(session, tracker) for session in named}


def _session(session: int, tracker: ProvenanceTracker) -> dict[str, Any]:
    recorded = tracker.recorded(f"session/{session}")
    return {} if recorded is None else recorded.data.model_dump(mode="json", exclude_none=True)


def _behind_session(statement: str, session: int, tracker: ProvenanceTracker) -> None:
    recorded = tracker.recorded(f"session/{session}")
    if recorded is not None:
        tracker.note(statement, f"session/{session}", recorded.versions)


def _evidence(statement: str, evidence: Evidence | None, tracker: ProvenanceTracker) -> dict[str, Any] | None:
    if evidence is None:
        return None
    shown = evidence.model_dump(mode="json", exclude_none=True)
    for stream in evidence_streams(evidence):
        if stream.startswith("meeting/"):
            meeting = tracker.meeting(stream.partition("/")[2])
            if meeting is not None and tracker.window.sees(meeting.day):
                tracker.note(statement, stream, meeting.versions)
                known = {"title": meeting.title, "starts_at": meeting.starts_at, "status": meeting.status or "unknown"}
                shown |= known_fields(**known, dated=tracker.window.mark(meeting.day))
        elif (recorded := tracker.recorded(stream)) is not None:
            day = getattr(recorded.data, "starts_on", None) or getattr(recorded.data, "year", None)
            if tracker.window.sees(day):
                tracker.note(statement, stream, recorded.versions)
                shown |= recorded.data.model_dump(mode="json", exclude_none=True)
                shown |= known_fields(dated=tracker.window.mark(day))
    return shown
