"""The comparison of read models reports missing states and traces, and those that no stored history accounts for."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from shared.events.catalogue import decode
from tests.faults.rig.comparison import projected
from tests.faults.rig.comparison.evidence import Evidence, gather
from tests.faults.rig.comparison.findings import Findings
from tests.journey.office import Desk
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
SERVICE = "recommendations"
STREAM = "recommendation/CED/2022/R1"


@pytest.fixture
def platform(loaded: Stack) -> Any:
    """The session's stack in place of the rig's platform, once the trace under test is current."""
    desk = Desk(loaded)
    desk.query(SERVICE, "/traces/CED/2022/R1", at_least=5, wait=30)
    return SimpleNamespace(stack=loaded)


def compare(platform: Any, evidence: Evidence) -> Findings:
    """Return the findings of the comparison."""
    findings = Findings()
    projected.compare(platform, evidence, findings)
    return findings


def about(findings: list[str]) -> list[str]:
    """Return the findings that name the stream or its trace."""
    return [finding for finding in findings if STREAM in finding or "CED/2022/R1" in finding]


def _add_stored_event(evidence: Evidence) -> None:
    last = evidence.heads(SERVICE)[STREAM]
    evidence.raws[SERVICE][STREAM, last + 1] = b"Synthetic"


def _remove_last_published(evidence: Evidence) -> None:
    last = evidence.raws[SERVICE][STREAM, evidence.heads(SERVICE)[STREAM]]
    evidence.topic[SERVICE] = [each for each in evidence.topic[SERVICE] if each.value != last]


def _remove_stored_stream(evidence: Evidence) -> None:
    raws = evidence.raws[SERVICE]
    evidence.raws[SERVICE] = {key: raw for key, raw in raws.items() if decode(raw).subject != STREAM}


def test_a_complete_history_has_no_findings(platform: Any):
    findings = compare(platform, gather(platform))
    assert about([*findings.lost, *findings.stuck]) == []


@pytest.mark.parametrize("spoil", [_remove_last_published, _remove_stored_stream])
def test_the_comparison_reports_an_event_not_published_or_not_stored_as_lost(
    platform: Any, spoil: Callable[[Evidence], None]
):
    evidence = gather(platform)
    spoil(evidence)
    assert about(compare(platform, evidence).lost)


def test_the_comparison_reports_a_stream_not_consumed_to_its_end_as_stuck(platform: Any):
    evidence = gather(platform)
    _add_stored_event(evidence)
    assert about(compare(platform, evidence).stuck)
