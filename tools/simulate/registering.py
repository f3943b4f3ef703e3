"""The lifecycles of instruments, sessions, priorities, initiatives and deliverables."""

from __future__ import annotations

from typing import TypeAlias

from services.recommendations import commands
from shared.events import recommendations as events
from shared.events.recommendations import ReportingDuty
from shared.events.values import ProvisionRef
from tools.simulate import wording
from tools.simulate.chance import DAY, YEAR, day
from tools.simulate.correcting import correct
from tools.simulate.world import START, Group, Lifecycle, RegisteredInstrument, World

_Relates: TypeAlias = commands.ReaffirmInstrument | commands.CarryInstrument | commands.EndorseInstrument
SHELF = 24
"""The number of live instruments of a theme from which a new one always supersedes the oldest."""
_AFTERLIFE = 18 * YEAR
"""Longer than the lifecycle of any recommendation that may cite it."""


def provisions_of(world: World, group: Group, count: int) -> list[tuple[str, str]]:
    """Return `count` provisions of live instruments on the group's themes, each as (instrument, provision)."""
    chance = world.chance
    listed = [entry for theme in group.themes for entry in world.register[theme] if entry.provisions]
    return [(entry.instrument, chance.pick(entry.provisions)) for entry in chance.some(listed, count)]


def register(world: World, yearly: int) -> Lifecycle:
    """Register a stock of instruments in the first weeks, then `yearly` more a year."""
    stock = max(12, 4 * yearly)
    for number in range(stock):
        world.start(instrument(world, wording.THEMES[number % len(wording.THEMES)]), number * 20 * DAY // stock)
    while True:
        yield world.now + world.chance.between(YEAR // (2 * yearly), 3 * YEAR // (2 * yearly))
        world.start(instrument(world, world.chance.pick(wording.THEMES)))


def instrument(world: World, theme: str) -> Lifecycle:
    """Register an instrument with its provisions; it may supersede, reaffirm, carry or endorse an older one."""
    chance, number = world.chance, world.next_number()
    key = f"syn-instrument-{number}"
    adopted = world.now - chance.between(5, 200) * DAY
    body = chance.pick(wording.BODIES)
    entry = RegisteredInstrument(key, f"{body} resolution {number}", adopted)
    registration = commands.RegisterInstrument(
        instrument=key, cite=entry.cite, body=body, title=wording.title(chance, "resolution"),
        adopted_on=day(adopted), symbol=f"SYN/RES/{number}", symbol_status="inferred", status="verified",
    )  # fmt: skip
    world.execute(f"instrument/{key}", registration)
    duties: list[str] = []
    for paragraph in range(1, chance.between(8, 16)):
        yield world.now + chance.between(20_000, 400_000)
        duty = ReportingDuty(body=body, due=day(adopted + 2 * YEAR)) if chance.happens(0.15) else None
        provision = commands.RegisterProvision(
            provision=f"{key}/p{paragraph}", paragraph=str(paragraph), verb=chance.pick(("requests", "invites")),
            addressee="member States", summary=wording.text(chance, 1), reporting_duty=duty,
        )  # fmt: skip
        world.execute(f"instrument/{key}", provision)
        entry.provisions.append(provision.provision)
        duties += [provision.provision] if duty else []
    yield world.days(1, 20)
    _relate(world, theme, entry)
    yield world.days(200, 700)
    if chance.happens(0.3) and duties:
        world.execute(
            f"instrument/{key}",
            commands.DischargeReportingDuty(
                provision=duties[0], document_symbol=f"SYN/REP/{number}", on=day(world.now)
            ),
        )
    if chance.happens(0.05):
        correct(world, f"instrument/{key}", events.ProvisionRegistered, verb="encourages")


def _relate(world: World, theme: str, entry: RegisteredInstrument) -> None:
    chance, shelf = world.chance, world.register[theme]
    if shelf and (len(shelf) >= SHELF or chance.happens(0.5)):
        older = shelf.pop(0)
        since = day(entry.adopted_at)
        world.execute(
            f"instrument/{older.instrument}",
            commands.SupersedeInstrument(by=entry.instrument, on=since, status="inferred"),
        )
        world.start(_discard(world, f"instrument/{older.instrument}"), _AFTERLIFE)
    elif shelf:
        kinds: tuple[type[_Relates], ...] = (
            commands.ReaffirmInstrument, commands.CarryInstrument, commands.EndorseInstrument
        )  # fmt: skip
        relation = chance.pick(kinds)
        world.execute(f"instrument/{chance.pick(shelf).instrument}", relation(by=entry.instrument, on=day(world.now)))
    shelf.append(entry)


def _discard(world: World, stream: str) -> Lifecycle:
    world.platform.discard(stream)
    yield from ()


def sessions(world: World) -> Lifecycle:
    """Record a session of the Committee every two years, a year ahead."""
    for number in range(1, 999):
        begins = START + number * 2 * YEAR - 40 * DAY
        yield begins - YEAR
        session = commands.RecordCommitteeSession(
            session=number, starts_on=day(begins), ends_on=day(begins + 2 * DAY), level="senior_officials",
            note="Synthetic session.",
        )  # fmt: skip
        world.execute(f"session/{number}", session)
        world.sessions.append((number, begins))
        del world.sessions[:-6]
        world.start(_discard(world, f"session/{number}"), 14 * YEAR)


def priorities(world: World, group: Group) -> Lifecycle:
    """Select a priority every nine months, and close it three years later."""
    while True:
        yield world.days(250, 290)
        key = f"syn-priority-{world.next_number()}"
        named = tuple(ProvisionRef(instrument=i, provision=p) for i, p in provisions_of(world, group, 3))
        selected = commands.SelectPriority(
            priority=key, title=wording.title(world.chance, "priority"), themes=group.themes,
            outcome=wording.text(world.chance, 1), timeline_from=day(world.now), timeline_to=day(world.now + 3 * YEAR),
            provisions=named, meeting=group.held[-1] if group.held else None, on=day(world.now),
        )  # fmt: skip
        world.execute(f"priority/{key}", selected)
        group.priorities.append(key)
        world.start(_close_priority(world, group, key), 3 * YEAR)


def _close_priority(world: World, group: Group, key: str) -> Lifecycle:
    group.priorities.remove(key)
    reason = world.chance.pick(("achieved", "lapsed", "replaced"))
    world.execute(f"priority/{key}", commands.ClosePriority.model_validate({"reason": reason, "on": day(world.now)}))
    world.platform.discard(f"priority/{key}")
    yield from ()


def programme(world: World, group: Group) -> Lifecycle:
    """Record deliverables of the programme budget, which serve as evidence, and initiatives of Governments."""
    while True:
        yield world.days(60, 130)
        number = world.next_number()
        if world.chance.happens(0.4):
            named = tuple(ProvisionRef(instrument=i, provision=p) for i, p in provisions_of(world, group, 2))
            project = commands.RegisterInitiative(
                initiative=f"syn-initiative-{number}", title=wording.title(world.chance, "initiative"),
                supporting_member=world.chance.pick(group.seat), provisions=named,
            )  # fmt: skip
            world.execute(f"initiative/{project.initiative}", project)
            world.platform.discard(f"initiative/{project.initiative}")
            continue
        row = commands.RecordDeliverable(
            deliverable=f"syn-deliverable-{number}", body=f"Synthetic {group.name}", year=day(world.now)[:4],
            planned_three_hour_meetings=world.chance.between(2, 9),
            actual_three_hour_meetings=world.chance.between(1, 9), source="Synthetic programme budget",
        )  # fmt: skip
        world.execute(f"deliverable/{row.deliverable}", row)
        group.deliverables.append(row.deliverable)
        if len(group.deliverables) > 8:
            world.platform.discard(f"deliverable/{group.deliverables.popleft()}")
