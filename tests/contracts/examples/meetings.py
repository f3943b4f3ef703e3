"""One full example of each event of the meetings service. Synthetic: none of these meetings took place."""

from __future__ import annotations

from shared.events import meetings as m
from shared.events.event import Event
from shared.events.values import ProvisionRef, Rendition, Seen
from tests.contracts.examples.common import CERTAIN, DIGEST

EXAMPLES: dict[str, Event] = {
    "MeetingProposed": m.MeetingProposed(
        meeting="synthetic-meeting",
        title="First synthetic meeting of the group",
        kind="technical_expert_group",
        modality="hybrid",
        starts_at="2031-03-18T10:00:00+07:00",
        ends_at="2031-03-18T17:30Z",
        time_zone="Asia/Bangkok",
        **CERTAIN,
    ),
    "MeetingConfirmed": m.MeetingConfirmed(by="chair", **CERTAIN),
    "MeetingConvened": m.MeetingConvened(**CERTAIN),
    "MeetingRescheduled": m.MeetingRescheduled(
        starts_at="2031-04-18T10:00:00+07:00",
        ends_at="2031-04",
        time_zone="Asia/Bangkok",
        modality="online",
        reason="The synthetic room was taken.",
        by="secretariat",
        **CERTAIN,
    ),
    "MeetingCancelled": m.MeetingCancelled(reason="No synthetic quorum.", **CERTAIN),
    "AgendaItemAdded": m.AgendaItemAdded(
        item="item-1",
        title="Synthetic priorities",
        priority="synthetic-priority",
        provisions=(ProvisionRef(instrument="synthetic-75-4", provision="synthetic-75-4/report"),),
        **CERTAIN,
    ),
    "DocumentDisseminated": m.DocumentDisseminated(
        document="paper-1",
        title="Synthetic paper",
        symbol="SYN/2031/1",
        renditions=(
            Rendition(
                media_type="application/pdf",
                language="en",
                digest=DIGEST,
                accessibility_checks=("tagged", "alternative text"),
                accessible=True,
            ),
            Rendition(media_type="text/html", language="zh-Hans", digest=DIGEST, accessible=False),
        ),
        disseminated_on="2031-03-01",
        **CERTAIN,
    ),
    "AttendanceRecorded": m.AttendanceRecorded(
        membership="synthetic-membership",
        member="FJI",
        presence="remote",
        seen=Seen(stream="membership/synthetic-membership", version=1),
        **CERTAIN,
    ),
    "AttendanceRecorded.outside": m.AttendanceRecorded(
        membership="synthetic-membership",
        member="FJI",
        presence="in_room",
        seen=Seen(stream="membership/synthetic-membership", version=2),
        membership_began_on="2031-04",
        membership_ended=True,
        membership_ended_on="2031-05-01",
        **CERTAIN,
    ),
    "MeetingHeld": m.MeetingHeld(held_from="2031-03-18T10:05:00+07:00", held_to="2031-03-18", **CERTAIN),
    "OutcomeRecorded": m.OutcomeRecorded(
        outcome="outcome-1",
        kind="action_point",
        text="The synthetic secretariat circulates a synthetic paper.",
        responsible="synthetic secretariat",
        due="2031-06",
        **CERTAIN,
    ),
    "MeetingRecorded": m.MeetingRecorded(
        meeting="synthetic-older-meeting",
        title="Synthetic forum of long ago",
        kind="forum",
        starts_at="2020",
        ends_at="2020-11",
        modality="unknown",
        **CERTAIN,
    ),
    "RecordCorrected": m.RecordCorrected(
        corrects=1,
        data={
            "meeting": "synthetic-older-meeting",
            "title": "Synthetic forum, its title put right",
            "kind": "forum",
            "starts_at": "2020-11",
        },
        data_type="throughline.meetings.MeetingRecorded.v1",
        reason="A synthetic slip of the pen.",
        **CERTAIN,
    ),
    "RecordVoided": m.RecordVoided(voids=3, reason="Entered in the wrong synthetic stream.", **CERTAIN),
}
