"""One full example of each event of the nominations service. Synthetic: no person, paper or institution here exists."""

from __future__ import annotations

from shared.events import nominations as n
from shared.events.event import Event
from shared.events.values import NoteVerbale
from shared.privacy.key_ring import encrypt
from tests.contracts.examples.common import CERTAIN, DIGEST, ENCRYPTION_KEY

SEALED = encrypt(ENCRYPTION_KEY, "synthetic-person", {"name": "Synthetic Person", "contact": "synthetic@example.org"})
NOTE = NoteVerbale(channel="note_verbale", reference="SYNTHETIC/NV/7", digest=DIGEST)

EXAMPLES: dict[str, Event] = {
    "CallForNominationsOpened": n.CallForNominationsOpened(
        call="synthetic-call",
        title="Synthetic call for experts in clean air 🌏",
        opened_on="2031",
        closes_on="2031-02",
        themes=("air pollution", "synthetic theme"),
        **CERTAIN,
    ),
    "CallForNominationsClosed": n.CallForNominationsClosed(closed_on="2031-02-28", **CERTAIN),
    "NominationSubmitted": n.NominationSubmitted(
        nomination="synthetic-nomination",
        call="synthetic-call",
        member="FJI",
        note_verbale=NOTE,
        person="synthetic-person",
        sealed=SEALED,
        institution="Synthetic Institute of Air",
        category="academia",
        expertise=("synthetic monitoring",),
        themes=("air pollution",),
        capacity="alternate",
        replaces="synthetic-earlier",
        submitted_on="2031-01-15",
        **CERTAIN,
    ),
    "NominationReturned": n.NominationReturned(
        reason="The synthetic note verbale has no reference.", returned_on="2031-01-20", **CERTAIN
    ),
    "NominationResubmitted": n.NominationResubmitted(
        note_verbale=NOTE,
        sealed=SEALED,
        institution="Synthetic Institute of Air and Water",
        category="other",
        expertise=("synthetic monitoring", "synthetic modelling"),
        themes=("air pollution",),
        capacity="principal",
        replaces="synthetic-earlier",
        resubmitted_on="2031-01-25",
        **CERTAIN,
    ),
    "NominationAmended": n.NominationAmended(
        note_verbale=NOTE,
        sealed=SEALED,
        institution="Synthetic Institute of Air",
        category="official",
        expertise=("synthetic modelling",),
        themes=("air pollution", "synthetic theme"),
        capacity="principal",
        replaces="synthetic-earlier",
        amended_on="2031-01-18",
        **CERTAIN,
    ),
    "NominationAccepted": n.NominationAccepted(accepted_on="2031-02-01", **CERTAIN),
    "NominationDeclined": n.NominationDeclined(ground="duplicate", declined_on="2031-02-01", **CERTAIN),
    "NominationWithdrawn": n.NominationWithdrawn(withdrawn_on="2031-02-02", **CERTAIN),
    "MembershipBegan": n.MembershipBegan(
        membership="synthetic-nomination",
        nomination="synthetic-nomination",
        person="synthetic-person",
        member="FJI",
        capacity="alternate",
        replaces="synthetic-earlier",
        began_on="2031-02-01",
        **CERTAIN,
    ),
    "ExpertDetailsChanged": n.ExpertDetailsChanged(
        changed_on="2032-03",
        sealed=SEALED,
        institution="Synthetic Institute of Water",
        category="civil_society",
        expertise=("synthetic measuring",),
        themes=(),
        **CERTAIN,
    ),
    "MembershipEnded": n.MembershipEnded(reason="term_ended", ended_on="2033", **CERTAIN),
    "ExpertErased": n.ExpertErased(person="synthetic-person", reason="Synthetic request of the person", **CERTAIN),
    "RecordCorrected": n.RecordCorrected(
        corrects=1,
        data={"call": "synthetic-call", "title": "Synthetic call, its title put right", "themes": []},
        data_type="throughline.nominations.CallForNominationsOpened.v1",
        reason="A synthetic slip of the pen.",
        **CERTAIN,
    ),
    "RecordVoided": n.RecordVoided(voids=3, reason="Entered in the wrong synthetic stream.", **CERTAIN),
}
