"""Governments nominate; the secretariat registers, returns, declines; policies begin and end memberships."""

from __future__ import annotations

from typing import Any

from tests.faults.rig.work.desks import MEMBERS, Desks
from tests.faults.rig.work.world import World

NAME, CONTACT = "Synthetic Expert of the Rig", "synthetic.expert@example.org"


def story(desks: Desks, world: World) -> None:
    """Run one nomination from the note verbale to its outcome."""
    member, _, replaced = _choose_member(desks, world).partition(":")
    government, secretariat = desks.of("focal_point", member), desks.secretariat
    nomination = world.key("nomination")
    one = f"/nominations/{nomination}"
    written: dict[str, Any] = {
        "details": {"name": NAME, "contact": CONTACT},
        "note_verbale": {"channel": "note_verbale", "reference": f"SYN/{nomination}"},
        "institution": "Synthetic ministry",
        "category": "official",
    }
    if replaced:
        written["replaces"] = replaced
    government.send("nominations", "/nominations", nomination=nomination, member=member, **written)
    if desks.likely(0.2):
        secretariat.send("nominations", f"{one}/return", reason="Synthetic: the form is not signed")
        government.send("nominations", f"{one}/resubmit", **written)
    if "nominations" not in world.older and desks.likely(0.2):
        government.send("nominations", f"{one}/amend", **written | {"category": "academia"})
    if desks.likely(0.15):
        secretariat.send("nominations", f"{one}/decline", ground="duplicate")
        return
    accepted = secretariat.send("nominations", f"{one}/accept", accepted_on="2021-01-10").version
    secretariat.await_read("nominations", f"/memberships/{nomination}", at_least=1)
    if desks.likely(0.1):
        _void(desks, one, accepted)
        return
    if "nominations" not in world.older and desks.likely(0.2):
        details = {"name": NAME, "contact": CONTACT}
        changed = {"changed_on": "2021-01-20", "institution": "Synthetic institute", "details": details}
        government.send("nominations", f"/memberships/{nomination}/change", **changed)
    if desks.likely(0.1):
        government.send("nominations", f"{one}/withdraw", withdrawn_on="2021-02-01")
    else:
        world.memberships.add(f"{member}:{nomination}")


def _void(desks: Desks, one: str, version: int) -> None:
    """Void an acceptance, and sometimes its void, and that one again."""
    version = desks.secretariat.send("nominations", f"{one}/void", voids=version, reason="Synthetic mistake").version
    if desks.likely(0.5):
        _void(desks, one, version)


def _choose_member(desks: Desks, world: World) -> str:
    """Choose `member:membership`: a member, and sometimes the membership of its expert to replace."""
    named = world.memberships.take(desks.chance) if desks.likely(0.15) else None
    return named or f"{desks.chance.choice(MEMBERS)}:"
