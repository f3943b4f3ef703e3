"""The roster: who was a member of the group on a day, with what particulars, and who replaced whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal, TypeAlias

from services.nominations.domain.membership import Active, Ended
from services.nominations.domain.nomination_states import Absent, Nomination
from shared.domain.dates import in_words
from shared.domain.voids import Void
from shared.events.nominations import ExpertDetailsChanged, NominationSubmitted
from shared.events.values import Sealed, earliest_day, latest_day
from shared.events.words import Category

OnRecord: TypeAlias = Active | Ended
Certainty = Literal["certain", "possibly", "date unknown"]
_Happened = Literal["yes", "no", "possibly", "unknown"]
_A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Validity:
    """How certain it is that an expert was a member on a day, and in words why it is not."""

    certainty: Certainty
    because: tuple[str, ...] = ()


@dataclass(frozen=True)
class Particulars:
    """A member's particulars on a day, as far as they are known; `possibly` are changes of that day or a later one."""

    sealed: Sealed | None = None
    institution: str | None = None
    category: Category | None = None
    expertise: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    possibly: tuple[ExpertDetailsChanged, ...] = ()


def standing_on(membership: OnRecord, day: date) -> Validity | None:
    """Tell whether a membership held on a day, its own last day included; None where it did not."""
    begun = _happened(membership.began.began_on, membership.began_by, day)
    ended: _Happened = "no"
    if isinstance(membership, Ended):
        ended = _happened(membership.ended.ended_on, membership.ended_by, day - _A_DAY)
    if begun == "no" or ended == "yes":
        return None
    because = tuple(_doubts(membership, begun, ended))
    if "unknown" in (begun, ended):
        return Validity("date unknown", because)
    return Validity("possibly" if because else "certain", because)


def _happened(on: str | None, by: str | None, day: date) -> _Happened:
    """Tell whether a fact had happened by a day: of its date as far as it is known, or else of that of its record."""
    if on is None:
        return "yes" if by is not None and latest_day(by) <= day else "unknown"
    if latest_day(on) <= day:
        return "yes"
    return "possibly" if earliest_day(on) <= day else "no"


def _doubts(membership: OnRecord, begun: _Happened, ended: _Happened) -> Iterator[str]:
    if begun == "possibly":
        yield f"It began in {in_words(membership.began.began_on)}; the day is not on record."
    if begun == "unknown":
        yield "The date of its beginning is not on record."
    if ended == "possibly" and isinstance(membership, Ended):
        yield f"It ended in {in_words(membership.ended.ended_on)}; the day is not on record."
    if ended == "unknown":
        yield "It has ended; the date is not on record."


def particulars_on(membership: OnRecord, nominated: Particulars, day: date | None) -> Particulars:
    """Return a member's particulars on a day, or now: those of the nomination, and what changed since."""
    particulars = nominated
    changes = [each.change for each in membership.changes]
    for change in sorted(changes, key=lambda each: latest_day(each.changed_on)):
        happened: _Happened = "yes" if day is None else _happened(change.changed_on, None, day)
        if happened == "yes":
            given = change.model_dump(include={"institution", "category", "expertise", "themes"}, exclude_none=True)
            particulars = replace(particulars, **given, sealed=change.sealed or particulars.sealed)
        elif happened == "possibly":
            particulars = replace(particulars, possibly=(*particulars.possibly, change))
    is_other = particulars.sealed is not None and particulars.sealed.person != membership.began.person
    return replace(particulars, sealed=None) if is_other else particulars


def nominated_in(nomination: Nomination) -> Particulars:
    """Return the particulars that a nomination gives; of a void one, those of its submission."""
    if isinstance(nomination, Absent):
        return Particulars()
    if isinstance(nomination, Void):
        written = NominationSubmitted.model_validate(nomination.recorded)
    else:
        written = nomination.particulars
    return Particulars(written.sealed, written.institution, written.category, written.expertise, written.themes)


def chain_of(membership: str, memberships: Mapping[str, OnRecord], after: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the memberships before and after one in the order of replacement, itself among them; each once.

    `after` are the `replacements` among the memberships, which the chains of a whole roster share.
    """
    chain = [membership]
    while (earlier := memberships[chain[0]].began.replaces) and earlier in memberships and earlier not in chain:
        chain.insert(0, earlier)
    following = [membership]
    while later := {key for each in following for key in after.get(each, ())} - {*chain}:
        following = sorted(later)
        chain += following
    return chain


def replacements(memberships: Mapping[str, OnRecord]) -> dict[str, list[str]]:
    """Return the memberships that replace one, in order, by the one replaced."""
    after: dict[str, list[str]] = {}
    for key in sorted(memberships):
        if replaced := memberships[key].began.replaces:
            after.setdefault(replaced, []).append(key)
    return after
