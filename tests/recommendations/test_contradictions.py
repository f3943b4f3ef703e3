"""Facts that contradict each other in time are recorded, and are gaps in words on the trace."""

from __future__ import annotations

from typing import Any

import pytest

from services.recommendations.commands import RecordDisposition
from services.recommendations.domain.foreign import MEETING as FOREIGN
from services.recommendations.domain.recommendation import RECOMMENDATION
from services.recommendations.domain.registers import SESSION
from services.recommendations.domain.rules import SessionHasNotBegun
from shared.events import meetings as m
from shared.events import recommendations as r
from shared.events.event import Event
from tests.given import NOW, known
from tests.history import History, composed
from tests.recommendations.synthetic import REFERENCE, a_recommendation, adopted, transmitted

SEEN = {"stream": "meeting/m1", "version": 1}
DRAFTED = r.RecommendationDrafted(reference=REFERENCE, title="Synthetic", on="2029-05")
CITED = r.MandateCited(instrument="old", provision="old/ask", on="2019")
MEETING = {"meeting": "m1", "title": "Synthetic forum", "kind": "forum"}
HELD = m.MeetingRecorded(**MEETING, starts_at="2030-03-01", ends_at="2030-03-02")


def adopted_on(day: str | None) -> r.RecommendationAdopted:
    return r.RecommendationAdopted(meeting="m1", adopted_on=day, seen=SEEN)


def attended(**limits: Any) -> m.AttendanceRecorded:
    seen = {"stream": "membership/e1", "version": 2}
    return m.AttendanceRecorded(membership="e1", member="FJI", presence="remote", seen=seen, **limits)


def gaps(*events: Event, meeting: tuple[Event, ...] = (HELD,)) -> list[str]:
    """Return the gaps of a recommendation with these events and this meeting."""
    history = History()
    history.add(
        "instrument/old",
        r.InstrumentRegistered(
            instrument="old", cite="Synthetic resolution 1", body="SYN", title="Old", adopted_on="2020-01-01"
        ),
        r.ProvisionRegistered(provision="old/ask", summary="Synthetic ask"),
    )
    history.add("session/3", r.CommitteeSessionRecorded(session=3, starts_on="2030-11-04", ends_on="2030-11-06"))
    history.add("meeting/m1", *meeting)
    history.add(f"recommendation/{REFERENCE}", DRAFTED, *events)
    shown: list[str] = composed(history.all())[REFERENCE]["gaps"]
    return shown


IN_WORDS = [
    ((CITED,), "Synthetic resolution 1 was cited on 2019, before it was adopted on 1 January 2020."),
    ((adopted_on("2030-02"),), "It was adopted on February 2030, before its meeting of 1 March 2030."),
    ((adopted_on("2030-04"),), "It was adopted on April 2030, after its meeting ended on 2 March 2030."),
    ((adopted_on("2029-04-30"),), "It was adopted on 30 April 2029, before it was drafted on May 2029."),
    (
        (adopted_on("2030-03-02"), r.RecommendationTransmitted(session=3, on="2030-03-01")),
        "It was transmitted to session 3 on 1 March 2030, before its adoption on 2 March 2030.",
    ),
    (
        (adopted_on(None), r.RecommendationTransmitted(session=3, on="2030-02-28")),
        "It was transmitted to session 3 on 28 February 2030, before its adoption on 1 March 2030.",
    ),
    (
        (adopted_on("2030-03-01"), r.RecommendationTransmitted(session=3, on="2030-12")),
        "It was transmitted to session 3 on December 2030, after that session ended on 6 November 2030.",
    ),
    (
        (
            adopted_on("2030-03-01"),
            r.RecommendationTransmitted(session=3, on="2030-10-02"),
            r.CommitteeDispositionRecorded(session=3, outcome="noted", on="2030-10-01"),
        ),
        "Session 3 disposed of it on 1 October 2030, before it was transmitted.",
    ),
    (
        (
            adopted_on("2030-03-01"),
            r.RecommendationTransmitted(session=3, on="2030-10-02"),
            r.CommitteeDispositionRecorded(session=3, outcome="noted", on="2030-11-03"),
        ),
        "Session 3 disposed of it on 3 November 2030, before it began on 4 November 2030.",
    ),
    (
        (
            adopted_on("2030-03-01"),
            r.RecommendationRevised(text="Synthetic text, revised"),
            adopted_on("2030-10-05").model_copy(update={"text_version": 3}),
            r.RecommendationTransmitted(session=3, on="2030-10-01", text_version=3),
        ),
        "It was transmitted to session 3 on 1 October 2030, before its adoption on 5 October 2030.",
    ),
    (
        (
            adopted_on("2030-03-01"),
            r.RecommendationTransmitted(session=3, on="2030-10-01"),
            r.CommitteeDispositionRecorded(session=3, outcome="returned", on="2030-11-04"),
            r.RecommendationTransmitted(session=3, on="2030-11-06"),
            r.CommitteeDispositionRecorded(session=3, outcome="noted", on="2030-11-05"),
        ),
        "Session 3 disposed of it on 5 November 2030, before it was transmitted.",
    ),
]


@pytest.mark.parametrize(("events", "gap"), IN_WORDS, ids=[gap for _, gap in IN_WORDS])
def test_facts_in_an_impossible_order_are_a_gap_in_words(events: tuple[Event, ...], gap: str) -> None:
    assert gaps(*events).count(gap) == 1


@pytest.mark.parametrize(
    ("attendance", "gap"),
    [
        (
            attended(membership_ended=True, membership_ended_on="2030-02-28"),
            "An expert of FJI (e1) attended Synthetic forum after the membership had ended on 28 February 2030.",
        ),
        (
            attended(membership_ended=True),
            "An expert of FJI (e1) attended Synthetic forum; the membership has ended, before or after is unknown.",
        ),
        (
            attended(membership_began_on="2030-04"),
            "An expert of FJI (e1) attended Synthetic forum before the membership began on April 2030.",
        ),
        (attended(membership_ended=True, membership_ended_on="2030-03-02"), None),
        (attended(), None),
    ],
)
def test_attendance_outside_a_membership_is_a_gap(attendance: Event, gap: str | None) -> None:
    about = [each for each in gaps(adopted_on(None), meeting=(HELD, attendance)) if "expert" in each]
    assert about == ([gap] if gap else [])


def test_a_meeting_that_was_recorded_to_end_before_it_starts_is_one_gap() -> None:
    backwards = m.MeetingRecorded(**MEETING, starts_at="2030-03-10", ends_at="2030-03-08")
    discussed = r.RecommendationDiscussed(meeting="m1", on="2030-03-10", seen=SEEN)
    gap = "The meeting Synthetic forum ends on 8 March 2030, before it starts on 10 March 2030."
    assert gaps(discussed, adopted_on(None), meeting=(backwards,)).count(gap) == 1


def test_spans_that_were_recorded_backwards_are_gaps() -> None:
    history = History()
    selected = r.PrioritySelected(
        priority="p1", title="P", outcome="O", timeline_from="2031", timeline_to="2030", on="2030-05"
    )
    history.add("priority/p1", selected, r.PriorityClosed(reason="lapsed", on="2030-04"))
    history.add("session/3", r.CommitteeSessionRecorded(session=3, starts_on="2030-11-06", ends_on="2030-11-04"))
    drafted = DRAFTED.model_copy(update={"priority": "p1"})
    history.add(f"recommendation/{REFERENCE}", drafted, r.RecommendationTransmitted(session=3))
    shown = composed(history.all())[REFERENCE]["gaps"]
    assert "The timeline of its priority ends on 2030, before it begins on 2031." in shown
    assert "Its priority was closed on April 2030, before it was selected on May 2030." in shown
    assert "Session 3 ends on 4 November 2030, before it starts on 6 November 2030." in shown


FOURTH = r.CommitteeSessionRecorded(session=4, starts_on="2032-11-08", ends_on="2032-11-10")
SENT = r.RecommendationTransmitted(session=3, on="2030-10-02")
DEFERRED = r.CommitteeDispositionRecorded(session=3, outcome="deferred", on="2030-11-05")


def gaps_after_a_deferral(*events: Event, fourth: Event = FOURTH) -> list[str]:
    """Return the gaps of a recommendation that session 3 deferred, with these events."""
    history = History()
    history.add("session/3", r.CommitteeSessionRecorded(session=3, starts_on="2030-11-04", ends_on="2030-11-06"))
    history.add("session/4", fourth)
    history.add("meeting/m1", HELD)
    history.add(f"recommendation/{REFERENCE}", DRAFTED, adopted_on("2030-03-01"), SENT, DEFERRED, *events)
    shown: list[str] = composed(history.all())[REFERENCE]["gaps"]
    return shown


def test_a_session_to_which_nothing_was_transmitted_disposed_of_it_before_it_began() -> None:
    early = r.CommitteeDispositionRecorded(session=4, outcome="noted", on="2032-11-07")
    gap = "Session 4 disposed of it on 7 November 2032, before it began on 8 November 2032."
    assert gaps_after_a_deferral(early).count(gap) == 1
    assert gap not in gaps_after_a_deferral(early.model_copy(update={"on": "2032-11"}))


def test_a_session_to_which_nothing_was_transmitted_ends_before_it_starts() -> None:
    noted = r.CommitteeDispositionRecorded(session=4, outcome="noted")
    backwards = FOURTH.model_copy(update={"ends_on": "2032-11-01"})
    gap = "Session 4 ends on 1 November 2032, before it starts on 8 November 2032."
    assert gaps_after_a_deferral(noted, fourth=backwards).count(gap) == 1
    assert gap not in gaps_after_a_deferral(fourth=backwards)


def test_a_follow_up_before_the_decision_of_a_session_to_which_nothing_was_transmitted() -> None:
    noted = r.CommitteeDispositionRecorded(session=4, outcome="noted")
    early = r.FollowUpReported(progress="implemented", on="2031")
    assert "Before any decision of the Committee: 1 of 1 follow-up." in gaps_after_a_deferral(noted, early)


PROPOSED = m.MeetingProposed(**MEETING, modality="online", starts_at="2030-03-01", ends_at="2030-03-02")
CANCELLED = (PROPOSED, m.MeetingCancelled(reason="Synthetic"))
AT_THE_MEETING = [
    (r.OriginRecorded(meeting="m1", seen=SEEN), "It came from"),
    (r.RecommendationDiscussed(meeting="m1", seen=SEEN), "It was discussed at"),
    (adopted_on(None), "It was adopted at"),
]


@pytest.mark.parametrize(("step", "says"), AT_THE_MEETING)
def test_work_at_a_meeting_that_did_not_take_place_is_a_gap(step: Event, says: str) -> None:
    forum = f"{says} Synthetic forum, which"
    assert gaps(step, meeting=CANCELLED).count(f"{forum} was cancelled.") == 1
    assert gaps(step, meeting=(PROPOSED,)).count(f"{forum} is only proposed.") == 1
    assert not [gap for gap in gaps(step) if gap.startswith(forum)]


@pytest.mark.parametrize(("step", "says"), AT_THE_MEETING)
def test_a_convened_meeting_may_have_discussed_it_and_adopts_once_held(step: Event, says: str) -> None:
    shown = f"{says} Synthetic forum, which is only convened." in gaps(step, meeting=(PROPOSED, m.MeetingConvened()))
    assert shown == isinstance(step, r.RecommendationAdopted)


def test_dates_that_may_agree_contradict_nothing() -> None:
    facts = (
        CITED.model_copy(update={"on": "2020"}),
        adopted_on("2030-03"),
        r.RecommendationTransmitted(session=3, on="2030"),
        r.CommitteeDispositionRecorded(session=3, outcome="noted", on="2030-11"),
    )
    assert not [gap for gap in gaps(*facts) if "before" in gap or "after" in gap]


def test_an_undated_disposition_waits_for_its_session_to_begin() -> None:
    ahead = known(SESSION, "session/3", r.CommitteeSessionRecorded(session=3, starts_on="2041"))
    command = RecordDisposition(session=3, outcome="noted")
    a_recommendation(adopted, transmitted).knowing(ahead).when(command).then_refused(SessionHasNotBegun)
    late = r.CommitteeDispositionRecorded(session=3, outcome="noted")
    refused = RECOMMENDATION.refusal_of(None, late, stream="", facts=ahead, now=NOW)  # type: ignore[arg-type]
    assert isinstance(refused, SessionHasNotBegun)


@pytest.mark.parametrize(("by", "stage"), [("secretariat", "proposed"), (None, "convened")])
def test_a_move_sends_a_convened_meeting_back_but_not_as_version_1_has_it(by: Any, stage: str) -> None:
    proposed = m.MeetingProposed(**MEETING, modality="online", starts_at="2030-03-01", ends_at="2030-03-01")
    moved = m.MeetingRescheduled(starts_at="2030-04-01", ends_at="2030-04-01", by=by)
    state = known(FOREIGN, "meeting/m1", proposed, m.MeetingConvened(), moved)["meeting/m1"].state
    assert (state.stage, state.starts_at) == (stage, "2030-04-01")
