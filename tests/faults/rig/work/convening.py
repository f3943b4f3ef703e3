"""Meetings proposed, confirmed by two, attended, held; or recorded, rescheduled, cancelled, corrected."""

from __future__ import annotations

from typing import Any

from tests.faults.rig.work.desks import Desks
from tests.faults.rig.work.world import World

AT = {"starts_at": "2021-03-01T09:00:00+07:00", "ends_at": "2021-03-01T12:00:00+07:00"}
LATER = {"starts_at": "2021-03-08T09:00:00+07:00", "ends_at": "2021-03-08T12:00:00+07:00"}


def story(desks: Desks, world: World) -> None:
    """Run one meeting from its proposal to its outcome."""
    meeting = world.key("meeting")
    if desks.likely(0.15):
        desks.secretariat.send("meetings", "/recorded-meetings", meeting=meeting, title="Synthetic", kind="forum", **AT)
    elif not _convene(desks, world, meeting):
        return
    version = _record_content(desks, world, f"/meetings/{meeting}")
    world.meetings.add(f"{meeting}:{version}")


def a_meeting_half_confirmed(desks: Desks, world: World) -> str:
    """Propose a meeting and confirm it for the secretariat; the chair's confirmation then appends two events."""
    meeting = world.key("meeting")
    proposed: dict[str, Any] = {"meeting": meeting, "kind": "technical_expert_group", "modality": "hybrid", **AT}
    desks.secretariat.send("meetings", "/meetings", title="Synthetic meeting", **proposed)
    desks.secretariat.send("meetings", f"/meetings/{meeting}/confirm")
    return meeting


def _convene(desks: Desks, world: World, meeting: str) -> bool:
    """Propose, confirm and hold a meeting; return False if it is cancelled."""
    secretariat, one = desks.secretariat, f"/meetings/{meeting}"
    proposed: dict[str, Any] = {"meeting": meeting, "kind": "technical_expert_group", "modality": "hybrid", **AT}
    secretariat.send("meetings", "/meetings", title="Synthetic metting", **proposed)
    confirmers = [secretariat, desks.of("chair")]
    desks.chance.shuffle(confirmers)
    if desks.likely(0.15):
        secretariat.send("meetings", f"{one}/reschedule", **LATER)
        confirmers.remove(secretariat)
    for confirmer in confirmers:
        confirmer.send("meetings", f"{one}/confirm")
    if desks.likely(0.1):
        secretariat.send("meetings", f"{one}/cancel", reason="Synthetic: no quorum")
        return False
    if desks.likely(0.3):
        corrected = {**proposed, "title": "Synthetic meeting"}
        secretariat.send("meetings", f"{one}/correct", corrects=1, data=corrected, reason="Synthetic slip of the pen")
    secretariat.send("meetings", f"{one}/agenda", item="opening", title="Synthetic opening")
    if "meetings" not in world.older:
        secretariat.send("meetings", f"{one}/agenda", item="welcome", title="Synthetic welcome", before="opening")
        if desks.likely(0.5):
            secretariat.send("meetings", f"{one}/order-agenda", items=["opening", "welcome"])
    secretariat.send("meetings", f"{one}/hold")
    return True


def _record_content(desks: Desks, world: World, one: str) -> int:
    attendees = [
        {"membership": named.partition(":")[2], "presence": desks.chance.choice(["in_room", "remote"])}
        for named in world.memberships.some(desks.chance, 3)
    ]
    if attendees and "meetings" not in world.older and desks.likely(0.5):
        desks.secretariat.send("meetings", f"{one}/attendance-list", attendance=attendees)
    else:
        for attendee in attendees:
            desks.secretariat.send("meetings", f"{one}/attendance", **attendee)
    rendition = {"media_type": "text/html", "language": "en", "digest": "0" * 64, "accessible": True}
    desks.secretariat.send(
        "meetings", f"{one}/documents", document="paper", title="Synthetic paper", renditions=[rendition]
    )
    for priority in world.priorities.some(desks.chance, 1):
        desks.secretariat.send("meetings", f"{one}/agenda", item="item", title="Synthetic item", priority=priority)
    desks.secretariat.send("meetings", f"{one}/outcomes", outcome="d1", kind="decision", text="Synthetic decision")
    desks.secretariat.send("meetings", f"{one}/outcomes", outcome="a1", kind="action_point", text="Synthetic action")
    if "meetings" not in world.older:
        desks.secretariat.send("meetings", f"{one}/close-action-point", outcome="a1", end="done")
    outcome = {"outcome": "o1", "kind": "decision", "text": "Synthetic decision"}
    version = desks.secretariat.send("meetings", f"{one}/outcomes", **outcome).version
    while desks.likely(0.2):
        version = desks.secretariat.send("meetings", f"{one}/void", voids=version, reason="Synthetic mistake").version
    return version
