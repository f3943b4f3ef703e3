"""G2, second half: every sequenced event lies on its topic, first deliveries in stream order, with the same bytes."""

from __future__ import annotations

from collections.abc import Collection

from shared.consumer.record import ConsumedEvent, Poison, decode_record
from tests.faults.rig.reckoning.evidence import Evidence, Key
from tests.faults.rig.reckoning.findings import Findings
from tests.faults.rig.reckoning.sequenced import entries_of
from tools.local.stack import ALL_FOUR


def reckon(evidence: Evidence, injected: Collection[str], findings: Findings) -> None:
    """Set the topics against ledgers and commits; `injected` names the records that the rig itself put there."""
    for service in ALL_FOUR:
        first = _first_deliveries(evidence, service, injected, findings)
        missing = evidence.raws[service].keys() - first
        findings.stick(*(f"{service}: {key} is stored, and not published" for key in missing))


def _first_deliveries(evidence: Evidence, service: str, injected: Collection[str], findings: Findings) -> set[Key]:
    entries, heads, repeats = entries_of(evidence, service), dict[str, int](), 0
    for arrival in evidence.topic[service]:
        if arrival.origin in injected:
            continue
        event = decode_record(arrival)
        if isinstance(event, Poison):
            findings.lose(f"{arrival.origin} holds what the relay never published: {event.reason}")
            continue
        _same(evidence, service, entries, event, findings)
        stream, version = event.key
        head = heads.get(stream, 0)
        if version > head + 1:
            findings.lose(f"{arrival.origin}: first delivery of {stream} version {version} after version {head}")
        repeats += version <= head
        heads[stream] = max(head, version)
    findings.count("published events", service, sum(heads.values()))
    findings.count("  identical repeats", service, repeats)
    return {(stream, version) for stream, head in heads.items() for version in range(1, head + 1)}


def _same(
    evidence: Evidence, service: str, entries: list[tuple[Key, str]], event: ConsumedEvent, findings: Findings
) -> None:
    if evidence.raws[service].get(event.key) != event.raw:
        findings.lose(f"{event.origin}: {event.key} was published with bytes that are not stored")
    elif event.position >= len(entries) or entries[event.position] != (event.key, event.leaf):
        findings.double(f"{event.origin}: {event.key} was published at position {event.position}, which is another's")
