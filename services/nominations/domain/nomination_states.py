"""The states of a nomination, and their fold."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from shared.domain.facts import Fact
from shared.domain.voids import Void
from shared.events.nominations import (
    NominationAccepted,
    NominationAmended,
    NominationDeclined,
    NominationResubmitted,
    NominationReturned,
    NominationSubmitted,
    NominationWithdrawn,
)
from shared.events.values import Model, WorldDate


class Absent(Model):
    """No nomination of this id is on record."""

    stage: Literal["absent"] = "absent"
    member: None = None


class _OnRecord(Model):
    """`particulars` is the nomination as it now stands; `since` and `submitted_at` are times of record.

    An amendment does not change since when it is in its stage.
    """

    particulars: NominationSubmitted
    versions: tuple[int, ...]
    submitted_at: str
    since: str

    @property
    def member(self) -> str:
        """The member whose Government nominates."""
        return self.particulars.member


class Submitted(_OnRecord):
    """It waits for the secretariat."""

    stage: Literal["submitted"] = "submitted"
    resubmitted_on: WorldDate | None = None
    amended_on: WorldDate | None = None


class Returned(_OnRecord):
    """It waits for the Government."""

    stage: Literal["returned"] = "returned"
    returned: NominationReturned


class Accepted(_OnRecord):
    """It is registered."""

    stage: Literal["accepted"] = "accepted"
    accepted: NominationAccepted


class Declined(_OnRecord):
    """It is not registered, on the ground named."""

    stage: Literal["declined"] = "declined"
    declined: NominationDeclined


class Withdrawn(_OnRecord):
    """The Government took it back."""

    stage: Literal["withdrawn"] = "withdrawn"
    withdrawn: NominationWithdrawn


OnRecord: TypeAlias = Submitted | Returned | Accepted | Declined | Withdrawn
Nomination: TypeAlias = Absent | Void | OnRecord


def evolve(state: Nomination, fact: Fact) -> Nomination:
    """Fold one fact of a nomination's stream."""
    if isinstance(fact.data, NominationSubmitted):
        return Submitted(particulars=fact.data, versions=fact.versions, submitted_at=fact.time, since=fact.time)
    if isinstance(state, Absent | Void):
        return state
    history = {"versions": state.versions + fact.versions, "submitted_at": state.submitted_at, "since": fact.time}
    stored: dict[str, Any] = {"particulars": state.particulars, **history}
    match fact.data:
        case NominationReturned() as returned:
            return Returned(**stored, returned=returned)
        case NominationResubmitted() as again:
            completed = stored | {"particulars": _completed(state.particulars, again)}
            return Submitted(**completed, resubmitted_on=again.resubmitted_on)
        case NominationAmended() as amended:
            return _amended(state, amended, fact.versions)
        case NominationAccepted() as accepted:
            return Accepted(**stored, accepted=accepted)
        case NominationDeclined() as declined:
            return Declined(**stored, declined=declined)
        case NominationWithdrawn() as withdrawn:
            return Withdrawn(**stored, withdrawn=withdrawn)
        case _:
            return state


def _amended(state: OnRecord, amended: NominationAmended, versions: tuple[int, ...]) -> OnRecord:
    """Put an amendment's fields in place, in whatever stage; it waits since its submission still."""
    particulars = _completed(state.particulars, amended)
    on = {"amended_on": amended.amended_on} if isinstance(state, Submitted) else {}
    return state.model_copy(update={"particulars": particulars, "versions": state.versions + versions, **on})


def _completed(
    particulars: NominationSubmitted, again: NominationResubmitted | NominationAmended
) -> NominationSubmitted:
    """Put the fields of a resubmission or amendment in the place of the submission's."""
    shared = type(again).model_fields.keys() & type(particulars).model_fields.keys()
    return particulars.model_copy(
        update={name: getattr(again, name) for name in shared} | {"person": again.sealed.person}
    )


def in_words(state: Nomination) -> str:
    """Return the stage of a nomination in words."""
    return "not on record" if isinstance(state, Absent) else state.stage


def submitted_day(state: OnRecord) -> str:
    """Return the day of a nomination's submission: that of its record where it is not said."""
    return state.particulars.submitted_on or state.submitted_at[:10]
