"""Composition of a trace: a pure function of folded states, live, rebuilt, as of a day, or from an export."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import chain
from typing import Any

from services.recommendations.domain.state import Absent, Recommendation
from services.recommendations.domain.texts import Texts, TextVersion, latest, number_of, texts_of
from services.recommendations.trace import gaps, mandates, outcome, void, work
from services.recommendations.trace.initiatives import ByProvision, initiatives, initiatives_beside
from services.recommendations.trace.proceedings import proceedings
from services.recommendations.trace.provenance import ProvenanceTracker, certainty, known_fields
from services.recommendations.trace.text_gaps import Choice, text_gaps
from services.recommendations.trace.texts import texts as texts_section
from services.recommendations.trace.window import Window
from shared.domain.visibility import ADOPTED, DRAFT
from shared.domain.voids import Void
from shared.events.canonical import canonical_unchecked
from shared.events.words import SENT_BACK
from shared.projection.fold import FoldedState

SHAPE = 3
OWN_REFERENCE = "this system's own reference, not a United Nations symbol"
_OF_A_REVISION = {"on", "note", "source", "status", "clerical"}
_STORE_FIELDS = ("_id", "revision", "order", "phase", "made_of")  # `made_of`: in traces stored by earlier code


def needs(reference: str, states: Mapping[str, FoldedState], initiatives: ByProvision) -> set[str]:
    """Return the streams still to be read before composing a trace; repeat until there are none.

    `initiatives` are those on record, at least by the provisions that it cites.
    """
    root = f"recommendation/{reference}"
    if root not in states:
        return {root}
    named = {*states[root].depends_on, *initiatives_beside(states[root].state, initiatives)}
    for stream in states[root].depends_on:
        if stream.startswith("instrument/") and stream in states:
            named |= states[stream].depends_on
    return named - states.keys()


def compose(reference: str, states: Mapping[str, FoldedState], as_of: date | None = None) -> dict[str, Any] | None:
    """Compose a trace from the states that `needs` named; None if it is not on record (by `as_of`)."""
    own = f"recommendation/{reference}"
    state, window = states[own].state, Window(as_of)
    if isinstance(state, Absent) or not window.sees(
        void.day_of(state) if isinstance(state, Void) else state.drafted.data.on
    ):
        return None
    tracker = ProvenanceTracker(own, states, window)
    trace: dict[str, Any]
    trace, of_texts = (void.sections(state, tracker), None) if isinstance(state, Void) else _sections(state, tracker)
    if as_of is not None:
        trace["as_of"] = as_of.isoformat()
    trace["coverage"] = gaps.coverage(trace)
    voids = void.gaps(own, states, window, trace.get("priority", {}).get("priority"))
    trace["gaps"] = [
        *voids,
        *([] if of_texts is None else gaps.gaps(trace, of_texts, outcome.sessions(trace, tracker))),
    ]
    trace["recommendation"] |= {"reference_is": OWN_REFERENCE, "standing": _standing(trace)}
    return trace | {"provenance": tracker.provenance(), "based_on": tracker.based_on(), "shape": SHAPE}


def phase_of(trace: Mapping[str, Any]) -> str:
    """Return whether a trace is of a draft, or `adopted`: by its day an adoption, or what follows one, is on record.

    What is only possibly of that day, or of no known one, does not count.
    """
    adoptions = [step for step in trace.get("work", ()) if step["role"] == "adoption"]
    steps = chain(adoptions, trace.get("transmission", ()), trace.get("dispositions", ()))
    return ADOPTED if any("dated" not in step for step in steps) else DRAFT


def trace_bytes(trace: Mapping[str, Any]) -> bytes:
    """Return the compared bytes: the canonical JSON of a trace without the fields of its store."""
    return canonical_unchecked({name: value for name, value in trace.items() if name not in _STORE_FIELDS})


def _sections(state: Recommendation, tracker: ProvenanceTracker) -> tuple[dict[str, Any], list[str]]:
    """Return the sections of a recommendation, and the gaps of its text versions."""
    texts = texts_of(state)
    visible = {number: text for number, text in texts.items() if tracker.window.sees(text.fact.data.on)}
    adopted, sent = work.adoptions(state, tracker), outcome.transmissions(state, tracker)
    choices = _choices(adopted, sent, texts)
    sections = known_fields(
        recommendation=_recommendation(state, latest(visible), tracker),
        texts=texts_section({choice.text_version for choice in choices}, visible, tracker),
        mandates=mandates.mandates(state, tracker),
        priority=work.priority(state, tracker),
        work=work.work(state, adopted, texts, tracker),
        transmission=outcome.transmission(sent, texts, tracker),
        dispositions=outcome.dispositions(state, sent, texts, tracker),
        follow_up=outcome.follow_up(state, tracker),
        lineage=outcome.lineage(state, tracker),
    )
    beside = {"initiatives": initiatives(sections["mandates"], tracker), "proceedings": proceedings(sections, tracker)}
    sections |= known_fields(**beside)
    return sections, list(text_gaps(choices, sections["dispositions"], visible, texts))


def _choices(adopted: work.Dated, sent: outcome.Dated, texts: Texts) -> list[Choice]:
    """Return the text version of each adoption and transmission."""
    adoptions = [Choice(number_of(item, texts), item.versions[0], day) for item, day in adopted]
    return adoptions + [Choice(number_of(item, texts), item.versions[0], day, item.data.session) for item, day in sent]


def _recommendation(state: Recommendation, text: TextVersion, tracker: ProvenanceTracker) -> dict[str, Any]:
    tracker.own_fact("recommendation", state.drafted)
    drafted, window, revised = state.drafted.data, tracker.window, []
    fields = drafted.model_dump(mode="json", exclude_none=True)
    for revision in state.revised:
        on = revision.data.on
        if window.sees(on):
            tracker.own_fact("recommendation", revision)
            changes = revision.data.model_dump(mode="json", exclude_none=True, exclude=_OF_A_REVISION)
            changed = sorted(name for name, value in changes.items() if value != fields.get(name))
            fields |= changes
            shown = known_fields(version=revision.versions[0], changed=changed, on=on, dated=window.mark(on))
            revised.append(shown | known_fields(**certainty(revision.data)))
    return known_fields(
        reference=drafted.reference,
        text_version=text.number,
        title=text.title,
        text=text.text,
        kinds=fields["kinds"],
        addressees=fields["addressees"],
        themes=fields["themes"],
        drafted_on=drafted.on,
        dated=window.mark(drafted.on),
        revised=revised or None,
        **certainty(drafted),
    )


def _standing(trace: dict[str, Any]) -> str:
    """Return the stage of the recommendation, by the facts that this trace shows."""
    if "void" in trace["recommendation"]:
        return "void"
    for closed in ("withdrawn", "superseded_by", "merged_into", "split_into"):
        if closed in trace["lineage"]:
            return closed.split("_", maxsplit=1)[0]
    if not trace["transmission"]:
        adopted = any(step["role"] == "adoption" for step in trace["work"])
        return "disposed" if trace["dispositions"] else "adopted" if adopted else "drafted"
    last = len(trace["transmission"]) - 1
    disposed = [item for item in trace["dispositions"] if item.get("transmission") == last]
    if not disposed or disposed[-1]["outcome"] == "deferred":
        return "transmitted"
    newest = max((step.get("text_version", 0) for step in trace["work"]), default=0)
    adopted_anew = disposed[-1]["outcome"] in SENT_BACK and newest > disposed[-1]["text_version"]
    return "adopted" if adopted_anew else "disposed"
