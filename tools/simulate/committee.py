"""Recommendations from their adoption to the Committee's decision, over several sessions where it takes them."""

from __future__ import annotations

from services.recommendations import commands
from shared.events import recommendations as events
from tools.simulate import wording
from tools.simulate.chance import DAY, day
from tools.simulate.citing import cite, cites_live_mandate, review_citations
from tools.simulate.correcting import correct
from tools.simulate.registering import provisions_of
from tools.simulate.voiding import void, void_version
from tools.simulate.world import Group, Lifecycle, World

_DECISIONS = ("endorsed", "endorsed", "endorsed_with_changes", "noted", "not_endorsed")
_OUTCOMES = (*_DECISIONS, *_DECISIONS, "deferred", "deferred", "returned", "unknown")


def adopt(world: World, group: Group, stream: str) -> bool:
    """Adopt the latest text at the latest meeting; return False where none was held yet."""
    if world.chance.happens(0.02):
        note = "Synthetic: the record does not say where it was adopted."
        world.execute(stream, commands.AdoptRecommendation(note=note, status="unknown"))
        return True
    if not group.held:
        return False
    meeting = group.held[-1]
    adoption = commands.AdoptRecommendation(meeting=meeting, outcome=group.decisions.get(meeting), status="verified")
    if adoption.outcome is not None and world.chance.happens(0.5):
        world.execute(stream, adoption, role="chair", actor=f"syn-chair-{group.name}")
    else:
        world.execute(stream, adoption)
    return True


def before_the_committee(world: World, group: Group, stream: str) -> Lifecycle:
    """Transmit a recommendation to sessions until one decides, or its outcome is unknown."""
    yield from _adopted_by_mistake(world, group, stream)
    waiting = False
    for outcomes in (_OUTCOMES, _DECISIONS):
        while (session := world.session_after(world.now + 30 * DAY)) is None:
            yield world.days(30, 60)
        begins = world.session_begins(session)
        yield max(world.now, begins - world.chance.between(21, 70) * DAY)
        if not waiting:
            _transmit(world, group, stream, session)
        yield begins + world.chance.between(1, 60) * DAY
        outcome = world.chance.pick(outcomes)
        yield from _disposed(world, stream, session, outcome)
        if outcome not in ("deferred", "returned"):
            return
        waiting = outcome == "deferred" and world.chance.happens(0.5)
        if outcome == "returned":
            yield from _adopted_anew(world, group, stream)


def _adopted_by_mistake(world: World, group: Group, stream: str) -> Lifecycle:
    """Void the adoption of some, and adopt them at the latest meeting; of a few the void was the mistake."""
    if not world.chance.happens(0.08):
        return
    yield world.days(1, 5)
    voided = void(world, stream, events.RecommendationAdopted)
    yield world.soon()
    if world.chance.happens(0.4) or not adopt(world, group, stream):
        void_version(world, stream, voided.last)


def _transmit(world: World, group: Group, stream: str, session: int) -> None:
    review_citations(world, stream)
    if not cites_live_mandate(world, stream):
        cite(world, stream, provisions_of(world, group, 2))
    symbol = f"SYN/CED/{session}/{stream.rpartition('R')[2]}"
    transmission = commands.TransmitRecommendation(session=session, document_symbol=symbol, on=day(world.now))
    world.execute(stream, transmission)


def _disposed(world: World, stream: str, session: int, outcome: str) -> Lifecycle:
    chance = world.chance
    disposed = {
        "session": session, "outcome": outcome, "on": day(world.session_begins(session) + DAY),
        "report_symbol": f"SYN/REP/{session}", "paragraph": str(chance.between(1, 90)),
    }  # fmt: skip
    world.execute(stream, commands.RecordDisposition.model_validate(disposed))
    if chance.happens(0.05):
        yield world.days(1, 5)
        void(world, stream, events.CommitteeDispositionRecorded)
        world.execute(stream, commands.RecordDisposition.model_validate(disposed))
    if chance.happens(0.05):
        yield world.days(10, 60)
        correct(world, stream, events.CommitteeDispositionRecorded, paragraph=str(chance.between(1, 90)))


def _adopted_anew(world: World, group: Group, stream: str) -> Lifecycle:
    """Revise what the Committee returned, and adopt the new version; some need a slip put right afterwards."""
    yield world.days(20, 60)
    world.execute(stream, commands.ReviseRecommendation(text=wording.text(world.chance, 2), on=day(world.now)))
    yield group.meets_after(world.now) + DAY
    adopt(world, group, stream)
    if world.chance.happens(0.6):
        yield world.soon()
        title = wording.title(world.chance, "recommendation")
        world.execute(stream, commands.ReviseRecommendation(title=title, on=day(world.now), clerical=True))
