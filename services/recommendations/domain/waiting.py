"""Matters that wait on a recommendation, on an instrument's reporting duties, on a priority: each by its own stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from services.recommendations.domain.actions import ENDED, latest_by_action
from services.recommendations.domain.sessions import session_stream
from services.recommendations.domain.state import Adopted, Disposed, Drafted, Recommendation, Transmitted
from services.recommendations.domain.texts import latest, texts_of
from shared.domain.dates import in_words
from shared.domain.waiting import Waiting
from shared.events.recommendations import (
    BodySessionRecorded,
    CommitteeSessionRecorded,
    InstrumentRegistered,
    PrioritySelected,
    ProvisionRegistered,
)
from shared.events.words import SENT_BACK

_REPORTED = ("action", "responsible", "progress", "on", "due")
KINDS = ("citation", "disposition", "follow_up", "priority", "reporting_duty", "sent_back", "transmission")


def of_recommendation(state: object) -> Iterator[Waiting]:
    """Yield what waits on a recommendation that is open; its citations wait by its trace."""
    match state:
        case Adopted():
            yield _transmission(state)
        case Transmitted():
            yield _disposition(state)
        case Disposed() if (last := state.disposed[-1].data).outcome in SENT_BACK:
            if last.outcome == "returned":
                why = f"Session {last.session} sent it back (returned): transmit it again, revise it, or withdraw it."
            else:
                why = f"Its outcome at session {last.session} is not on record: correct it, or transmit it again."
            yield _of(state, "sent_back", since=last.on, why=why)
        case _:
            pass
    if isinstance(state, Drafted | Adopted | Transmitted | Disposed) and state.followed_up:
        yield from _follow_ups(state)


def _transmission(state: Adopted) -> Waiting:
    since = state.adoptions[-1].data.adopted_on if state.adoptions else None
    return _of(
        state, "transmission", since=since, why="It is adopted, and not transmitted to a session of the Committee."
    )


def _disposition(state: Transmitted) -> Waiting:
    sent = state.transmitted[-1]
    deferred = state.disposition_of(sent)
    if deferred is not None:
        why = f"Session {deferred.data.session} deferred it, and it lies before the Committee still."
        return _of(state, "disposition", since=deferred.data.on, why=why)
    why = f"It lies before session {sent.data.session}, and no disposition is on record."
    return _of(state, "disposition", since=sent.data.on, session=f"session/{sent.data.session}", why=why)


def _follow_ups(state: Recommendation) -> Iterator[Waiting]:
    title = latest(texts_of(state)).title
    reports = [
        {name: value for name in _REPORTED if (value := getattr(item.data, name)) is not None}
        for item in state.followed_up
    ]
    for item in latest_by_action(reports):
        if item["progress"] not in ENDED:
            named = item.get("action") or item.get("responsible")
            why = f"A follow-up{f' ({named})' if named else ''} is {item['progress'].replace('_', ' ')}."
            yield _of(state, "follow_up", title=title, about=named, since=item.get("on"), due=item.get("due"), why=why)


def _of(
    state: Recommendation,
    kind: str,
    *,
    why: str,
    title: str | None = None,
    about: str | None = None,
    since: str | None,
    due: str | None = None,
    session: str | None = None,
) -> Waiting:
    return Waiting(
        kind=kind, stream=f"recommendation/{state.drafted.data.reference}", about=about,
        title=title or latest(texts_of(state)).title, since=since, due=due, session=session, why=why,
        roles=("secretariat",),
    )  # fmt: skip


def of_duties(instrument: InstrumentRegistered, undischarged: Iterable[ProvisionRegistered]) -> Iterator[Waiting]:
    """Yield the reporting duties of an instrument that are not discharged."""
    for provision in undischarged:
        if (duty := provision.reporting_duty) is not None:
            why = f"The report to {duty.body} that {provision.provision} asks for is not on record."
            yield Waiting(
                kind="reporting_duty", stream=f"instrument/{instrument.instrument}", about=provision.provision,
                title=instrument.cite, since=instrument.adopted_on, due=duty.due,
                session=session_stream(duty.body, duty.session) if duty.session else None,
                why=why, roles=("secretariat",),
            )  # fmt: skip


def of_priority(selected: PrioritySelected) -> Iterator[Waiting]:
    """Yield what waits on a priority that is not closed."""
    why = f"It is to be achieved by {in_words(selected.timeline_to)}: close it with what came of it."
    yield Waiting(
        kind="priority", stream=f"priority/{selected.priority}", title=selected.title, since=selected.on,
        due=selected.timeline_to, why=why, roles=("secretariat",),
    )  # fmt: skip


def dated(matter: Waiting, session: CommitteeSessionRecorded | BodySessionRecorded | None) -> Waiting:
    """Return a matter with the days of its session: a report is due on the first, a disposition on the last."""
    if session is None:
        return matter
    if matter.kind == "reporting_duty":
        return matter.model_copy(update={"due": session.starts_on or matter.due})
    days = {"since": matter.since or session.starts_on, "due": session.ends_on or session.starts_on}
    return matter.model_copy(update=days)
