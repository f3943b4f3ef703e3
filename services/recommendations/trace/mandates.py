"""The section `mandates`: each citation with its provision, instrument and standing."""

from __future__ import annotations

from typing import Any

from services.recommendations.domain.citations import Citation
from services.recommendations.domain.instrument import Registered
from services.recommendations.domain.instrument_keys import keys
from services.recommendations.domain.sessions import session_stream
from services.recommendations.domain.state import Recommendation
from services.recommendations.trace.provenance import ProvenanceTracker, certainty, known_fields
from services.recommendations.trace.window import Window
from shared.domain.voids import Void
from shared.events.recommendations import CitationReconfirmed, ReportingDuty

_NAMED = ("cite", "body", "title", "title_status", "symbol", "symbol_status", "adopted_on", "adopted_status")


def mandates(state: Recommendation, tracker: ProvenanceTracker) -> list[dict[str, Any]]:
    """Return the citations up to the window's day, in the order in which they were made."""
    visible = [citation for citation in state.citations if _is_visible(citation, tracker)]
    return [_mandate(f"mandates/{index}", citation, tracker) for index, citation in enumerate(visible)]


def _is_visible(citation: Citation, tracker: ProvenanceTracker) -> bool:
    instrument = tracker.instrument(citation.cited.data.instrument)
    adopted = instrument.registered.data.adopted_on if instrument else _adopted(citation.cited.data.instrument, tracker)
    return tracker.window.sees(citation.cited.data.on) and tracker.window.sees(adopted)


def _adopted(instrument: str, tracker: ProvenanceTracker) -> str | None:
    void = tracker.void(f"instrument/{instrument}")
    return void.recorded.get("adopted_on") if void else None


def _mandate(statement: str, citation: Citation, tracker: ProvenanceTracker) -> dict[str, Any]:
    cited = citation.cited.data
    instrument = tracker.instrument(cited.instrument)
    tracker.own_fact(statement, citation.cited)
    return known_fields(
        instrument=cited.instrument,
        provision=cited.provision,
        **_instrument(statement, cited.instrument, instrument, tracker),
        **_provision(statement, cited.instrument, cited.provision, instrument, tracker),
        cited_on=cited.on,
        cited_by=cited.cited_by,
        dated=tracker.window.mark(cited.on),
        **certainty(cited),
        **_standing(statement, citation, instrument, tracker),
    )


def _instrument(statement: str, key: str, instrument: Registered | None, tracker: ProvenanceTracker) -> dict[str, Any]:
    if instrument is None:
        void = tracker.void(f"instrument/{key}")
        return {"cite": key} | (_void(void, tracker) if void else {})
    stream, data = f"instrument/{key}", instrument.registered.data
    tracker.note(statement, stream, instrument.registered.versions)
    relations = [
        ("carried by", instrument.carried),
        ("endorsed by", instrument.endorsed),
        ("reaffirmed by", instrument.reaffirmed),
    ]
    related = []
    for words, items in relations:
        for item in items:
            if tracker.window.sees(item.data.on):
                tracker.note(statement, stream, item.versions)
                naming = _naming(statement, item.data.by, tracker)
                status = item.data.status or "unknown"
                fact = known_fields(relation=words, by=item.data.by, **naming, on=item.data.on, status=status)
                related.append(fact | known_fields(dated=tracker.window.mark(item.data.on)))
    return known_fields(
        cite=data.cite,
        body=data.body,
        title=data.title,
        title_status=data.title_status,
        symbol=data.symbol,
        symbol_status=data.symbol_status,
        adopted_on=data.adopted_on,
        adopted_status=data.adopted_status,
        adopted_dated=tracker.window.mark(data.adopted_on),
        related=related or None,
        also_registered_as=doubles(statement, key, instrument, tracker) or None,
    )


def _void(void: Void, tracker: ProvenanceTracker) -> dict[str, Any]:
    named = {name: void.recorded[name] for name in _NAMED if name in void.recorded}
    return named | known_fields(adopted_dated=tracker.window.mark(void.recorded.get("adopted_on")))


def doubles(statement: str, key: str, instrument: Registered, tracker: ProvenanceTracker) -> list[dict[str, str]]:
    """Return the other instruments that are on record under this one's citation or symbol, adopted by the day."""
    others = []
    for item in instrument.doubles:
        other = tracker.instrument(item.data.other)
        if other is None or not keys(other.registered.data) & keys(instrument.registered.data):
            continue
        adopted_on = other.registered.data.adopted_on
        if tracker.window.sees(adopted_on):
            tracker.note(statement, f"instrument/{key}", item.versions)
            tracker.note(statement, f"instrument/{item.data.other}", other.registered.versions)
            others.append(known_fields(instrument=item.data.other, dated=tracker.window.mark(adopted_on)))
    return others


def _provision(
    statement: str, key: str, provision: str, instrument: Registered | None, tracker: ProvenanceTracker
) -> dict[str, Any]:
    registered = instrument.provision(provision) if instrument else None
    if instrument is None or registered is None:
        return {}
    tracker.note(statement, f"instrument/{key}", registered.versions)
    data = registered.data
    return known_fields(
        paragraph=data.paragraph,
        verb=data.verb,
        addressee=data.addressee,
        summary=data.summary,
        provision_status=data.status or "unknown",
        reporting_duty=_duty(statement, data.reporting_duty, tracker),
        reports=_reports(statement, key, provision, instrument, tracker) or None,
    )


def _reports(
    statement: str, key: str, provision: str, instrument: Registered, tracker: ProvenanceTracker
) -> list[dict[str, Any]]:
    """Return the reports that a provision asked for, as far as they were given by the day."""
    reports = []
    for item in instrument.discharged:
        data = item.data
        if data.provision == provision and tracker.window.sees(data.on):
            tracker.note(statement, f"instrument/{key}", item.versions)
            dated = tracker.window.mark(data.on)
            reports.append(known_fields(symbol=data.document_symbol, on=data.on, dated=dated, **certainty(data)))
    return reports


def _duty(statement: str, duty: ReportingDuty | None, tracker: ProvenanceTracker) -> dict[str, Any] | None:
    """Return a reporting duty, with the first day of the session that it names, whatever body's."""
    if duty is None:
        return None
    stream = session_stream(duty.body, duty.session) if duty.session else ""
    session = tracker.recorded(stream)
    if session is not None:
        tracker.note(statement, stream, session.versions)
    starts_on = session.data.starts_on if session else None
    return duty.model_dump(mode="json", exclude_none=True) | known_fields(session_starts_on=starts_on)


def _standing(
    statement: str, citation: Citation, instrument: Registered | None, tracker: ProvenanceTracker
) -> dict[str, Any]:
    window = tracker.window
    if citation.uncited is not None and window.sees(citation.uncited.data.on):
        tracker.own_fact(statement, citation.uncited)
        uncited = citation.uncited.data
        return known_fields(
            standing="uncited",
            uncited_on=uncited.on,
            uncited_because=uncited.reason,
            uncited_status=uncited.status or "unknown",
            uncited_dated=window.mark(uncited.on),
        )
    if instrument is None or instrument.provision(citation.cited.data.provision) is None:
        return {"standing": "void"}
    why, answered = [], []
    for item in instrument.superseded:
        if not window.sees(item.data.on):
            continue
        tracker.note(statement, f"instrument/{citation.cited.data.instrument}", item.versions)
        fact = known_fields(
            superseded_by=item.data.by,
            **_naming(statement, item.data.by, tracker),
            mutual=_is_mutual(citation.cited.data.instrument, item.data.by, tracker),
            on=item.data.on,
            dated=window.mark(item.data.on),
            **certainty(item.data),
        )
        answer = citation.reconfirmed_against(item.data.by)
        if answer is not None and window.sees(answer.data.on):
            tracker.own_fact(statement, answer)
            answered.append(fact | _reconfirmed(answer.data, window))
        else:
            why.append(fact)
    return known_fields(standing="suspect" if why else "live", why=why or None, reconfirmed=answered or None)


def _reconfirmed(answer: CitationReconfirmed, window: Window) -> dict[str, Any]:
    return known_fields(
        reconfirmed_on=answer.on,
        reconfirmed_status=answer.status or "unknown",
        reconfirmed_dated=window.mark(answer.on),
    )


def _is_mutual(key: str, by: str, tracker: ProvenanceTracker) -> bool | None:
    """Tell whether two instruments are on record as superseding each other by the day; None where they are not."""
    other = tracker.instrument(by)
    back = (item for item in other.superseded if item.data.by == key) if other is not None else ()
    return any(tracker.window.sees(item.data.on) for item in back) or None


def _naming(statement: str, key: str, tracker: ProvenanceTracker) -> dict[str, Any]:
    other = tracker.instrument(key)
    if other is None:
        return {}
    tracker.note(statement, f"instrument/{key}", other.registered.versions)
    return {"cite": other.registered.data.cite}
