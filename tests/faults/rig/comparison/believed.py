"""G10: no service holds an event, a mail or a destroyed key that rests on what no service recorded."""

from __future__ import annotations

from shared.events.nominations import ExpertErased, NominationSubmitted
from tests.faults.rig.comparison.evidence import Evidence
from tests.faults.rig.comparison.findings import Findings


def compare(evidence: Evidence, findings: Findings) -> None:
    """Compare the journals with all stored events, and the keys of persons with those that were erased."""
    stored = {raw for raws in evidence.raws.values() for raw in raws.values()}
    for service, journal in evidence.journal.items():
        findings.count("journalled events", service, len(journal))
        for key, raw in journal.items():
            if raw not in stored:
                findings.believe(f"{service} journalled {key[0]} version {key[1]}, which no service recorded")
    nominations = [event.data for event in evidence.recorded("nominations").values()]
    erased = {data.person for data in nominations if isinstance(data, ExpertErased)}
    nominated = {data.person for data in nominations if isinstance(data, NominationSubmitted)}
    for person in sorted(nominated - erased - evidence.persons):
        findings.believe(f"the key of expert/{person} is gone, whom nobody erased")
