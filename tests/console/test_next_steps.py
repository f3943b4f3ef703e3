"""The next step of a recommendation: a sentence for every stage, and commands that there are."""

from __future__ import annotations

import pytest

from tests.cli.record_in_memory import public_traces
from tools.client import api
from tools.console.next_steps import next_step, of_row, of_trace
from tools.console.offers import ALLOWED, offered

WORDS = {each.word for each in api.commands() if each.noun == "recommendation" and not each.is_new}
STAGES = next(
    each.words
    for query in api.queries()
    if (query.noun, query.word) == ("trace", "list")
    for each in query.filters
    if each.name == "stage"
)


def test_every_command_is_allowed_at_some_stage_and_every_word_is_a_command():
    assert {word for words in ALLOWED["recommendation"].values() for word in words} == WORDS
    assert ALLOWED["recommendation"].keys() == set(STAGES)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("live", [0, 1])
@pytest.mark.parametrize("outcomes", [[], ["deferred"], ["returned"], ["unknown"], ["endorsed"]])
def test_each_stage_has_a_next_step_that_it_allows(stage: str, live: int, outcomes: list[str]):
    following = next_step(stage, outcomes, live, 1)
    assert following.sentence.endswith(".")
    assert following.word is None or following.word in ALLOWED["recommendation"][stage]


@pytest.mark.parametrize(
    ("stage", "outcomes", "live", "cited", "word"),
    [
        ("drafted", [], 0, 0, "cite"),
        ("drafted", [], 0, 2, "reconfirm"),
        ("drafted", [], 1, 2, "adopt"),
        ("adopted", [], 1, 1, "transmit"),
        ("adopted", ["returned"], 1, 1, "transmit"),
        ("transmitted", [], 0, 1, "dispose"),
        ("transmitted", ["deferred"], 1, 1, "dispose"),
        ("disposed", ["returned"], 1, 1, "revise"),
        ("disposed", ["returned", "endorsed"], 1, 1, "report-follow-up"),
        ("withdrawn", [], 0, 0, None),
        ("void", [], 0, 0, None),
    ],
)
def test_the_next_step_follows_from_stage_citations_and_outcome(
    stage: str, outcomes: list[str], live: int, cited: int, word: str | None
):
    assert next_step(stage, outcomes, live, cited).word == word


def test_the_likely_step_comes_first_and_a_closed_one_is_only_put_right():
    def words(stage: str, first: str | None = None) -> list[str]:
        return [each.word for each in offered(commands, "recommendation", stage, first)]

    commands = [each for each in api.commands() if each.noun == "recommendation" and not each.is_new]
    assert words("drafted", "cite")[:2] == ["cite", "adopt"]
    assert words("withdrawn") == ["correct", "void"]
    assert words("void") == ["void"]


def test_every_offer_of_a_kind_is_a_command_on_it():
    for noun, stages in ALLOWED.items():
        known = {each.word for each in api.commands() if each.noun == noun and not each.is_new}
        assert {word for words in stages.values() for word in words} <= known, noun


def test_a_row_of_the_list_says_the_same_as_the_trace():
    for trace in public_traces().values():
        standings = [each["standing"] for each in trace["mandates"]]
        row = {
            "stage": trace["recommendation"]["standing"],
            "dispositions": [each["outcome"] for each in trace["dispositions"]],
            "mandates": {"live": standings.count("live"), "all": len(standings)},
        }
        assert of_row(row) == of_trace(trace)
