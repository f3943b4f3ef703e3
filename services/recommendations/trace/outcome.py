"""The sections that say what became of it: transmission, dispositions, follow-up, lineage."""

from __future__ import annotations

from typing import Any

from services.recommendations.domain.naming import evidence_streams
from services.recommendations.domain.recorded_fact import RecordedFact
from services.recommendations.domain.state import Recommendation
from services.recommendations.trace.reader import ProvenanceTracker, certainty, given
from services.recommendations.trace.window import mark
from shared.events.values import Evidence


def transmission(state: Recommendation, reader: ProvenanceTracker) -> list[dict[str, Any]]:
    """Return the sessions that it went to; where the day is not on record, the session's first day dates it."""
    seen: list[dict[str, Any]] = []
    for item in state.transmitted:
        session = _session(item.data.session, reader)
        day = item.data.on or session.get("starts_on")
        if not reader.window.sees(day):
            continue
        statement = f"transmission/{len(seen)}"
        reader.own_fact(statement, item)
        _behind_session(statement, item.data.session, reader)
        seen.append(
            given(
                session=item.data.session,
                session_starts_on=session.get("starts_on"),
                session_ends_on=session.get("ends_on"),
                level=session.get("level"),
                document_symbol=item.data.document_symbol,
                symbol_status=item.data.symbol_status,
                on=item.data.on,
                dated=mark(reader.window.see(day)),
                **certainty(item.data),
            )
        )
    return seen


def dispositions(state: Recommendation, reader: ProvenanceTracker) -> list[dict[str, Any]]:
    """Return what the Committee did; where the day is not on record, the session's last day dates it."""
    seen: list[dict[str, Any]] = []
    for item in state.disposed:
        data = item.data
        session = _session(data.session, reader)
        day = data.on or session.get("ends_on") or session.get("starts_on")
        if not reader.window.sees(day):
            continue
        statement = f"dispositions/{len(seen)}"
        reader.own_fact(statement, item)
        _behind_session(statement, data.session, reader)
        paragraph = f", para. {data.paragraph}" if data.paragraph else ""
        seen.append(
            given(
                session=data.session,
                outcome=data.outcome,
                on=data.on,
                citation=f"{data.report_symbol}{paragraph}" if data.report_symbol else None,
                symbol_status=data.symbol_status,
                dated=mark(reader.window.see(day)),
                **certainty(data),
            )
        )
    return seen


def follow_up(state: Recommendation, reader: ProvenanceTracker) -> list[dict[str, Any]]:
    """Return what was reported to have been done, each with its evidence."""
    seen: list[dict[str, Any]] = []
    for item in state.followed_up:
        data = item.data
        if not reader.window.sees(data.on):
            continue
        statement = f"follow_up/{len(seen)}"
        reader.own_fact(statement, item)
        seen.append(
            given(
                progress=data.progress,
                responsible=data.responsible,
                evidence=_evidence(statement, data.evidence, reader),
                on=data.on,
                due=data.due,
                dated=mark(reader.window.see(data.on)),
                **certainty(data),
            )
        )
    return seen


def lineage(state: Recommendation, reader: ProvenanceTracker) -> dict[str, Any]:
    """Return how it relates to other recommendations, and the instruments that carried it."""
    found: dict[str, list[Any]] = {}
    for names, items in (
        (("by", "supersedes"), state.superseded),
        (("into", "absorbs"), state.merged),
        (("into", "split_from"), state.split),
    ):
        for item in items:
            _add_lineage(found, names, item, reader)
    for carried in state.carried:
        if reader.window.sees(carried.data.on):
            _carry(found, carried, reader)
    if state.withdrawn is not None and reader.window.sees(state.withdrawn.data.on):
        reader.own_fact("lineage", state.withdrawn)
        found["withdrawn"] = [given(on=state.withdrawn.data.on, reason=state.withdrawn.data.reason)]
    return found


_WORDS = {
    "RecommendationSuperseded.by": "superseded_by",
    "RecommendationSuperseded.supersedes": "supersedes",
    "RecommendationMerged.into": "merged_into",
    "RecommendationMerged.absorbs": "absorbs",
    "RecommendationSplit.into": "split_into",
    "RecommendationSplit.split_from": "split_from",
}


def _add_lineage(
    found: dict[str, list[Any]], names: tuple[str, ...], item: RecordedFact[Any], reader: ProvenanceTracker
) -> None:
    if not reader.window.sees(item.data.on):
        return
    reader.own_fact("lineage", item)
    for name in names:
        value = getattr(item.data, name)
        if value is not None:
            others = [value] if isinstance(value, str) else list(value)
            words = _WORDS[f"{type(item.data).__name__}.{name}"]
            found.setdefault(words, []).extend(given(reference=other, on=item.data.on) for other in others)


def _carry(found: dict[str, list[Any]], item: RecordedFact[Any], reader: ProvenanceTracker) -> None:
    reader.own_fact("lineage", item)
    data = item.data
    if (instrument := reader.instrument(data.instrument)) is not None:
        reader.note("lineage", f"instrument/{data.instrument}", instrument.registered.versions)
    found.setdefault("carried_by", []).append(
        given(
            instrument=data.instrument,
            cite=reader.cite(data.instrument),
            on=data.on,
            dated=mark(reader.window.see(data.on)),
            **certainty(data),
        )
    )


def _session(session: int, reader: ProvenanceTracker) -> dict[str, Any]:
    recorded = reader.recorded(f"session/{session}")
    return {} if recorded is None else recorded.data.model_dump(mode="json", exclude_none=True)


def _behind_session(statement: str, session: int, reader: ProvenanceTracker) -> None:
    recorded = reader.recorded(f"session/{session}")
    if recorded is not None:
        reader.note(statement, f"session/{session}", recorded.versions)


def _evidence(statement: str, evidence: Evidence | None, reader: ProvenanceTracker) -> dict[str, Any] | None:
    if evidence is None:
        return None
    shown = evidence.model_dump(mode="json", exclude_none=True)
    for stream in evidence_streams(evidence):
        if stream.startswith("meeting/"):
            heard = reader.meeting(stream.partition("/")[2])
            if heard is not None:
                reader.note(statement, stream, heard.versions)
                shown |= given(title=heard.title, starts_at=heard.starts_at)
        elif (recorded := reader.recorded(stream)) is not None:
            reader.note(statement, stream, recorded.versions)
            shown |= recorded.data.model_dump(mode="json", exclude_none=True)
    return shown
