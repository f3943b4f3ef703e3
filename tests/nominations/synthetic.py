"""Synthetic nominations: no person, paper or institution here exists."""

from __future__ import annotations

from typing import Any

from services.nominations.domain.call import CALL
from services.nominations.domain.membership import MEMBERSHIP
from services.nominations.domain.nomination import NOMINATION
from shared.events.nominations import (
    CallForNominationsClosed,
    CallForNominationsOpened,
    MembershipBegan,
    NominationSubmitted,
    RecordCorrected,
)
from shared.events.values import NoteVerbale, Sealed
from tests.given import known

NOTE_VERBALE = NoteVerbale(channel="note_verbale", reference="SYNTHETIC/NV/1")
SEALED = Sealed(person="synthetic-person", box="A" * 40)
OPENED = CallForNominationsOpened(call="synthetic-call", title="Synthetic call", themes=("Clean air for all",))
BEGAN = MembershipBegan(membership="n1", nomination="n1", person="synthetic-person", member="FJI")

PAPER: dict[str, Any] = {
    "note_verbale": NOTE_VERBALE,
    "sealed": SEALED,
    "institution": "Synthetic Institute",
    "category": "academia",
}
WRITTEN: dict[str, Any] = PAPER | {"nomination": "n1", "member": "FJI", "person": "synthetic-person"}
SUBMITTED = NominationSubmitted(**WRITTEN)

OPEN_CALL = known(CALL, "call/synthetic-call", OPENED)
CLOSED_CALL = known(CALL, "call/synthetic-call", OPENED, CallForNominationsClosed())


def membership(key: str, member: str) -> dict[str, Any]:
    """Return a known membership of that member."""
    return known(MEMBERSHIP, f"membership/{key}", BEGAN.model_copy(update={"membership": key, "member": member}))


def nomination(*events: Any) -> dict[str, Any]:
    """Return the known nomination n1, submitted, with these further events."""
    return known(NOMINATION, "nomination/n1", SUBMITTED, *events)


def corrected(version: int, data: Any) -> RecordCorrected:
    """Correct the event of that version."""
    whole = data.model_dump(mode="json", exclude_none=True)
    return RecordCorrected(corrects=version, data=whole, reason="synthetic slip of the pen")
