"""Instruments registered and superseded; recommendations drafted, cited, adopted, disposed of, merged, corrected."""

from __future__ import annotations

from typing import Any

from tests.faults.rig.work.desks import Desks
from tests.faults.rig.work.world import SESSIONS, World

SERVICE = "recommendations"


def prepare(desks: Desks, world: World) -> None:
    """Record the sessions and instruments that the stories name."""
    for session in SESSIONS:
        desks.secretariat.send(SERVICE, "/sessions", session=session, starts_on="2021-11-04")
    for _ in range(3):
        an_instrument(desks, world, shared=True)


def an_instrument(desks: Desks, world: World, *, shared: bool) -> str:
    """Register an instrument with two provisions; any story may cite a shared one, and none supersedes it."""
    instrument = world.key("instrument")
    desks.secretariat.send(
        SERVICE, "/instruments", instrument=instrument, cite=f"Synthetic {instrument}", body="SYN", title="Synthetic"
    )
    for provision in ("a", "b"):
        a_provision(desks, world, instrument, f"{instrument}/{provision}", shared=shared)
    return instrument


def a_provision(desks: Desks, world: World, instrument: str, provision: str, *, shared: bool) -> None:
    """Register a provision; any story may cite a shared one."""
    desks.secretariat.send(
        SERVICE, f"/instruments/{instrument}/provisions", provision=provision, summary="Synthetic ask"
    )
    if shared:
        world.provisions.add(f"{instrument}:{provision}")


def story(desks: Desks, world: World) -> None:
    """Run one recommendation from its draft to its disposition, while its mandates change."""
    reference = world.reference()
    send = _sender(desks, reference)
    drafted: dict[str, Any] = {"reference": reference, "title": "Synthetic recomendation", "themes": ["Synthetic"]}
    if priority := next(iter(world.priorities.some(desks.chance, 1)), None):
        drafted["priority"] = priority
    desks.secretariat.send(SERVICE, "/recommendations", **drafted)
    own = an_instrument(desks, world, shared=False)
    send("cite", instrument=own, provision=f"{own}/a")
    for cited in world.provisions.some(desks.chance, 2):
        instrument, _, provision = cited.partition(":")
        send("cite", instrument=instrument, provision=provision, status="verified")
    if desks.likely(0.4):
        corrected = {**drafted, "title": "Synthetic recommendation"}
        send("correct", corrects=1, data=corrected, reason="Synthetic slip of the pen")
    if desks.likely(0.3):
        send("revise", text="Synthetic text")
    _adopt_and_dispose(desks, world, send)
    _change_mandates(desks, world, send, own)
    _close(desks, world, send, reference)


def _sender(desks: Desks, reference: str) -> Any:
    def send(command: str, role: str = "secretariat", **body: Any) -> int:
        return desks.of(role).send(SERVICE, f"/recommendations/{reference}/{command}", **body).version

    return send


def _adopt_and_dispose(desks: Desks, world: World, send: Any) -> None:
    meetings = [_await_meeting(desks, named) for named in world.meetings.some(desks.chance, 2)]
    for meeting in meetings:
        send("discuss", meeting=meeting)
    _adopt(desks, world, send, meetings)
    session = desks.chance.choice(SESSIONS)
    send("transmit", session=session, on="2021-10-01")
    if desks.likely(0.3):
        _return_and_adopt_anew(desks, world, send, session)
    if desks.likely(0.8):
        _dispose(desks, send, session)
        reported = send("follow-up", progress="implemented", evidence={"text": "Synthetic"}, on="2022")
        _void(desks, send, reported)


def _adopt(desks: Desks, world: World, send: Any, meetings: list[str]) -> None:
    """Adopt the text; sometimes void that, and adopt it anew, or void the void."""
    silent = {"status": "unknown", "note": "Synthetic: the record is silent"}
    adoption = {"meeting": meetings[0], "status": "verified"} if meetings else silent
    if meetings and SERVICE not in world.older and desks.likely(0.5):
        adoption |= {"outcome": "d1", "role": desks.chance.choice(["secretariat", "chair"])}
    _done_anew(desks, send, "adopt", adoption)


def _dispose(desks: Desks, send: Any, session: int) -> None:
    """Dispose of the text, some at a later session than the one that deferred it."""
    later = [each for each in SESSIONS if each > session]
    if later and desks.likely(0.3):
        send("dispose", session=session, outcome="deferred", on="2021-11-05")
        session = desks.chance.choice(later)
    _done_anew(desks, send, "dispose", {"session": session, "outcome": "endorsed", "on": "2021-11-06"})


def _done_anew(desks: Desks, send: Any, command: str, body: dict[str, Any]) -> None:
    """Execute a command; sometimes void what it recorded, and execute it anew, or void the void."""
    version = send(command, **body)
    if desks.likely(0.2):
        voided = send("void", voids=version, reason="Synthetic mistake")
        if desks.likely(0.5):
            send("void", voids=voided, reason="Synthetic second thoughts")
        else:
            send(command, **body)


def _void(desks: Desks, send: Any, version: int) -> None:
    """Void an event sometimes, and sometimes that void, and that one again."""
    while desks.likely(0.4):
        version = send("void", voids=version, reason="Synthetic mistake")


def _return_and_adopt_anew(desks: Desks, world: World, send: Any, session: int) -> None:
    """Return the text, revise it, adopt the new version, put a slip right in some, and transmit it again."""
    send("dispose", session=session, outcome="returned", on="2021-11-04")
    send("revise", text="Synthetic text, revised after its retrun", on="2021-11-04")
    _adopt(desks, world, send, [])
    if desks.likely(0.5):
        send("revise", text="Synthetic text, revised after its return", clerical=True)
    send("transmit", session=session, on="2021-11-05")


def _await_meeting(desks: Desks, named: str) -> str:
    """Wait until the service has consumed a `meeting:version`, and return the meeting."""
    meeting, _, version = named.partition(":")
    desks.secretariat.await_read(SERVICE, f"/meetings-heard/{meeting}", at_least=version)
    return meeting


def _change_mandates(desks: Desks, world: World, send: Any, own: str) -> None:
    """Supersede the recommendation's own instrument after transmission; reconfirm the citation, or remove it."""
    if desks.likely(0.5):
        later = an_instrument(desks, world, shared=desks.likely(0.1))
        desks.secretariat.send(SERVICE, f"/instruments/{own}/supersede", by=later, on="2022-01")
        if desks.likely(0.5):
            send("reconfirm", instrument=own, provision=f"{own}/a", superseded_by=later)
        else:
            send("uncite", instrument=own, provision=f"{own}/a", reason="Synthetic: superseded")
    if shared := next(iter(world.provisions.some(desks.chance, 1)), None):
        instrument = shared.partition(":")[0]
        a_provision(desks, world, instrument, f"{instrument}/{world.number()}", shared=desks.likely(0.05))


def _close(desks: Desks, world: World, send: Any, reference: str) -> None:
    """Merge, supersede or split some in favour of others, in which a policy notes it."""
    others = world.recommendations.some(desks.chance, 2)
    if others and desks.likely(0.2):
        _void(desks, send, send("merge", into=others[0]))
    elif others and desks.likely(0.1):
        _void(desks, send, send("supersede", by=others[0]))
    elif len(others) == 2 and desks.likely(0.1):
        send("split", into=others)
    else:
        world.recommendations.add(reference)


def a_draft(desks: Desks, world: World) -> str:
    """Draft a recommendation, and return its reference."""
    reference = world.reference()
    desks.secretariat.send(SERVICE, "/recommendations", reference=reference, title="Synthetic", themes=["Synthetic"])
    return reference


def a_closed_priority(desks: Desks, world: World) -> None:
    """Select a priority, and close it immediately."""
    priority = world.key("priority")
    desks.secretariat.send(
        SERVICE, "/priorities", priority=priority, title="Synthetic", outcome="Synthetic outcome", timeline_to="2023"
    )
    desks.secretariat.send(SERVICE, f"/priorities/{priority}/close", reason="achieved")


def a_priority(desks: Desks, world: World) -> None:
    """Select a priority; sometimes close an earlier one, which no story names any more."""
    priority = world.key("priority")
    desks.secretariat.send(
        SERVICE, "/priorities", priority=priority, title="Synthetic", outcome="Synthetic outcome", timeline_to="2023"
    )
    world.priorities.add(priority)
    if desks.likely(0.5) and (closed := world.priorities.take(desks.chance)):
        desks.secretariat.send(SERVICE, f"/priorities/{closed}/close", reason="achieved")
