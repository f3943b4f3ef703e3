"""Gaps between the text versions on record and those that were adopted, transmitted and disposed of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from services.recommendations.domain.texts import Texts, latest, with_clerical
from services.recommendations.trace.texts import differences
from shared.domain.dates import in_words
from shared.events.values import earliest_day, latest_day


class Choice(NamedTuple):
    """An adoption, or a transmission to a `session`: its text version, its day, and the version of its event."""

    text_version: int
    event_version: int
    day: str | None
    session: int | None = None

    @property
    def words(self) -> str:
        """Its name in words."""
        return "adoption" if self.session is None else f"transmission to session {self.session}"


def text_gaps(
    choices: Sequence[Choice], dispositions: Sequence[dict[str, Any]], visible: Texts, known: Texts
) -> Iterator[str]:
    """Yield what an auditor must know of the text versions; `visible` are those of `known` up to the window's day."""
    for choice in choices:
        if choice.text_version not in known:
            yield f"Version {choice.text_version} of its text is not on record, and its {choice.words} is."
    yield from _not_adopted(choices, visible, known)
    yield from _overtaken(dispositions, visible)
    yield from _contradictory_dates(choices, visible)


def _not_adopted(choices: Iterable[Choice], visible: Texts, known: Texts) -> Iterator[str]:
    """Yield the versions that are the latest or were transmitted, in other words than the last one adopted."""
    adopted = with_clerical({choice.text_version for choice in choices if choice.session is None}, known)
    if not (named := adopted & visible.keys()):
        return
    last, basis = latest(visible).number, visible[max(named)]
    sent = {choice.text_version: choice.session for choice in choices if choice.session is not None}
    for number in sorted((sent.keys() | {last}) & (visible.keys() - adopted)):
        if differences(basis, visible[number]):
            how = f"was transmitted to session {sent[number]}, and " if number in sent else ""
            yield f"Version {number} of its text {how}was not adopted; version {basis.number} was."


def _overtaken(dispositions: Sequence[dict[str, Any]], visible: Texts) -> Iterator[str]:
    """Yield that the Committee dealt with other words than the latest ones, save where those are clerical."""
    number = dispositions[-1].get("text_version") if dispositions else None
    if number is None or number not in visible:
        return
    last, session = latest(visible), dispositions[-1]["session"]
    if last.number not in with_clerical({number}, visible) and differences(visible[number], last):
        yield (
            f"Session {session} of the Committee dealt with version {number} of its text; "
            f"the text shown is version {last.number}."
        )


class _DatedText(NamedTuple):
    """A text version with the first and last day that its date may mean."""

    number: int
    on: str
    first: date
    last: date


def _contradictory_dates(choices: Iterable[Choice], visible: Texts) -> Iterator[str]:
    """Yield where the chosen version is dated after the act, and where one recorded after the act is dated before."""
    dated = {
        text.number: _DatedText(text.number, on, earliest_day(on), latest_day(on))
        for text in visible.values()
        if (on := text.fact.data.on) is not None and not text.clerical
    }
    for choice in choices:
        if choice.day is None:
            continue
        event, chosen = f"its {choice.words} of {in_words(choice.day)}", dated.get(choice.text_version)
        if chosen is not None and chosen.first > latest_day(choice.day):
            yield f"Version {chosen.number} of its text is of {in_words(chosen.on)}, after {event}."
        if (other := _recorded_late(choice, choice.day, chosen, dated)) is not None:
            yield (
                f"Version {other.number} of its text is of {in_words(other.on)}, before {event}, "
                f"which is on record of version {choice.text_version}."
            )


def _recorded_late(
    choice: Choice, day: str, chosen: _DatedText | None, dated: dict[int, _DatedText]
) -> _DatedText | None:
    """Return the last version recorded after an act, and dated between the chosen one and the act."""
    since, until = chosen.first if chosen else date.min, earliest_day(day)
    later = (text for text in reversed(dated.values()) if text.number > choice.event_version)
    return next((text for text in later if text.first >= since and text.last <= until), None)
