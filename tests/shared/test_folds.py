"""Folding on: in order, along the chain of hashes, and from the start again when something earlier was put right."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from pydantic import TypeAdapter

from shared.consumer.decoding import decode_record
from shared.consumer.record import ConsumedEvent
from shared.domain.aggregate import Aggregate
from shared.domain.facts import Fact
from shared.events.canonical import ZERO_HASH
from shared.events.event import Event
from shared.events.meetings import MeetingCancelled, MeetingConfirmed, MeetingConvened, MeetingRecorded, RecordCorrected
from shared.projection.fold import UNFOLDED, FoldedState, fold_on
from tests.history import History
from tests.proofs import TRUST

STREAM = "meeting/m1"
RECORDED = MeetingRecorded(meeting="m1", title="Synthetic forum", kind="forum")
CORRECTION = RecordCorrected(
    corrects=1, data={"meeting": "m1", "title": "Put right", "kind": "forum"}, reason="Synthetic"
)
LIFE: tuple[Event, ...] = (
    RECORDED,
    MeetingConfirmed(by="chair"),
    MeetingConvened(),
    MeetingCancelled(reason="Synthetic"),
)


def _seen(state: list[str], fact: Fact) -> list[str]:
    return [*state, f"{getattr(fact.data, 'title', type(fact.data).__name__)} {fact.versions}"]


def _nothing(*_: object, **__: object) -> list[Event]:
    return []


SEEN: Aggregate[list[str]] = Aggregate(
    kind="meeting", initial=[], states=TypeAdapter(list[str]), evolve=_seen, decide=_nothing
)
NOTHING = FoldedState(STREAM, SEEN.initial)


def consumed(*events: Event, history: History | None = None) -> list[ConsumedEvent]:
    """Return these events as consumed."""
    records = (history or History()).add(STREAM, *events).records[STREAM]
    return [event for event in (decode_record(record, TRUST) for record in records) if isinstance(event, ConsumedEvent)]


def folded(events: Sequence[ConsumedEvent], before: FoldedState = NOTHING) -> FoldedState:
    """Fold events of which none is a correction of what was folded before."""
    outcome = fold_on(SEEN, before, events)
    assert outcome is not None
    return outcome.folded


def test_a_stream_is_folded_to_its_last_version() -> None:
    events = consumed(*LIFE)
    state = folded(events)
    assert state.version == 4
    assert state.hash == events[-1].hash
    assert state.state == [
        "Synthetic forum (1,)",
        "MeetingConfirmed (2,)",
        "MeetingConvened (3,)",
        "MeetingCancelled (4,)",
    ]
    assert not state.blocked


@pytest.mark.parametrize("cut", range(5))
def test_folding_in_two_steps_is_folding_in_one(cut: int) -> None:
    events = consumed(*LIFE)
    assert folded(events[cut:], folded(events[:cut])) == folded(events)


def test_a_missing_version_makes_the_stream_wait_at_the_version_before() -> None:
    events = consumed(*LIFE)
    state = folded([events[0], events[2], events[3]])
    assert (state.version, state.blocked) == (1, True)
    assert folded(events[1:], state) == folded(events)


def test_a_stream_whose_first_version_is_missing_waits_with_nothing() -> None:
    state = folded(consumed(*LIFE)[1:])
    assert (state.version, state.hash, state.state, state.blocked) == (0, ZERO_HASH, [], True)


def test_an_event_that_does_not_follow_its_predecessor_is_handed_back() -> None:
    events, others = consumed(*LIFE), consumed(RECORDED, MeetingConfirmed(by="secretariat"), MeetingConvened())
    assert others[2].recorded.previoushash != events[1].hash
    outcome = fold_on(SEEN, NOTHING, [*events[:2], others[2], *events[3:]])
    assert outcome is not None
    assert outcome.broken is others[2]
    assert (outcome.folded.version, outcome.folded.blocked) == (2, True)
    assert folded(events[2:], outcome.folded) == folded(events)


def test_a_first_event_with_a_predecessor_is_handed_back() -> None:
    history = History()
    raw = history.encoded(STREAM, 1, RECORDED, previous="f" * 64)
    forged = decode_record(history.record(STREAM, raw, "meetings"), TRUST)
    assert isinstance(forged, ConsumedEvent)
    outcome = fold_on(SEEN, NOTHING, [forged])
    assert outcome is not None
    assert outcome.broken is forged
    assert outcome.folded.version == 0


def test_a_correction_of_a_folded_event_needs_the_whole_stream() -> None:
    events = consumed(RECORDED, MeetingConvened(), CORRECTION)
    before = folded(events[:2])
    assert fold_on(SEEN, before, events[2:]) is None
    again = folded(events)
    assert again.state == ["Put right (1, 3)", "MeetingConvened (2,)"]
    assert (again.version, again.hash) == (3, events[-1].hash)


def test_a_correction_that_cannot_be_reached_yet_asks_for_nothing() -> None:
    events = consumed(RECORDED, MeetingConvened(), CORRECTION)
    state = folded(events[2:], folded(events[:1]))
    assert (state.version, state.blocked) == (1, True)


def test_a_fold_preserves_the_policy_version_and_the_revision() -> None:
    before = FoldedState(STREAM, [], policy_version=2, revision=9)
    state = folded(consumed(*LIFE), before)
    assert (state.policy_version, state.revision) == (2, 9)


def test_a_stream_that_only_passes_by_is_followed_without_a_state() -> None:
    outcome = fold_on(UNFOLDED, FoldedState("elsewhere/1", None), consumed(*LIFE))
    assert outcome is not None
    assert (outcome.folded.version, outcome.folded.state) == (4, None)
    with pytest.raises(AssertionError):
        UNFOLDED.decide(None, RECORDED)
