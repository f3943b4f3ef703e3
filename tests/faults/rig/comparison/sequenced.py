"""G2, first half: the ledger gives each stored event one position, dense, in stream order, with its leaf hash."""

from __future__ import annotations

from shared.events.canonical import leaf_hash
from tests.faults.rig.comparison.evidence import Evidence, Key
from tests.faults.rig.comparison.findings import Findings, repeated
from tools.local.stack import ALL_FOUR


def compare(evidence: Evidence, findings: Findings) -> None:
    """Compare the ledgers with the commits."""
    for service in ALL_FOUR:
        _check_dense(evidence, service, findings)
        entries = entries_of(evidence, service)
        findings.count("ledger entries", service, len(entries))
        _check_each_once(evidence, service, entries, findings)
        _check_in_order(service, entries, findings)


def entries_of(evidence: Evidence, service: str) -> list[tuple[Key, str]]:
    """Return the ledger's entries in order of position: stream and version, leaf hash."""
    return [
        ((stream, version), leaf) for batch in evidence.ledger[service] for stream, version, leaf in batch["entries"]
    ]


def _check_dense(evidence: Evidence, service: str, findings: Findings) -> None:
    expected = 0
    for batch in evidence.ledger[service]:
        if batch["_id"] != expected:
            findings.lose(f"{service}: the ledger continues at {batch['_id']} instead of {expected}")
        expected = batch["_id"] + len(batch["entries"])


def _check_each_once(evidence: Evidence, service: str, entries: list[tuple[Key, str]], findings: Findings) -> None:
    raws = evidence.raws[service]
    keys = [key for key, _ in entries]
    findings.double(*(f"{service}: {key} has two positions" for key in repeated(keys)))
    findings.lose(*(f"{service}: {key} is sequenced, and not stored" for key in keys if key not in raws))
    findings.stick(*(f"{service}: {key} is stored, and not sequenced" for key in raws.keys() - set(keys)))
    findings.lose(
        *(
            f"{service}: {key} has the leaf hash of other bytes"
            for key, leaf in entries
            if key in raws and leaf_hash(raws[key]) != leaf
        )
    )


def _check_in_order(service: str, entries: list[tuple[Key, str]], findings: Findings) -> None:
    heads: dict[str, int] = {}
    for (stream, version), _ in entries:
        if version != heads.get(stream, 0) + 1:
            findings.lose(f"{service}: {stream} version {version} is sequenced after version {heads.get(stream, 0)}")
        heads[stream] = version
