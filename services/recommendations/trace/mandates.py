"""The section `mandates`: each citation with its provision, instrument and standing."""

from __future__ import annotations

from typing import Any

from services.recommendations.domain.instrument import Registered
from services.recommendations.domain.state import Citation, Recommendation
from services.recommendations.trace.reader import ProvenanceTracker, certainty, given
from services.recommendations.trace.window import mark


def mandates(state: Recommendation, reader: ProvenanceTracker) -> list[dict[str, Any]]:
    """Return the citations that are seen, in the order in which they were made."""
    seen = [citation for citation in state.citations if _is_seen(citation, reader)]
    return [_mandate(f"mandates/{index}", citation, reader) for index, citation in enumerate(seen)]


def _is_seen(citation: Citation, reader: ProvenanceTracker) -> bool:
    instrument = reader.instrument(citation.cited.data.instrument)
    adopted = instrument.registered.data.adopted_on if instrument else None
    return reader.window.sees(citation.cited.data.on) and reader.window.sees(adopted)


def _mandate(statement: str, citation: Citation, reader: ProvenanceTracker) -> dict[str, Any]:
    cited = citation.cited.data
    instrument = reader.instrument(cited.instrument)
    reader.own_fact(statement, citation.cited)
    return given(
        instrument=cited.instrument,
        provision=cited.provision,
        **_instrument(statement, cited.instrument, instrument, reader),
        **_provision(statement, cited.instrument, cited.provision, instrument, reader),
        cited_on=cited.on,
        cited_by=cited.cited_by,
        dated=mark(reader.window.see(cited.on)),
        **certainty(cited),
        **_standing(statement, citation, instrument, reader),
    )


def _instrument(statement: str, key: str, instrument: Registered | None, reader: ProvenanceTracker) -> dict[str, Any]:
    if instrument is None:
        return {"cite": key}
    stream, data = f"instrument/{key}", instrument.registered.data
    reader.note(statement, stream, instrument.registered.versions)
    relations = [
        ("carried by", instrument.carried),
        ("endorsed by", instrument.endorsed),
        ("reaffirmed by", instrument.reaffirmed),
    ]
    related = []
    for words, items in relations:
        for item in items:
            if reader.window.sees(item.data.on):
                reader.note(statement, stream, item.versions)
                related.append(given(relation=words, by=item.data.by, **_naming(statement, item.data.by, reader),
                                     on=item.data.on, status=item.data.status or "unknown"))  # fmt: skip
    return given(
        cite=data.cite,
        body=data.body,
        title=data.title,
        title_status=data.title_status,
        symbol=data.symbol,
        symbol_status=data.symbol_status,
        adopted_on=data.adopted_on,
        adopted_status=data.adopted_status,
        related=related or None,
    )


def _provision(
    statement: str, key: str, provision: str, instrument: Registered | None, reader: ProvenanceTracker
) -> dict[str, Any]:
    found = instrument.provision(provision) if instrument else None
    if instrument is None or found is None:
        return {}
    reader.note(statement, f"instrument/{key}", found.versions)
    data = found.data
    duty = data.reporting_duty.model_dump(mode="json", exclude_none=True) if data.reporting_duty else None
    discharged = [item for item in instrument.discharged if item.data.provision == provision]
    for item in discharged:
        reader.note(statement, f"instrument/{key}", item.versions)
    reports = [given(symbol=item.data.document_symbol, on=item.data.on) for item in discharged]
    return given(
        paragraph=data.paragraph,
        verb=data.verb,
        addressee=data.addressee,
        summary=data.summary,
        provision_status=data.status or "unknown",
        reporting_duty=duty,
        reports=reports or None,
    )


def _standing(
    statement: str, citation: Citation, instrument: Registered | None, reader: ProvenanceTracker
) -> dict[str, Any]:
    window = reader.window
    if citation.uncited is not None and window.sees(citation.uncited.data.on):
        reader.own_fact(statement, citation.uncited)
        uncited = citation.uncited.data
        return given(standing="uncited", uncited_on=uncited.on, uncited_because=uncited.reason)
    why, answered = [], []
    for item in instrument.superseded if instrument else ():
        if not window.sees(item.data.on):
            continue
        reader.note(statement, f"instrument/{citation.cited.data.instrument}", item.versions)
        fact = given(
            superseded_by=item.data.by,
            **_naming(statement, item.data.by, reader),
            on=item.data.on,
            dated=mark(window.see(item.data.on)),
            **certainty(item.data),
        )
        answer = citation.reconfirmed_against(item.data.by)
        if answer is not None and window.sees(answer.data.on):
            reader.own_fact(statement, answer)
            answered.append(fact | given(reconfirmed_on=answer.data.on))
        else:
            why.append(fact)
    return given(standing="suspect" if why else "live", why=why or None, reconfirmed=answered or None)


def _naming(statement: str, key: str, reader: ProvenanceTracker) -> dict[str, Any]:
    other = reader.instrument(key)
    if other is None:
        return {}
    reader.note(statement, f"instrument/{key}", other.registered.versions)
    return {"cite": other.registered.data.cite}
