"""The sections of a trace, each statement in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from shared.domain.dates import in_words
from tools.render.page import Entry, joined, marked, note_and_source, sentence, span, words

_STANDING = {
    "live": ("live citation", "green"),
    "suspect": ("suspect citation", "bold red"),
    "void": ("citation of what is void", "bold red"),
    "uncited": ("citation taken back", "dim"),
}
_STEP = {"origin": "Came from", "discussion": "Discussed at", "adoption": "Adopted at"}
_ON = {"origin": "Proposed there on", "discussion": "Discussed on", "adoption": "Adopted on"}
_LINEAGE = {
    "carried_by": "Carried by",
    "superseded_by": "Superseded by",
    "supersedes": "Supersedes",
    "merged_into": "Merged into",
    "absorbs": "Absorbs",
    "split_into": "Split into",
    "split_from": "Split from",
    "withdrawn": "Withdrawn",
}


def text(item: dict[str, Any]) -> Entry:
    """Render a version of the text: its words, unless they are the latest, and its differences from the one before."""
    kind = "Version {version}, a slip put right" if item.get("clerical") else "Version {version}"
    head = marked(f"{kind.format_map(item)}{_of(item)}", item["status"], item.get("dated"))
    where = [] if "title" in item else [Text("Its title and text are those above.")]
    stated = [Text(item[name]) for name in ("title", "text") if name in item]
    return Entry(head, [*where, *stated, *map(Text, item.get("differences", ())), *note_and_source(item)])


def revision(item: dict[str, Any]) -> Text:
    """Render a revision: what it changed, and when."""
    changed = ", ".join(words(name) for name in item["changed"]) or "nothing"
    head = marked(f"{changed}{_on(item)}", item["status"], item.get("dated"))
    return Text("\n").join([head, *note_and_source(item)])


def closing(item: dict[str, Any]) -> list[Text]:
    """Render the closing of a priority."""
    head = marked(f"Closed{_on(item)}: {words(item['reason'])}", item["status"], item.get("dated"))
    return [sentence(head), *note_and_source(item)]


def _of(item: dict[str, Any]) -> str:
    return f", of {in_words(item['on'])}" if "on" in item else ""


def mandate(item: dict[str, Any]) -> Entry:
    """Render a citation: the instrument, its request, and the standing of the citation."""
    head = marked(Text.assemble(item["cite"], ": ", _STANDING[item["standing"]]), item["status"], item.get("dated"))
    return Entry(head, [*_suspicions(item), *_request(item), *_instrument(item), *_cited(item), *note_and_source(item)])


def _suspicions(item: dict[str, Any]) -> Iterator[Text]:
    for why in item.get("why", ()):
        by, on = why.get("cite", why["superseded_by"]), in_words(why.get("on"))
        reason = marked(f"Suspect: superseded by {by} on {on}", why["status"], why.get("dated"))
        yield sentence(joined([reason, "and nobody has reconfirmed the citation since"]))
        yield from note_and_source(why)
    for answered in item.get("reconfirmed", ()):
        by = answered.get("cite", answered["superseded_by"])
        on = f" on {in_words(answered['reconfirmed_on'])}" if "reconfirmed_on" in answered else ""
        reconfirmed = marked(f"reconfirmed{on}", answered["reconfirmed_status"], answered.get("reconfirmed_dated"))
        by = marked(f"Superseded by {by}", answered["status"], answered.get("dated"))
        yield sentence(joined([by, Text.assemble("and ", reconfirmed)]))
    if item["standing"] == "uncited":
        on = f" on {in_words(item['uncited_on'])}" if "uncited_on" in item else ""
        taken_back = marked(f"Taken back{on}", item["uncited_status"], item.get("uncited_dated"))
        yield sentence(Text.assemble(taken_back, ": ", item["uncited_because"]))


def _request(item: dict[str, Any]) -> Iterator[Text]:
    if "summary" not in item:
        return
    paragraph = f"para. {item['paragraph']}" if "paragraph" in item else None
    request = joined([item.get("verb"), item.get("addressee"), paragraph], " ")
    text = Text.assemble(request, ": ", item["summary"]) if request.plain else Text(item["summary"])
    yield marked(text, item["provision_status"])
    if duty := item.get("reporting_duty"):
        session = f", session {duty['session']}" if "session" in duty else ""
        due = f", due {in_words(duty['due'])}" if "due" in duty else ""
        first_day = f", which begins on {in_words(duty['session_starts_on'])}" if "session_starts_on" in duty else ""
        yield Text(f"A report is asked for: {duty['body']}{session}{first_day}{due}.")
    for report in item.get("reports", ()):
        yield sentence(marked(f"Reported in {report['symbol']}{_on(report)}", report["status"], report.get("dated")))
        yield from note_and_source(report)


def _instrument(item: dict[str, Any]) -> Iterator[Text]:
    symbol = marked(item["symbol"], item.get("symbol_status")) if "symbol" in item else None
    adopted = f"adopted {in_words(item['adopted_on'])}" if "adopted_on" in item else "adopted on an unknown date"
    title = marked(item["title"], item.get("title_status")) if item.get("title", item["cite"]) != item["cite"] else None
    yield joined([title, marked(adopted, item.get("adopted_status"), item.get("adopted_dated")), symbol])
    for related in item.get("related", ()):
        by = related.get("cite", related["by"])
        text = f"{related['relation'].capitalize()} {by}{_on(related)}"
        yield marked(text, related["status"], related.get("dated"))


def _cited(item: dict[str, Any]) -> Iterator[Text]:
    by = f" by {item['cited_by']}" if "cited_by" in item else ""
    on = f" on {in_words(item['cited_on'])}" if "cited_on" in item else ""
    yield Text(f"Provision {item['provision']}" + (f", cited{by}{on}" if by or on else ""), style="dim")


def step(item: dict[str, Any]) -> Entry:
    """Render a step of the work: origin, discussion or adoption."""
    if "meeting" in item:
        place = f"{_STEP[item['role']]} {item.get('title', item['meeting'])}"
        on = in_words(item["on"]) if "on" in item else None
        when = span(item.get("starts_at"), item.get("ends_at")) if "title" in item else on
        head = joined([place, when])
        day = [Text(f"{_ON[item['role']]} {on}.")] if on not in (None, when) else []
        rests_on = [Text(f"It rests on the decision {item['outcome']} of that meeting.")] if "outcome" in item else []
        lines = [*day, *rests_on, *_meeting(item), *note_and_source(item)]
        return Entry(marked(head, item["status"], item.get("dated")), lines)
    if "document" in item:
        symbol = marked(item["symbol"], item.get("symbol_status")) if "symbol" in item else None
        paragraph = f"para. {item['paragraph']}" if "paragraph" in item else None
        head = joined([f"{_STEP[item['role']]} {item['document']}", symbol, paragraph])
        return Entry(marked(head, item["status"], item.get("dated")), note_and_source(item))
    head = Text(f"Adoption{_on(item)}: where is not on record")
    return Entry(marked(head, item["status"], item.get("dated")), note_and_source(item))


def _meeting(item: dict[str, Any]) -> Iterator[Text]:
    if "title" not in item:
        yield Text("The meeting itself is not on record here.")
        return
    form = "form unknown" if item["modality"] == "unknown" else words(item["modality"])
    kind = f"{words(item['kind'])} meeting".replace("other meeting", "meeting")
    standing = f"{kind.capitalize()}, {item['meeting_standing']}, {form}"
    yield marked(standing, item["meeting_status"], item.get("meeting_dated"))
    if item["members"]:
        yield Text(f"Members: {', '.join(item['members'])} ({item['in_room']} in the room, {item['remote']} remote).")
    else:
        yield Text("Who took part is not on record.")
    for document in item.get("documents", ()):
        symbol = f" ({document['symbol']})" if "symbol" in document else ""
        text = f"Document: {document['title']}{symbol}; accessible: {document['accessible']}"
        yield sentence(marked(text, document["status"], document.get("dated")))
    if "meeting_source" in item:
        yield Text(f"Source of the meeting: {item['meeting_source']}", style="dim")


def initiative(item: dict[str, Any]) -> Entry:
    """Render an initiative that rests on the same provisions."""
    provisions = ", ".join(ref["provision"] for ref in item["provisions"])
    head = joined([item["title"], f"supported by {item['supporting_member']}", f"on {provisions}"])
    return Entry(marked(head, item["status"], item.get("dated")), note_and_source(item))


def proceedings(item: dict[str, Any]) -> Entry:
    """Render agenda and outcomes of a meeting."""
    head = marked(item["title"], "verified", item.get("dated"))
    return Entry(head, [*_agenda(item), *_outcomes(item)])


def _agenda(item: dict[str, Any]) -> Iterator[Text]:
    for matter in item.get("agenda", ()):
        on = [f"priority {matter['priority']}"] if "priority" in matter else []
        on += [ref["provision"] for ref in matter.get("provisions", ())]
        text = f"Agenda: {matter['title']}" + (f" ({', '.join(on)})" if on else "")
        yield sentence(marked(text, matter["status"]))
        yield from note_and_source(matter)
    if others := item.get("other_items"):
        yield Text(f"Agenda: {others} other {'item' if others == 1 else 'items'}.", style="dim")


def _outcomes(item: dict[str, Any]) -> Iterator[Text]:
    for outcome in item.get("outcomes", ()):
        responsible = f"responsible: {outcome['responsible']}" if "responsible" in outcome else None
        due = f"due {in_words(outcome['due'])}" if "due" in outcome else None
        text = joined([f"{words(outcome['kind']).capitalize()}: {outcome['text']}", responsible, due])
        yield sentence(marked(text, outcome["status"]))
        yield from note_and_source(outcome)
        if closed := outcome.get("closed"):
            head = f"That action point was {words(closed['end'])}{_on(closed)}"
            yield sentence(marked(head, closed["status"], closed.get("dated")))
            yield from note_and_source(closed)


def transmission(item: dict[str, Any]) -> Entry:
    """Render a transmission to a session."""
    days = span(item.get("session_starts_on"), item.get("session_ends_on"))
    level = f"{words(item['level'])} level" if "level" in item else None
    symbol = marked(item["document_symbol"], item.get("symbol_status")) if "document_symbol" in item else None
    sent = f"transmitted on {in_words(item['on'])}" if "on" in item else None
    head = joined([f"To session {item['session']} of the Committee, {days}", level, sent, symbol])
    return Entry(marked(head, item["status"], item.get("dated")), note_and_source(item))


def disposition(item: dict[str, Any]) -> Entry:
    """Render a disposition by the Committee."""
    outcome = "outcome not known" if item["outcome"] == "unknown" else words(item["outcome"])
    citation = marked(item["citation"], item.get("symbol_status")) if "citation" in item else None
    head = joined([f"Session {item['session']}: {outcome}{_on(item)}", citation])
    return Entry(marked(head, item["status"], item.get("dated")), note_and_source(item))


def follow_up(item: dict[str, Any]) -> Entry:
    """Render a follow-up, with its evidence."""
    when = in_words(item["on"]) if "on" in item else "date unknown"
    responsible = f"responsible: {item['responsible']}" if "responsible" in item else None
    due = f"due {in_words(item['due'])}" if "due" in item else None
    action = f"action: {item['action']}" if "action" in item else None
    head = joined([f"{when[:1].upper()}{when[1:]}: {words(item['progress'])}", action, responsible, due])
    evidence = _evidence(item["evidence"]) if "evidence" in item else Text("No evidence is on record.")
    return Entry(marked(head, item["status"], item.get("dated")), [evidence, *note_and_source(item)])


def _evidence(evidence: dict[str, Any]) -> Text:
    match evidence:
        case {"meeting": meeting}:
            title = f"{evidence.get('title', meeting)}, {span(evidence.get('starts_at'), None)}"
            return sentence(marked(f"Evidence: {title}", evidence.get("status"), evidence.get("dated")))
        case {"deliverable": deliverable}:
            actual = evidence.get("actual_three_hour_meetings", "an unknown number of")
            planned = evidence.get("planned_three_hour_meetings", "unknown")
            where = f"{evidence['body']}, {evidence['year']}" if "body" in evidence else deliverable
            text = f"Evidence: programme budget, {where}: {actual} three-hour meetings held, {planned} planned"
            return sentence(marked(text, evidence.get("status"), evidence.get("dated")))
        case {"session": session}:
            days = span(evidence.get("starts_on"), evidence.get("ends_on"))
            text = f"Evidence: session {session} of the Committee, {days}"
            return sentence(marked(text, evidence.get("status"), evidence.get("dated")))
        case {"digest": digest}:
            return Text(f"Evidence: a document with SHA-256 {digest}.")
        case _:
            return sentence(Text(f"Evidence: {evidence.get('document') or evidence.get('text')}"))


def lineage(relations: dict[str, list[dict[str, Any]]]) -> Iterator[Entry]:
    """Render the relations to other recommendations and to instruments."""
    for name, items in relations.items():
        for item in items:
            other = item.get("cite") or item.get("instrument") or item.get("reference")
            head = joined([f"{_LINEAGE[name]} {other}" if other else _LINEAGE[name], _on(item).strip() or None])
            because = [Text(item["reason"])] if "reason" in item else []
            yield Entry(marked(head, item.get("status"), item.get("dated")), [*because, *note_and_source(item)])


def _on(item: dict[str, Any]) -> str:
    return f" on {in_words(item['on'])}" if "on" in item else ""
