"""The rules of this service, each a rejection whose name is a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shared.domain.rejections import Rejection, StateConflict, UnknownReference
from shared.domain.single_facts import FactRefused


@dataclass(frozen=True)
class CitesUnknownProvision(UnknownReference):
    """A provision is cited from the register."""

    says: ClassVar[str] = "{instrument} has no provision {provision} on record: register it first"

    instrument: str
    provision: str


@dataclass(frozen=True)
class NamesUnknownInstrument(UnknownReference):
    """An instrument is named from the register."""

    says: ClassVar[str] = "no instrument {instrument} is on record: register it first"

    instrument: str


@dataclass(frozen=True)
class InstrumentIsRegistered(FactRefused):
    """An instrument is registered once: its citation and symbol are no other's."""

    says: ClassVar[str] = (
        "{field} {text!r} is on record as that of instrument/{other}, {cite!r}: use that one, or correct the wrong one"
    )

    text: str
    other: str
    cite: str


@dataclass(frozen=True)
class InstrumentRelatesToItself(UnknownReference):
    """An instrument is related to another one."""

    says: ClassVar[str] = "{stream} is not related to itself: name the other instrument in `by`"

    stream: str


@dataclass(frozen=True)
class RelationsFormACircle(Rejection):
    """A relation leads to what came later, and never back, through however many others."""

    says: ClassVar[str] = "{other} leads back to {stream} already: one of the two relations is wrong, correct it first"

    stream: str
    other: str


@dataclass(frozen=True)
class ProvisionHasNoReportingDuty(UnknownReference):
    """A discharge names a provision that asks for a report."""

    says: ClassVar[str] = "{stream}: provision {provision} asks for no report: correct its registration first"

    stream: str
    provision: str


@dataclass(frozen=True)
class NamesUnknownPriority(UnknownReference):
    """A priority is named from the record."""

    says: ClassVar[str] = "no priority {priority} is on record: select it first"

    priority: str


@dataclass(frozen=True)
class NamesUnknownSession(UnknownReference):
    """A session of the Committee is named from the record."""

    says: ClassVar[str] = "no session {session} of the Committee is on record: record it first"

    session: int


@dataclass(frozen=True)
class SessionIsTheCommittees(UnknownReference):
    """The Committee's own sessions have a register of their own."""

    says: ClassVar[str] = "{body} is the Committee: record session {session} as a session of the Committee"

    body: str
    session: int


@dataclass(frozen=True)
class NamesUnknownDeliverable(UnknownReference):
    """A deliverable is named from the record."""

    says: ClassVar[str] = "no deliverable {deliverable} is on record: record it first"

    deliverable: str


@dataclass(frozen=True)
class NamesUnknownRecommendation(UnknownReference):
    """A recommendation is named by a reference on record, other than its own."""

    says: ClassVar[str] = "no other recommendation {reference} is on record"

    reference: str


@dataclass(frozen=True)
class CitationNotOnRecord(UnknownReference):
    """A citation that is taken back or reconfirmed is on record."""

    says: ClassVar[str] = "{stream} does not cite {provision} of {instrument}"

    stream: str
    instrument: str
    provision: str


@dataclass(frozen=True)
class ReconfirmsUnknownSupersession(UnknownReference):
    """A reconfirmation names the supersession that it answers."""

    says: ClassVar[str] = "it is not on record that {superseded_by} superseded {instrument}"

    instrument: str
    superseded_by: str


@dataclass(frozen=True)
class ProvisionNotOnRecord(UnknownReference):
    """A reporting duty is that of a registered provision."""

    says: ClassVar[str] = "{stream} has no provision {provision} on record"

    stream: str
    provision: str


@dataclass(frozen=True)
class MeetingNotHeld(Rejection):
    """A recommendation is adopted at a meeting that was held."""

    says: ClassVar[str] = (
        "{meeting} was not held (it is {state}); a recommendation is adopted at a meeting that was held"
    )

    meeting: str
    state: str


@dataclass(frozen=True)
class AdoptionHasNoMeeting(Rejection):
    """An adoption without a meeting is for an old record that is silent: status unknown, with a note."""

    says: ClassVar[str] = "name the meeting, or give status unknown and a note that says why the record is silent"


@dataclass(frozen=True)
class OnlySecretariatRecordsAnUnknownAdoption(Rejection):
    """An adoption with status unknown is for the secretariat only."""

    says: ClassVar[str] = "only the secretariat records an adoption with status unknown, not the role {role}"

    role: str


@dataclass(frozen=True)
class ChairAdoptsOnADecision(Rejection):
    """The chair adopts a recommendation on a decision of a meeting that was held."""

    says: ClassVar[str] = (
        "the chair adopts on a recorded decision of {meeting}: give its id in `outcome`; a decision that is not on "
        "record yet is recorded by the secretariat first"
    )

    meeting: str


@dataclass(frozen=True)
class AdoptionRestsOnUnknownDecision(FactRefused, UnknownReference):
    """An adoption names a decision that is on record of its meeting."""

    says: ClassVar[str] = (
        "{field} {outcome} is no decision on record here of {meeting}: check its id, record the decision first, or try "
        "again in a moment where it was just recorded"
    )

    outcome: str
    meeting: str


@dataclass(frozen=True)
class RecommendationNotAdopted(Rejection):
    """A recommendation is transmitted only after its adoption was recorded."""

    says: ClassVar[str] = "the adoption of {reference} is not on record: record it before transmission"

    reference: str


@dataclass(frozen=True)
class RecommendationCitesNoMandate(Rejection):
    """A recommendation cites a provision that is live on the date of transmission."""

    says: ClassVar[str] = "{reference} cites no provision that was live on {on}: cite one before transmission"

    reference: str
    on: str


@dataclass(frozen=True)
class RecommendationNotTransmitted(Rejection):
    """The Committee disposes of what was transmitted to that session, or deferred by an earlier one."""

    says: ClassVar[str] = (
        "{reference} was not transmitted to session {session}, nor deferred by an earlier one: record that first"
    )

    reference: str
    session: int


@dataclass(frozen=True)
class SessionHasNotBegun(StateConflict):
    """The Committee disposes of a recommendation at a session that has begun."""

    says: ClassVar[str] = (
        "session {session} begins on {starts_on}, which has not come: record it then, or correct the session"
    )

    session: int
    starts_on: str
