"""G2, second half: each sequenced event is on its topic with the same bytes, first deliveries in stream order."""

from __future__ import annotations

from collections.abc import Collection

from shared.consumer.decoding import decode_record
from shared.consumer.record import UNSIGNED, ConsumedEvent, Poison
from tests.faults.rig.comparison.evidence import Evidence, Key
from tests.faults.rig.comparison.findings import Findings
from tests.faults.rig.comparison.sequenced import entries_of
from tools.local.stack import ALL_FOUR


def compare(evidence: Evidence, injected: Collection[str], findings: Findings) -> None:
    """Compare the topics with ledgers and commits; `injected` holds the origins of the rig's own records."""
    for service in ALL_FOUR:
        first = _first_deliveries(evidence, service, injected, findings)
        missing = evidence.raws[service].keys() - first
        findings.stick(*(f"{service}: {key} is stored, and not published" for key in missing))


def _first_deliveries(evidence: Evidence, service: str, injected: Collection[str], findings: Findings) -> set[Key]:
    entries, heads, repeats, unsigned = entries_of(evidence, service), dict[str, int](), 0, 0
    for record in evidence.topic[service]:
        if record.origin in injected:
            continue
        event = decode_record(record, evidence.trust)
        if isinstance(event, Poison):
            if event.reason == UNSIGNED:
                unsigned += 1
                continue
            findings.lose(f"{record.origin} holds a record that the relay never published: {event.reason}")
            continue
        _check_same(evidence, service, entries, event, findings)
        stream, version = event.key
        head = heads.get(stream, 0)
        if version > head + 1:
            findings.lose(f"{record.origin}: first delivery of {stream} version {version} after version {head}")
        repeats += version <= head
        heads[stream] = max(head, version)
    findings.count("published events", service, sum(heads.values()))
    findings.count("  identical repeats", service, repeats)
    findings.count("  unsigned records", service, unsigned)
    return {(stream, version) for stream, head in heads.items() for version in range(1, head + 1)}


def _check_same(
    evidence: Evidence, service: str, entries: list[tuple[Key, str]], event: ConsumedEvent, findings: Findings
) -> None:
    if evidence.raws[service].get(event.key) != event.raw:
        findings.lose(f"{event.origin}: {event.key} was published with bytes that are not stored")
    elif event.position >= len(entries) or entries[event.position] != (event.key, event.leaf):
        findings.double(f"{event.origin}: {event.key} was published at position {event.position} of another event")
