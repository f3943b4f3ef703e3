"""The lifecycles of recommendations."""

from __future__ import annotations

from services.recommendations import commands
from shared.events import recommendations as events
from shared.events.values import Evidence
from tools.simulate import wording
from tools.simulate.chance import DAY, YEAR, day
from tools.simulate.citing import cite, review_citations
from tools.simulate.closing import close
from tools.simulate.committee import adopt, before_the_committee
from tools.simulate.correcting import correct
from tools.simulate.registering import provisions_of
from tools.simulate.voiding import void, void_version
from tools.simulate.world import Group, Lifecycle, World

_KINDS = ("policy", "advocacy", "intergovernmental_action")


def recommendations(world: World, group: Group) -> Lifecycle:
    """Start some three recommendations of a group a year."""
    yield world.days(200, 300)
    while True:
        world.start(recommendation(world, group))
        yield world.days(60, 180)


def recommendation(world: World, group: Group) -> Lifecycle:
    """Take a recommendation from draft to follow-up; some are closed on the way."""
    reference = _reference(world)
    stream = f"recommendation/{reference}"
    yield from _drafted(world, group, stream, reference)
    yield from _discussed(world, group, stream)
    if close(world, group, stream, withdrawn=0.04, lineage=0.02):
        return
    adopted = False
    while not adopted:
        yield group.meets_after(world.now) + DAY
        adopted = adopt(world, group, stream)
    group.recommendations.append(reference)
    yield from before_the_committee(world, group, stream)
    yield from _followed_up(world, group, stream)
    group.recommendations.remove(reference)
    if not close(world, group, stream, withdrawn=0.0, lineage=0.1):
        world.platform.discard(stream)


def _reference(world: World) -> str:
    year = int(day(world.now)[:4])
    world.references[year] = world.references.get(year, 0) + 1
    return f"SYN/{year}/R{world.references[year]}"


def _drafted(world: World, group: Group, stream: str, reference: str) -> Lifecycle:
    chance = world.chance
    draft = commands.DraftRecommendation(
        reference=reference, title=wording.title(chance, "recommendation"), text=wording.text(chance, 2),
        kinds=tuple(chance.some(_KINDS, chance.between(1, 2))), addressees=("member States", "the secretariat"),
        themes=group.themes, priority=chance.pick(group.priorities) if group.priorities else None, on=day(world.now),
    )  # fmt: skip
    world.execute(stream, draft)
    yield world.soon()
    if group.held and chance.happens(0.7):
        world.execute(stream, commands.RecordOrigin(meeting=group.held[-1]))
    else:
        source = wording.title(chance, "background paper")
        paragraph = str(chance.between(1, 40))
        world.execute(stream, commands.RecordOrigin(document=source, paragraph=paragraph, on=day(world.now)))
    yield world.soon()
    for named in provisions_of(world, group, chance.between(2, 5)):
        cite(world, stream, [named])
        yield world.soon()


def _discussed(world: World, group: Group, stream: str) -> Lifecycle:
    chance, before = world.chance, ""
    for _ in range(chance.between(2, 4)):
        yield group.meets_after(world.now) + chance.between(1, 4) * DAY
        if group.held and group.held[-1] != before:
            before = group.held[-1]
            world.execute(stream, commands.DiscussRecommendation(meeting=before))
            yield world.soon()
        if chance.happens(0.6):
            revised = commands.ReviseRecommendation(text=wording.text(chance, 2), on=day(world.now))
            world.execute(stream, revised)
            yield world.soon()
        if chance.happens(0.3):
            cite(world, stream, provisions_of(world, group, 1))
        review_citations(world, stream)


def _followed_up(world: World, group: Group, stream: str) -> Lifecycle:
    chance = world.chance
    if chance.happens(0.15):
        yield world.days(20, 200)
        carrier, _ = provisions_of(world, group, 1)[0]
        world.execute(stream, commands.RecordCarriage(instrument=carrier, on=day(world.now), status="inferred"))
    rounds = chance.between(2, 8)
    for number in range(rounds):
        yield world.days(100, 300)
        review_citations(world, stream)
        progress = "implemented" if number == rounds - 1 else "under_implementation"
        report = {
            "responsible": f"Synthetic office {chance.between(1, 9)}", "progress": progress, "on": day(world.now),
            "evidence": _evidence(world, group), "due": day(world.now + YEAR), "status": "inferred",
        }  # fmt: skip
        world.execute(stream, commands.ReportFollowUp.model_validate(report))
    if chance.happens(0.05):
        yield world.days(5, 40)
        correct(world, stream, events.FollowUpReported, progress="not_pursued")
    if chance.happens(0.05):
        yield world.days(5, 40)
        voided = void(world, stream, events.FollowUpReported)
        if chance.happens(0.3):
            yield world.soon()
            void_version(world, stream, voided.last)


def _evidence(world: World, group: Group) -> Evidence | None:
    chance = world.chance
    match chance.between(1, 6):
        case 1 if group.held:
            return Evidence(meeting=group.held[-1])
        case 2 | 3 if group.deliverables:
            return Evidence(deliverable=chance.pick(group.deliverables))
        case 4:
            return Evidence(document=f"SYN/DOC/{world.next_number()}")
        case 5:
            return Evidence(text=wording.text(chance, 1))
        case _:
            return None
