import pytest

from services.recommendations.commands import (
    MergeRecommendation,
    NoteLineage,
    ReviseRecommendation,
    SplitRecommendation,
    SupersedeRecommendation,
    WithdrawRecommendation,
)
from services.recommendations.domain.lineage import meant_for
from services.recommendations.domain.recommendation import RECOMMENDATION
from services.recommendations.domain.rules import NamesUnknownRecommendation
from shared.domain.rejections import OutOfOrder
from shared.events import recommendations as r
from tests.given import known
from tests.recommendations.synthetic import REFERENCE, a_recommendation

OTHERS = {
    stream: item
    for reference in ("SYN/2030/R2", "SYN/2030/R3", REFERENCE)
    for stream, item in known(
        RECOMMENDATION, f"recommendation/{reference}", r.RecommendationDrafted(reference=reference, title="Synthetic")
    ).items()
}
PARTS = ("SYN/2030/R2", "SYN/2030/R3")
CLOSING = {
    SupersedeRecommendation(by="SYN/2030/R2"): r.RecommendationSuperseded(by="SYN/2030/R2"),
    MergeRecommendation(into="SYN/2030/R2"): r.RecommendationMerged(into="SYN/2030/R2"),
    SplitRecommendation(into=("SYN/2030/R2", "SYN/2030/R3")): r.RecommendationSplit(
        into=("SYN/2030/R2", "SYN/2030/R3")
    ),
    WithdrawRecommendation(reason="Synthetic"): r.RecommendationWithdrawn(reason="Synthetic"),
}


@pytest.mark.parametrize(("command", "event"), CLOSING.items(), ids=lambda item: type(item).__name__)
def test_it_is_closed_in_favour_of_others_on_record(command, event):
    a_recommendation().knowing(OTHERS).when(command).then(event).then_stage("closed")


@pytest.mark.parametrize(
    "command",
    [
        SupersedeRecommendation(by="SYN/2030/R9"),
        MergeRecommendation(into=REFERENCE),
        SupersedeRecommendation(by=REFERENCE),
    ],
    ids=["unknown", "merged into itself", "superseded by itself"],
)
def test_it_is_not_closed_in_favour_of_an_unknown_recommendation_or_itself(command):
    a_recommendation().knowing(OTHERS).when(command).then_refused(NamesUnknownRecommendation)


def test_it_is_not_split_into_itself():
    a_recommendation().knowing(OTHERS).when(SplitRecommendation(into=("SYN/2030/R2", REFERENCE))).then_refused(
        NamesUnknownRecommendation
    )


def test_a_closed_recommendation_accepts_no_commands_of_people():
    closed = a_recommendation(r.RecommendationWithdrawn(reason="Synthetic"))
    closed.when(ReviseRecommendation(title="Late")).then_refused(OutOfOrder)
    closed.when(WithdrawRecommendation(reason="Again")).then_refused(OutOfOrder)


def test_a_closed_recommendation_still_records_the_other_side_of_a_closing():
    closed = a_recommendation(r.RecommendationWithdrawn(reason="Synthetic")).knowing(OTHERS)
    closed.when(NoteLineage(absorbs="SYN/2030/R2")).then(r.RecommendationMerged(absorbs="SYN/2030/R2"))


def test_a_split_is_recorded_on_each_part():
    split = r.RecommendationSplit(into=("SYN/2030/R2", "SYN/2030/R3"), on="2031")
    expected = {part: NoteLineage(split_from=REFERENCE, on="2031") for part in split.into or ()}
    assert meant_for(split, REFERENCE) == expected


def test_the_other_side_of_a_closing_triggers_nothing():
    assert meant_for(r.RecommendationMerged(absorbs="SYN/2030/R2"), REFERENCE) == {}


def test_a_closing_is_noted_as_certain_as_it_was_recorded():
    certain = {"status": "verified", "source": "Synthetic report"}
    ((reference, note),) = meant_for(r.RecommendationMerged(into=REFERENCE, **certain), "SYN/2030/R2").items()
    assert reference == REFERENCE
    expected = r.RecommendationMerged(absorbs="SYN/2030/R2", **certain)
    a_recommendation().knowing(OTHERS).when(note).then(expected)
