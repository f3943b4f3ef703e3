"""The lifecycles of calls, nominations and memberships."""

from __future__ import annotations

from services.nominations import commands
from shared.events.values import NoteVerbale, Sealed
from tools.simulate import wording
from tools.simulate.chance import DAY, YEAR, day
from tools.simulate.world import Group, Lifecycle, World

TERM = 2 * YEAR


def calls(world: World, group: Group) -> Lifecycle:
    """Open a call to Governments every two years, and start nominations for some of them."""
    while True:
        call = f"syn-call-{world.next_number()}"
        closes = world.now + 60 * DAY
        opened = commands.OpenCall(
            call=call, title=f"Synthetic call of {group.name}", opened_on=day(world.now), closes_on=day(closes),
            themes=group.themes,
        )  # fmt: skip
        world.execute(f"call/{call}", opened)
        for member in world.chance.some(group.seat, world.chance.between(14, 20)):
            world.start(nomination(world, group, member, call), world.chance.between(DAY, 50 * DAY))
        yield closes
        world.execute(f"call/{call}", commands.CloseCall(closed_on=day(world.now)))
        yield world.now + 90 * DAY
        world.platform.discard(f"call/{call}")
        yield world.now + TERM - 150 * DAY


def nomination(world: World, group: Group, member: str, call: str | None, replaces: str | None = None) -> Lifecycle:
    """Submit a nomination, return, accept or withdraw it, and let the expert serve a term."""
    chance, number = world.chance, world.next_number()
    key, person = f"syn-nomination-{number}", f"syn-person-{number}"
    stream = f"nomination/{key}"
    particulars = {
        "note_verbale": NoteVerbale(channel="note_verbale", reference=f"SYN/NV/{number}"),
        "sealed": Sealed(person=person, box=wording.box(chance)),
        "institution": f"Synthetic institute {chance.between(1, 400)}",
        "category": chance.pick(("official", "official", "academia", "civil_society", "other")),
        "expertise": tuple(wording.clause(chance) for _ in range(chance.between(1, 2))),
        "themes": group.themes,
        "capacity": chance.pick(("principal", "principal", "alternate")),
        "replaces": replaces,
    }
    parties = {"nomination": key, "call": call, "member": member, "person": person}
    submitted = commands.SubmitNomination.model_validate(particulars | parties | {"submitted_on": day(world.now)})
    government = {"role": "focal_point", "actor": f"syn-focal-{member.lower()}", "member": member}
    world.execute(stream, submitted, **government)
    yield world.days(3, 9)
    if chance.happens(0.1):
        amended = {**particulars, "institution": f"Synthetic institute {chance.between(1, 400)}"}
        world.execute(
            stream, commands.AmendNomination.model_validate(amended | {"amended_on": day(world.now)}), **government
        )
        yield world.days(1, 3)
    if chance.happens(0.15):
        reason = "Synthetic: the field of expertise is not stated."
        world.execute(stream, commands.ReturnNomination(reason=reason, returned_on=day(world.now)))
        yield world.days(4, 15)
        resubmission = commands.ResubmitNomination.model_validate(particulars | {"resubmitted_on": day(world.now)})
        world.execute(stream, resubmission, **government)
        yield world.days(2, 6)
    if chance.happens(0.08):
        world.execute(stream, _not_registered(world), **(government if chance.happens(0.5) else {}))
        world.platform.discard(stream)
        return
    world.execute(stream, commands.AcceptNomination(accepted_on=day(world.now)))
    yield from _membership(world, group, member, key)


def _not_registered(world: World) -> commands.DeclineNomination | commands.WithdrawNomination:
    return commands.WithdrawNomination(withdrawn_on=day(world.now))


def _change_details(world: World, stream: str, member: str) -> None:
    """Let an expert move to another institution, or another expert's contact change with it."""
    chance, person = world.chance, world.platform.state(stream).began.person
    sealed = Sealed(person=person, box=wording.box(chance)) if chance.happens(0.5) else None
    changed = commands.ChangeExpertDetails(
        changed_on=day(world.now), institution=f"Synthetic institute {chance.between(1, 400)}", sealed=sealed
    )
    world.execute(stream, changed, role="focal_point", actor=f"syn-focal-{member.lower()}", member=member)


def _membership(world: World, group: Group, member: str, key: str) -> Lifecycle:
    """Let the membership that the policy began end by its term, a replacement or a withdrawal."""
    chance, stream = world.chance, f"membership/{key}"
    group.experts.append(key)
    ends = world.now + TERM
    early = world.now + chance.between(YEAR // 3, TERM - 120 * DAY)
    if chance.happens(0.1):
        yield world.now + chance.between(30 * DAY, YEAR // 3 - DAY)
        _change_details(world, stream, member)
    if chance.happens(0.1):
        yield early
        group.experts.remove(key)
        world.start(nomination(world, group, member, None, replaces=key))
    elif chance.happens(0.03):
        yield early
        group.experts.remove(key)
        world.execute(
            f"nomination/{key}", commands.WithdrawNomination(withdrawn_on=day(world.now)),
            role="focal_point", actor=f"syn-focal-{member.lower()}", member=member,
        )  # fmt: skip
    else:
        yield ends
        group.experts.remove(key)
    yield max(world.now + 80 * DAY, ends)
    if world.platform.state(stream).stage == "active":
        world.execute(stream, commands.EndMembership(reason="term_ended", ended_on=day(world.now)))
    yield world.days(100, 120)
    world.platform.discard(f"nomination/{key}", stream)
