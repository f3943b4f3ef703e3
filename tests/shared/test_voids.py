"""Voids: a void event does not count, a void may be void itself, and a stream without its first event is void."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.meetings.domain.meeting import MEETING
from shared.consumer.record import ConsumedEvent
from shared.domain.aggregate import Aggregate, Context
from shared.domain.correction_rules import (
    CannotBeVoided,
    HasConsequences,
    RecordedByPolicy,
    RecordIsVoid,
    VersionIsVoid,
    VoidsNoEvent,
)
from shared.domain.facts import facts_of, folds_again
from shared.domain.voids import Void, voids_of
from shared.events.catalogue import Recorded
from shared.events.event import Event
from shared.events.meetings import (
    MeetingConfirmed,
    MeetingConvened,
    MeetingProposed,
    OutcomeRecorded,
    RecordCorrected,
    RecordVoided,
)
from shared.events.notifications import NotificationAttempted, NotificationPlanned, SubscriberErased
from shared.projection.fold import UNFOLDED, FoldedState, fold_on
from shared.projection.partial_fold import fold_whole
from shared.store.voiding import VoidRecord, decide_void
from tests.given import a_context, recorded
from tests.shared.test_folds import SEEN, consumed

STREAM = "meeting/m1"
PROPOSED = MeetingProposed(
    meeting="m1", title="Synthetic", kind="forum", modality="online", starts_at="2031", ends_at="2031"
)


def outcome(text: str = "Synthetic") -> OutcomeRecorded:
    """Return an event that any number of voids and corrections may name."""
    return OutcomeRecorded(outcome="o1", kind="decision", text=text)


def corrected(version: int, text: str = "Put right") -> RecordCorrected:
    """Return a correction of an outcome, whether or not it names one."""
    return RecordCorrected(
        corrects=version, data={"outcome": "o1", "kind": "decision", "text": text}, reason="Synthetic"
    )


def void(version: int) -> RecordVoided:
    """Return a void of a version."""
    return RecordVoided(voids=version, reason="Synthetic mistake")


def facts(*events: Event) -> list[tuple[int, ...]]:
    """Return the versions behind each fact of a stream."""
    return [fact.versions for fact in facts_of(recorded(STREAM, *events))]


def test_a_void_event_counts_no_more_and_the_others_do() -> None:
    assert facts(PROPOSED, outcome(), outcome(), void(2)) == [(1,), (3,)]


def test_a_void_correction_lets_the_one_before_it_hold_again() -> None:
    assert facts(PROPOSED, outcome(), corrected(2), corrected(2), void(4)) == [(1,), (2, 3)]
    assert facts(PROPOSED, outcome(), corrected(2), void(3)) == [(1,), (2,)]


def test_a_void_void_lets_what_it_voided_hold_again() -> None:
    assert facts(PROPOSED, outcome(), void(2), void(3)) == [(1,), (2,)]
    assert facts(PROPOSED, outcome(), void(2), void(3), void(4)) == [(1,)]


def test_the_last_void_of_an_event_counts() -> None:
    twice = (PROPOSED, outcome(), void(2), void(3), void(2))
    assert facts(*twice) == [(1,)]
    assert facts(*twice, void(5)) == [(1,), (2,)]


@pytest.mark.parametrize("odd", [void(3), void(4), void(9)])
def test_a_void_of_nothing_before_it_changes_nothing(odd: Event) -> None:
    assert facts(PROPOSED, outcome(), odd) == [(1,), (2,)]


def test_a_stream_whose_first_event_is_void_is_void_and_says_why() -> None:
    right = PROPOSED.model_dump(mode="json", exclude_none=True) | {"title": "Put right"}
    correction = RecordCorrected(corrects=1, data=right, reason="Synthetic")
    state = MEETING.fold(recorded(STREAM, PROPOSED, correction, outcome(), void(1), outcome()))
    assert isinstance(state, Void)
    assert (state.stage, state.reason, state.versions) == ("void", "Synthetic mistake", (1, 2, 4))
    assert state.recorded["title"] == "Put right"
    assert MEETING.facets(state)["stage"] == "void"
    assert MEETING.states.validate_json(MEETING.states.dump_json(state, exclude_none=True)) == state
    assert MEETING.fold(recorded(STREAM, outcome()), state) == state


def test_a_stream_that_begins_with_no_fact_is_folded_whatever_is_voided() -> None:
    assert MEETING.fold(recorded(STREAM, corrected(9), void(1))) == MEETING.initial


def test_a_stream_that_only_passes_by_stays_without_a_state() -> None:
    result = fold_on(UNFOLDED, FoldedState("elsewhere/1", None), consumed(PROPOSED, void(1)))
    assert result is not None
    assert (result.folded.version, result.folded.state) == (2, None)


def test_a_void_of_a_folded_event_needs_the_whole_stream() -> None:
    events = consumed(PROPOSED, outcome(), void(2))
    before = fold_on(SEEN, FoldedState(STREAM, SEEN.initial), events[:2])
    assert before is not None
    assert fold_on(SEEN, before.folded, events[2:]) is None
    assert folds_again([events[2].recorded])
    assert not folds_again([event.recorded for event in events[:2]])


def _live(aggregate: Aggregate[object], events: Sequence[ConsumedEvent], cuts: Sequence[int]) -> FoldedState:
    """Fold events as a service does that consumes them in batches: onto its state, or again from version 1."""
    initial = state = FoldedState(STREAM, aggregate.initial)
    for cut in [*sorted(cuts), len(events)]:
        result = fold_on(aggregate, state, events[state.version : cut])
        if result is None:
            result = fold_on(aggregate, initial, events[:cut])
        assert result is not None
        state = result.folded
    return state


def _holds(events: Sequence[Event], version: int) -> bool:
    """Tell whether a version holds, by the words of the rule alone."""
    naming = [
        number for number, event in enumerate(events, 1)
        if isinstance(event, RecordVoided) and event.voids == version and number > version
    ]  # fmt: skip
    return not naming or not _holds(events, naming[-1])


STEPS = st.lists(
    st.one_of(
        st.builds(outcome, st.sampled_from(["a", "b"])),
        st.builds(corrected, st.integers(1, 12), st.sampled_from(["c", "d"])),
        st.builds(void, st.integers(1, 12)),
    ),
    max_size=12,
)


@given(steps=STEPS, cuts=st.lists(st.integers(0, 13), max_size=6))
def test_any_interleaving_of_corrections_and_voids_and_voids_of_voids_is_live_as_from_nothing(
    steps: list[Event], cuts: list[int]
) -> None:
    events = consumed(PROPOSED, *steps)
    for aggregate in (MEETING, SEEN):
        whole = fold_whole(aggregate, FoldedState(STREAM, aggregate.initial), events, 1).folded
        assert _live(aggregate, events, [min(cut, len(events)) for cut in cuts]) == whole


@given(steps=STEPS)
def test_an_event_holds_unless_the_last_void_that_names_it_holds(steps: list[Event]) -> None:
    events = [PROPOSED, *steps]
    voids = voids_of(recorded(STREAM, *events))
    assert [version not in voids for version in range(1, len(events) + 1)] == [
        _holds(events, version) for version in range(1, len(events) + 1)
    ]


def decided(*events: Event, voids: int, role: str = "secretariat", by: str | None = None) -> object:
    """Return the versions that a void names, or its refusal; `by` is the role that recorded the events."""
    history = recorded(STREAM, *events)
    if by is not None:
        history = [each.model_copy(update={"role": by, "causationid": "synthetic-cause"}) for each in history]
    decision = decide_void(STREAM, history, VoidRecord(voids=voids, reason="Synthetic"), a_context(role))
    if isinstance(decision, list):
        return [event.voids for event in decision if isinstance(event, RecordVoided)]
    return decision


def test_an_event_a_correction_and_a_void_can_be_voided() -> None:
    life = (PROPOSED, outcome(), corrected(2), void(2))
    assert [decided(*life, voids=version) for version in (1, 3, 4)] == [[1], [3], [4]]


def test_what_is_void_or_not_there_is_not_voided() -> None:
    assert decided(PROPOSED, outcome(), void(2), voids=2) == VersionIsVoid(STREAM, 2, 3)
    assert decided(PROPOSED, voids=2) == VoidsNoEvent(STREAM, 2)


def test_in_a_void_record_a_person_voids_nothing_but_the_void_that_makes_it_so() -> None:
    life = (PROPOSED, outcome(), outcome(), void(2), void(1))
    refused = [decided(*life, voids=version) for version in (1, 2, 3, 4)]
    assert refused == [VersionIsVoid(STREAM, 1, 5), *(RecordIsVoid(STREAM, version, 5) for version in (2, 3, 4))]
    assert f"`throughline void {STREAM} 5`" in RecordIsVoid(STREAM, 3, 5).sentence()
    assert decided(*life, voids=5) == [5]
    assert decided(*life, void(5), voids=3) == [3]
    assert decided(*life, voids=3, by="system", role="system") == [3]


def test_the_events_of_one_command_are_voided_together() -> None:
    history: list[Recorded] = recorded(
        STREAM, PROPOSED, MeetingConfirmed(by="chair"), MeetingConfirmed(by="secretariat")
    )
    convened = recorded(STREAM, *(event.data for event in history), MeetingConvened())[-1]
    convened = convened.model_copy(update={"commandid": history[-1].commandid})
    command, context = VoidRecord(voids=3, reason="Synthetic"), a_context()
    for version in (3, 4):
        decision = decide_void(STREAM, [*history, convened], command.model_copy(update={"voids": version}), context)
        assert isinstance(decision, list)
        assert [event.voids for event in decision if isinstance(event, RecordVoided)] == [3, 4]


ERASED = SubscriberErased(person="synthetic-reader", reason="Synthetic")
PLANNED = NotificationPlanned(
    notification="n1", subscription="s1", event_id="e1", event_type="t", stream="meeting/m1", stream_version=1
)


def decided_by(context: Context, *events: Event, voids: int, by: str) -> object:
    """Return the decision on a void in a stream that one role recorded."""
    history = [each.model_copy(update={"role": by}) for each in recorded("synthetic/one", *events)]
    return decide_void("synthetic/one", history, VoidRecord(voids=voids, reason="Synthetic"), context)


@pytest.mark.parametrize("role", ["secretariat", "system"])
def test_an_erasure_and_a_mail_that_was_tried_cannot_be_voided(role: str) -> None:
    assert decided_by(a_context(role), ERASED, voids=1, by="secretariat") == CannotBeVoided(
        "synthetic/one", 1, "SubscriberErased"
    )
    tried = decided_by(a_context(role), PLANNED, NotificationAttempted(attempt=1), voids=2, by="system")
    assert tried == CannotBeVoided("synthetic/one", 2, "NotificationAttempted")


def test_what_a_policy_recorded_is_voided_by_a_policy_only() -> None:
    assert decided(PROPOSED, outcome(), voids=2, by="system") == RecordedByPolicy(STREAM, 2, "synthetic-cause")
    assert decided(PROPOSED, outcome(), voids=2, by="system", role="system") == [2]


def test_what_follows_from_a_void_event_stays_where_later_events_of_people_or_mails_rest_on_it() -> None:
    system = a_context("system")
    history = recorded(STREAM, PROPOSED, outcome())
    history[0] = history[0].model_copy(update={"role": "system"})
    command = VoidRecord(voids=1, reason="Synthetic")
    assert decide_void(STREAM, history, command, system) == HasConsequences(STREAM, 1, 2)
    history[1] = history[1].model_copy(update={"role": "system"})
    assert isinstance(decide_void(STREAM, history, command, system), list)
    assert decided(PROPOSED, outcome(), void(2), voids=1, by="system", role="system") == [1]
    tried = decided_by(system, PLANNED, NotificationAttempted(attempt=1), voids=1, by="system")
    assert tried == HasConsequences("synthetic/one", 1, 2)
