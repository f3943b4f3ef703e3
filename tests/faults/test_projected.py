"""The reckoning of read models sees what is not there, not what its history comes to, or of nothing stored."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from shared.events.catalogue import decode
from tests.faults.rig.reckoning import projected
from tests.faults.rig.reckoning.evidence import Evidence, gather
from tests.faults.rig.reckoning.findings import Findings
from tests.journey.office import Desk
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
SERVICE = "recommendations"
STREAM = "recommendation/CED/2022/R1"


@pytest.fixture
def platform(loaded: Stack) -> Any:
    """The session's stack in the place of the rig's platform, when all is read that this test looks at."""
    desk = Desk(loaded)
    desk.query(SERVICE, "/traces/CED/2022/R1", at_least=5, wait=30)
    return SimpleNamespace(stack=loaded)


def found(platform: Any, evidence: Evidence) -> Findings:
    findings = Findings()
    projected.reckon(platform, evidence, findings)
    return findings


def about(findings: list[str]) -> list[str]:
    return [finding for finding in findings if STREAM in finding or "CED/2022/R1" in finding]


def _one_more_stored(evidence: Evidence) -> None:
    last = evidence.heads(SERVICE)[STREAM]
    evidence.raws[SERVICE][STREAM, last + 1] = b"Synthetic"


def _last_not_published(evidence: Evidence) -> None:
    last = evidence.raws[SERVICE][STREAM, evidence.heads(SERVICE)[STREAM]]
    evidence.topic[SERVICE] = [each for each in evidence.topic[SERVICE] if each.value != last]


def _nothing_stored(evidence: Evidence) -> None:
    raws = evidence.raws[SERVICE]
    evidence.raws[SERVICE] = {key: raw for key, raw in raws.items() if decode(raw).subject != STREAM}


def test_a_whole_history_has_no_finding(platform: Any):
    findings = found(platform, gather(platform))
    assert about([*findings.lost, *findings.stuck]) == []


@pytest.mark.parametrize("spoil", [_last_not_published, _nothing_stored])
def test_it_sees_as_lost(platform: Any, spoil: Callable[[Evidence], None]):
    evidence = gather(platform)
    spoil(evidence)
    assert about(found(platform, evidence).lost)


def test_the_reckoning_reports_a_stream_not_consumed_to_its_end_as_stuck(platform: Any):
    evidence = gather(platform)
    _one_more_stored(evidence)
    assert about(found(platform, evidence).stuck)
