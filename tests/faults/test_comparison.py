"""The comparison reports each thing that is lost, doubled or stuck: every check is given a run damaged for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from shared.consumer.record import KafkaRecord
from shared.events import notifications as n
from shared.events import recommendations as r
from shared.events.canonical import ZERO_HASH, leaf_hash, sha256_hex
from shared.events.envelope import encode, stamp
from shared.events.event import Event
from shared.events.values import Sealed
from tests.faults.rig.acknowledged import Acknowledged, Acknowledgement
from tests.faults.rig.comparison import notified, published, sequenced, stored
from tests.faults.rig.comparison.evidence import Evidence, Mail
from tests.faults.rig.comparison.findings import Findings
from tests.proofs import TRUST, headers_by, signed_again
from tools.local.stack import ALL_FOUR

OWN, OTHER = "recommendations", "notifications"
FIRST, SECOND = ("recommendation/SYN/2031/R1", 1), ("recommendation/SYN/2031/R1", 2)
START = datetime(2031, 1, 1, tzinfo=UTC)


@dataclass
class Run:
    """The servers' documents, the acknowledgements to clients, and the notifications listed to a person."""

    evidence: Evidence
    acknowledged: Acknowledged
    shown: frozenset[str] = frozenset()

    def append(self, service: str, stream: str, event: Event, actor: str = "somebody", cause: str | None = None) -> str:
        """Store, sequence, publish and acknowledge an event; return its id."""
        raws, position = self.evidence.raws[service], len(self.evidence.raws[service])
        version = 1 + sum(name == stream for name, _ in raws)
        number = len(self.acknowledged.commands)
        event_id, command = f"e{number}", f"c{number}"
        raw = encode(
            event, event_id=event_id, subject=stream, time=stamp(START + timedelta(minutes=number)),
            version=version, actor=actor, role="secretariat", command_id=command, correlation_id="synthetic",
            causation_id=cause,
            previous_hash=sha256_hex(raws[stream, version - 1]) if version > 1 else ZERO_HASH,
        )  # fmt: skip
        raws[stream, version] = raw
        self.evidence.commits[service].append(
            {"_id": {"s": stream, "v": version}, "last": version, "command_id": command, "events": [raw]}
        )
        self.evidence.ledger[service].append({"_id": position, "entries": [[stream, version, leaf_hash(raw)]]})
        headers = headers_by(service, raw, position)
        topic = f"throughline.{service}"
        self.evidence.topic[service].append(KafkaRecord(topic, 0, position, stream.encode(), raw, headers))
        self.acknowledged.commands.append(Acknowledgement(service, command, stream, version, (event_id,)))
        return event_id

    def compared(self) -> Findings:
        """Return the findings of the comparison."""
        findings = Findings()
        stored.compare(self.evidence, self.acknowledged, findings)
        sequenced.compare(self.evidence, findings)
        published.compare(self.evidence, (), findings)
        notified.compare(self.evidence, self, findings)  # type: ignore[arg-type]
        return findings

    def read(self, _service: str, _path: str, **_query: object) -> dict[str, list[dict[str, str]]]:
        """List the uncertain notifications to a person."""
        return {"items": [{"stream": f"notification/{key}"} for key in self.shown]}


@pytest.fixture
def run() -> Run:
    """A correct run: one recommendation merged into another, one subscriber notified."""
    evidence = Evidence(trust=TRUST)
    for part in (evidence.commits, evidence.ledger, evidence.topic, evidence.raws):
        part.update({service: {} if part is evidence.raws else [] for service in ALL_FOUR})  # type: ignore[attr-defined]
    run = Run(evidence, Acknowledged())
    sealed = Sealed(person="p1", box="0" * 40)
    added = n.SubscriptionAdded(subscription="s1", person="p1", sealed=sealed, events=("RecommendationMerged",))
    run.append(OTHER, "subscription/s1", added)
    run.append(OWN, FIRST[0], r.RecommendationDrafted(reference="SYN/2031/R1", title="Synthetic"))
    merged = run.append(OWN, FIRST[0], r.RecommendationMerged(into="SYN/2031/R2"))
    noted = r.RecommendationMerged(absorbs="SYN/2031/R1")
    also = run.append(OWN, "recommendation/SYN/2031/R2", noted, actor="policy:note-lineage", cause=merged)
    for number, event_id in enumerate((merged, also), start=1):
        planned = n.NotificationPlanned(
            notification=f"n{number}", subscription="s1", event_id=event_id,
            event_type=r.RecommendationMerged.type_name(), stream=FIRST[0], stream_version=2,
        )  # fmt: skip
        run.append(OTHER, f"notification/n{number}", planned)
        run.append(OTHER, f"notification/n{number}", n.NotificationAttempted(attempt=1))
        run.append(OTHER, f"notification/n{number}", n.NotificationDelivered(attempt=1, smtp_code=250))
        evidence.mail.append(Mail(f"n{number}", "synthetic.reader@example.org"))
    return run


def test_a_correct_run_has_no_findings(run: Run):
    assert run.compared().named() == []


def test_no_policy_need_run_on_an_event_that_was_void_when_it_looked(run: Run):
    run.append(OWN, FIRST[0], r.RecommendationSuperseded(by="SYN/2031/R3"))
    run.append(OWN, FIRST[0], r.RecordVoided(voids=3, reason="Synthetic mistake"))
    assert run.compared().named() == []


def _remove(run: Run, key: tuple[str, int]) -> None:
    del run.evidence.raws[OWN][key]
    run.evidence.commits[OWN][:] = [c for c in run.evidence.commits[OWN] if (c["_id"]["s"], c["_id"]["v"]) != key]


def _change_bytes(run: Run) -> None:
    run.evidence.raws[OWN][SECOND] = run.evidence.raws[OWN][SECOND].replace(b'"e2"', b'"e9"')


def _reorder(run: Run) -> None:
    run.evidence.topic[OWN][0:2] = reversed(run.evidence.topic[OWN][0:2])


def _remove_reaction(run: Run) -> None:
    _remove(run, ("recommendation/SYN/2031/R2", 1))


def _repeat_reaction(run: Run) -> None:
    noted = r.RecommendationMerged(absorbs="SYN/2031/R1")
    run.append(OWN, "recommendation/SYN/2031/R2", noted, actor="policy:note-lineage", cause="e2")


def _make_uncertain(run: Run) -> None:
    run.evidence.mail.pop()
    stream, last = run.evidence.commits[OTHER][-1]["_id"]["s"], run.evidence.commits[OTHER][-1]["_id"]["v"]
    del run.evidence.raws[OTHER][stream, last]
    for part in (run.evidence.commits, run.evidence.ledger, run.evidence.topic):
        part[OTHER].pop()
    run.acknowledged.commands.pop()
    run.append(OTHER, stream, n.NotificationUncertain(attempt=1, reason="no_answer"))


def _remove_plan(run: Run) -> None:
    for stream, version in [key for key in run.evidence.raws[OTHER] if key[0] == "notification/n1"]:
        del run.evidence.raws[OTHER][stream, version]


def _move(run: Run) -> None:
    record = run.evidence.topic[OWN][1]
    run.evidence.topic[OWN][1] = signed_again(record, 0)


LOST: dict[str, Callable[[Run], object]] = {
    "an acknowledged command that is not stored": lambda run: _remove(run, SECOND),
    "a command stored with other bytes": _change_bytes,
    "a refusal of a valid command": lambda run: run.acknowledged.note_refusal("Synthetic"),
    "a version without its predecessor": lambda run: _remove(run, FIRST),
    "a hole in the ledger": lambda run: run.evidence.ledger[OWN].pop(0),
    "the leaf hash of other bytes": lambda run: run.evidence.ledger[OWN][0]["entries"][0].__setitem__(2, "0" * 64),
    "a first delivery before its predecessor": _reorder,
    "a recorded delivery without a mail": lambda run: run.evidence.mail.pop(),
    "a subscriber who was not notified": _remove_plan,
    "an uncertain notification that no person is shown": _make_uncertain,
}
DOUBLED: dict[str, Callable[[Run], object]] = {
    "a commit stored twice": lambda run: run.evidence.commits[OWN].append(run.evidence.commits[OWN][0]),
    "two positions of one event": lambda run: run.evidence.ledger[OWN].append(
        {**run.evidence.ledger[OWN][0], "_id": len(run.evidence.ledger[OWN])}
    ),
    "a position of another event": _move,
    "a policy that ran twice": _repeat_reaction,
    "a second mail": lambda run: run.evidence.mail.append(run.evidence.mail[0]),
    "a mail without a record": lambda run: run.evidence.mail.append(Mail("n9", "nobody@example.org")),
}
STUCK: dict[str, Callable[[Run], object]] = {
    "a command that was never answered": lambda run: run.acknowledged.note_silence("Synthetic"),
    "an event that is not sequenced": lambda run: run.evidence.ledger[OWN].pop(),
    "an event that is not published": lambda run: run.evidence.topic[OWN].pop(),
    "an event on which no policy ran": _remove_reaction,
    "a notification that is only planned": lambda run: run.append(
        OTHER, "notification/n3",
        n.NotificationPlanned(
            notification="n3", subscription="s1", event_id="e99", event_type="x", stream="y", stream_version=1
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOST)
def test_the_comparison_reports_as_lost(run: Run, name: str):
    LOST[name](run)
    assert run.compared().lost


@pytest.mark.parametrize("name", DOUBLED)
def test_the_comparison_reports_as_doubled(run: Run, name: str):
    DOUBLED[name](run)
    assert run.compared().doubled


@pytest.mark.parametrize("name", STUCK)
def test_the_comparison_reports_as_stuck(run: Run, name: str):
    STUCK[name](run)
    assert run.compared().stuck
