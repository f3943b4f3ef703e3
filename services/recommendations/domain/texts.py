"""Text versions of a recommendation: title and text, numbered by the event that stated them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from services.recommendations.domain import text_rules
from services.recommendations.domain.recorded_fact import RecordedFact
from services.recommendations.domain.state import Absent, Recommendation, State
from shared.domain.correction_rules import CorrectionBreaksSchema
from shared.domain.rejections import Rejection
from shared.domain.voids import Void
from shared.events.recommendations import (
    RecommendationAdopted,
    RecommendationDrafted,
    RecommendationRevised,
    RecommendationTransmitted,
)

Chooses: TypeAlias = RecordedFact[RecommendationAdopted] | RecordedFact[RecommendationTransmitted]


class TextVersion(NamedTuple):
    """A title and text; `number` is the stream version of the event that stated them."""

    number: int
    title: str
    text: str | None
    fact: RecordedFact[RecommendationDrafted] | RecordedFact[RecommendationRevised]

    @property
    def clerical(self) -> bool:
        """True where it puts a slip of the version before it right."""
        return isinstance(self.fact.data, RecommendationRevised) and self.fact.data.clerical is True


Texts: TypeAlias = Mapping[int, TextVersion]


def texts_of(state: Recommendation) -> dict[int, TextVersion]:
    """Return the text versions by number, in the order of recording."""
    title, text, versions = state.drafted.data.title, None, dict[int, TextVersion]()
    facts: tuple[RecordedFact[RecommendationDrafted] | RecordedFact[RecommendationRevised], ...]
    facts = (state.drafted, *state.revised)
    for fact in facts:
        stated = fact.data
        if stated.title is not None or stated.text is not None:
            title, text = stated.title or title, stated.text or text
            versions[fact.versions[0]] = TextVersion(fact.versions[0], title, text, fact)
    return versions


def latest(texts: Texts) -> TextVersion:
    """Return the latest text version on record."""
    return texts[max(texts)]


def number_of(fact: Chooses, texts: Texts) -> int:
    """Return the text version that an adoption or transmission concerns: the one named, else the latest before it."""
    return fact.data.text_version or max(number for number in texts if number <= fact.versions[0])


def adopted_numbers(state: Recommendation, texts: Texts) -> set[int]:
    """Return the text versions that were adopted, with the clerical versions that follow one."""
    return with_clerical({number_of(fact, texts) for fact in state.adoptions}, texts)


def with_clerical(numbers: set[int], texts: Texts) -> set[int]:
    """Return text versions, with the clerical versions that follow one of them."""
    followed = set(numbers)
    for before, after in pairwise(texts.values()):
        if after.clerical and before.number in followed:
            followed.add(after.number)
    return followed


def chosen(texts: Texts, number: int | None, stream: str) -> TextVersion | Rejection:
    """Return the text version that a command names, else the latest; or its refusal."""
    if number is None:
        return latest(texts)
    return texts.get(number) or text_rules.TextVersionNotOnRecord(stream, number, _listed(texts))


def _listed(numbers: Mapping[int, TextVersion] | set[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))


def not_adopted(stream: str, text: TextVersion, adopted: set[int]) -> Rejection | None:
    """Return the refusal of a text version that was not adopted."""
    if text.number in adopted:
        return None
    return text_rules.TextVersionNotAdopted(stream, text.number, _listed(adopted))


def judge_change(before: State, after: State, version: int, stream: str) -> Rejection | None:
    """Return the refusal of a correction that changes an adopted text, or names no text version on record.

    `before` and `after` are the states without and with the correction of `version`.
    """
    if isinstance(before, Absent | Void) or isinstance(after, Absent | Void):
        return None
    was, now = _texts_by_choice(before), _texts_by_choice(after)
    for choice, (number, text) in was.items():
        if choice != version and now.get(choice) != (number, text):
            return text_rules.AdoptedTextIsFixed(stream, number)
    if was and _states_text(before, version) != _states_text(after, version):
        says = (
            "title, text, clerical: a correction neither adds nor removes a text version: revise, or void the revision"
        )
        return CorrectionBreaksSchema("RecommendationRevised", says)
    if version in now and now[version][1] is None:
        return text_rules.TextVersionNotOnRecord(stream, now[version][0], _listed(texts_of(after)))
    named = _choices_of(before).get(version)
    if named is not None and named.data.text_version and not _names_text(after, version):
        says = f"text_version: name the version of the text that it concerns ({was[version][0]} so far)"
        return CorrectionBreaksSchema(type(named.data).__name__, says)
    return None


def judge_void(before: State, after: State, then: Mapping[int, State], version: int, stream: str) -> Rejection | None:
    """Return the refusal of a void by which an adopted or transmitted text would read otherwise than it did.

    `then` has the state in which each version that holds again was recorded.
    """
    if isinstance(before, Absent | Void) or isinstance(after, Absent | Void):
        return None
    was = _texts_by_choice(before)
    for choice, (number, text) in sorted(_texts_by_choice(after).items(), reverse=True):
        if choice in then:
            earlier = _texts_by_choice(then[choice]).get(choice)
            if text is None:
                return text_rules.TextVersionNotOnRecord(stream, number, _listed(texts_of(after)))
            if earlier not in (None, (number, text)):
                return text_rules.TextReadsOtherwiseNow(stream, number, choice)
        elif choice in was and was[choice] != (number, text):
            return text_rules.AdoptedTextRestsOnIt(stream, version, was[choice][0], choice)
    return None


def _texts_by_choice(state: State) -> dict[int, tuple[int, tuple[str, str | None] | None]]:
    """Return the number and words of the text version that each adoption and transmission concerns."""
    if isinstance(state, Absent | Void):
        return {}
    texts, choices = texts_of(state), {}
    for version, fact in _choices_of(state).items():
        text = texts.get(number := number_of(fact, texts))
        choices[version] = number, (text.title, text.text) if text else None
    return choices


def _choices_of(state: Recommendation) -> dict[int, Chooses]:
    choices: tuple[Chooses, ...] = (*state.adoptions, *state.transmitted)
    return {fact.versions[0]: fact for fact in choices}


def _states_text(state: Recommendation, version: int) -> tuple[bool, bool | None]:
    """Tell whether the event of a version states a text version, and whether as a clerical one."""
    text = texts_of(state).get(version)
    return (text is not None, text.clerical if text else None)


def _names_text(state: Recommendation, version: int) -> bool:
    """Tell whether a version chooses a text by its number; a later adoption that names none does not count."""
    choice = _choices_of(state).get(version)
    return choice is not None and choice.data.text_version is not None
