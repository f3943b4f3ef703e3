"""The lifecycles of meetings."""

from __future__ import annotations

from services.meetings import commands
from shared.events import meetings as events
from shared.events.values import ProvisionRef, Rendition
from tools.simulate import wording
from tools.simulate.chance import DAY, HOUR, YEAR, day
from tools.simulate.correcting import correct
from tools.simulate.registering import provisions_of
from tools.simulate.world import QUARTER, Group, Lifecycle, World

AHEAD = 55 * DAY
_FORMS = (("application/pdf", "en"), ("text/html", "en"), ("text/plain", "en"))


def quarters(world: World, group: Group) -> Lifecycle:
    """Propose a meeting each quarter, 55 days ahead; sometimes record a foreign meeting that the group attended."""
    yield group.meets_after(world.now + AHEAD) - AHEAD
    while True:
        world.start(meeting(world, group, world.now + AHEAD))
        if world.chance.happens(0.15):
            world.start(recorded(world, group), world.chance.between(DAY, 60 * DAY))
        yield world.now + QUARTER


def meeting(world: World, group: Group, starts: int) -> Lifecycle:
    """Take a meeting from proposal through two confirmations and preparation to its outcomes."""
    chance, number = world.chance, world.next_number()
    key = f"syn-meeting-{number}"
    stream, group.meetings = f"meeting/{key}", group.meetings + 1
    proposed = commands.ProposeMeeting(
        meeting=key, title=f"Synthetic meeting {group.meetings} of {group.name}", kind="technical_expert_group",
        modality=chance.pick(("hybrid", "online", "in_person")), time_zone="Asia/Bangkok",
        place="Synthetic conference centre", link=f"https://example.org/{key}", **_times(starts),
    )  # fmt: skip
    world.execute(stream, proposed, actor="synthetic-secretariat")
    yield world.days(2, 5)
    world.execute(stream, commands.ConfirmMeeting())
    yield world.days(1, 6)
    world.execute(stream, commands.ConfirmMeeting(), role="chair", actor=f"syn-chair-{group.name}")
    yield world.days(1, 8)
    if chance.happens(0.08):
        starts += chance.between(-3, 9) * DAY
        world.execute(stream, commands.RescheduleMeeting(reason="Synthetic: the room was taken.", **_times(starts)))
        yield world.days(1, 3)
        world.execute(stream, commands.ConfirmMeeting(), role="chair", actor=f"syn-chair-{group.name}")
    yield from _prepare(world, group, stream)
    if chance.happens(0.03):
        world.execute(stream, commands.CancelMeeting(reason="Synthetic: too few could come."))
        yield world.now + 30 * DAY
        world.platform.discard(stream)
        return
    yield max(world.now + HOUR, starts)
    yield from _hold(world, group, stream, key)
    yield from _aftermath(world, stream)


def _times(starts: int) -> dict[str, str]:
    return {"starts_at": f"{day(starts)}T10:00:00+07:00", "ends_at": f"{day(starts)}T13:00:00+07:00"}


def _prepare(world: World, group: Group, stream: str) -> Lifecycle:
    chance = world.chance
    for item in range(1, chance.between(4, 8)):
        named = [ProvisionRef(instrument=i, provision=p) for i, p in provisions_of(world, group, chance.between(0, 2))]
        priority = chance.pick(group.priorities) if group.priorities and chance.happens(0.5) else None
        title = f"Synthetic item {item}: {wording.clause(chance)}"
        before = f"item-{chance.between(1, item - 1)}" if item > 1 and chance.happens(0.1) else None
        added = commands.AddAgendaItem(
            item=f"item-{item}", title=title, priority=priority, provisions=tuple(named), before=before
        )
        world.execute(stream, added)
        yield world.soon()
    if chance.happens(0.3):
        world.execute(stream, commands.OrderAgenda(items=tuple(f"item-{number}" for number in range(item, 0, -1))))
        yield world.soon()
    for number in range(1, chance.between(3, 7)):
        symbol = f"SYN/{stream.rpartition('-')[2]}/{number}"
        document = commands.DisseminateDocument(
            document=f"document-{number}", title=wording.title(chance, "document"), symbol=symbol,
            renditions=_renditions(world), disseminated_on=day(world.now),
        )  # fmt: skip
        world.execute(stream, document)
        yield world.days(0, 3)


def _renditions(world: World) -> tuple[Rendition, ...]:
    chance = world.chance
    return tuple(
        Rendition(
            media_type=media_type, language=language, digest=chance.hexadecimal(64),
            accessible=chance.happens(0.8),
        )
        for media_type, language in chance.some(_FORMS, chance.between(1, 2))
    )  # fmt: skip


def _hold(world: World, group: Group, stream: str, key: str) -> Lifecycle:
    chance = world.chance
    experts = chance.some(tuple(group.experts), chance.between(12, 22))
    if chance.happens(0.5):
        listed = [commands.Attendee(membership=each, presence="in_room") for each in experts[:10]]
        world.execute(stream, commands.RecordAttendanceList(attendance=tuple(listed)))
        experts = experts[10:]
        yield world.now + HOUR // 2
    for membership in experts:
        presence = "in_room" if chance.happens(0.5) else "remote"
        world.execute(stream, commands.RecordAttendance(membership=membership, presence=presence))
        yield world.now + chance.between(2_000, 60_000)
    world.execute(stream, commands.HoldMeeting(held_from=day(world.now), held_to=day(world.now)))
    group.held.append(key)
    for number in range(1, chance.between(2, 5)):
        yield world.soon()
        outcome = commands.RecordOutcome(
            outcome=f"outcome-{number}", kind=chance.pick(("decision", "action_point")), text=wording.text(chance, 1),
            responsible=f"Synthetic office {chance.between(1, 9)}", due=day(world.now + 200 * DAY),
        )  # fmt: skip
        world.execute(stream, outcome)
        if outcome.kind == "decision":
            group.decisions[key] = outcome.outcome
        elif chance.happens(0.9):
            world.start(_done(world, stream, outcome.outcome), chance.between(30 * DAY, 250 * DAY))


def _done(world: World, stream: str, outcome: str) -> Lifecycle:
    """Close an action point."""
    end = world.chance.pick(("done", "done", "dropped"))
    world.execute(stream, commands.CloseActionPoint(outcome=outcome, end=end, on=day(world.now)))
    yield from ()


def _aftermath(world: World, stream: str) -> Lifecycle:
    """Correct an event of the meeting sometimes, and discard the stream after four years."""
    yield world.days(20, 90)
    if world.chance.happens(0.08):
        correct(world, stream, events.AttendanceRecorded, presence="remote")
    elif world.chance.happens(0.05):
        correct(world, stream, events.DocumentDisseminated, title=wording.title(world.chance, "document, as issued"))
    yield world.now + 4 * YEAR
    world.platform.discard(stream)


def recorded(world: World, group: Group) -> Lifecycle:
    """Record a meeting afterwards that the platform did not convene, with the known particulars."""
    key = f"syn-meeting-{world.next_number()}"
    record = commands.RecordMeeting(
        meeting=key, title=wording.title(world.chance, "forum"), kind="forum", starts_at=day(world.now)[:7],
        source="Synthetic source", status="inferred",
    )  # fmt: skip
    world.execute(f"meeting/{key}", record)
    group.held.append(key)
    yield world.now + 5 * YEAR
    world.platform.discard(f"meeting/{key}")
