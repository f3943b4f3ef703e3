"""Links between the logs: covered, not yet covered, or broken."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import orjson
import pytest

from tests.audit.synthetic import SyntheticLogs, exported, quiet, simulated
from tools.audit.bundle import Bundle
from tools.audit.exporting import export
from tools.audit.signatures import TrustedKeys
from tools.audit.verifying import Verification, verify

pytestmark = pytest.mark.slow


@cache
def whole() -> SyntheticLogs:
    return simulated(6_000)


def verified(events: dict[str, list[bytes]], folder: Path) -> Verification:
    return verify(exported(SyntheticLogs(events, whole().signers).sign_all(), folder), TrustedKeys())


def seen() -> list[tuple[str, int]]:
    """Return the last versions of meetings that recommendations are based on."""
    links: dict[str, int] = {}
    for raw in whole().events["recommendations"]:
        link = orjson.loads(raw)["data"].get("seen")
        if link is not None:
            links[link["stream"]] = max(links.get(link["stream"], 0), link["version"])
    return sorted(links.items())


def test_the_history_has_links_between_its_logs() -> None:
    assert len(seen()) > 10
    assert any("causationid" in orjson.loads(raw) for raw in whole().events["notifications"])


def test_a_link_past_the_checkpoint_of_the_other_log_is_not_yet_covered(tmp_path: Path) -> None:
    early = whole().events["meetings"][: len(whole().events["meetings"]) // 2]
    done = verified(whole().events | {"meetings": early}, tmp_path / "export")
    assert done.findings.listed == []
    assert done.open.count > 5
    assert "," in done.open.first


def test_links_into_a_log_that_was_not_exported_are_open_and_no_fault(tmp_path: Path) -> None:
    ledgers = SyntheticLogs(whole().events, whole().signers).sign_all()
    export(ledgers, tmp_path / "export", ["recommendations"], quiet)
    done = verify(Bundle(tmp_path / "export"), TrustedKeys())
    assert done.holds
    assert done.open.count >= len(seen())


@pytest.mark.parametrize("number", [0, 5])
def test_a_removed_event_that_others_are_based_on_is_found(number: int, tmp_path: Path) -> None:
    stream, version = seen()[number]
    cut = [
        raw
        for raw in whole().events["meetings"]
        if (event := orjson.loads(raw))["subject"] != stream or event["streamversion"] < version
    ]
    done = verified(whole().events | {"meetings": cut}, tmp_path / "export")
    finding = next(finding for finding in done.findings.listed if f"{stream} version {version}" in finding.what)
    assert finding.kind == "link"
    assert finding.service in {"recommendations", "notifications"}
    assert finding.position is not None
    assert "meetings does not hold" in finding.what
