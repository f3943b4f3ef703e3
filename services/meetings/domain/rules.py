"""The rules of meetings, each a refusal with a sentence for a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shared.domain.rejections import Rejection, RuleKind


@dataclass(frozen=True)
class TwoConfirmationsConveneAMeeting(Rejection):
    """A proposed meeting is convened once chair and secretariat have both confirmed it; only then can it be held."""

    kind: ClassVar[RuleKind] = "house rule"
    says: ClassVar[str] = "{stream} is not convened: it still waits for confirmation by {waits_for}"

    stream: str
    waits_for: str


@dataclass(frozen=True)
class AgendaItemNamesUnknownProvision(Rejection):
    """An agenda item names provisions that are in the register."""

    kind: ClassVar[RuleKind] = "reference"
    says: ClassVar[str] = "instrument/{instrument} has no provision {provision} in the register: register it first"

    instrument: str
    provision: str
