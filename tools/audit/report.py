"""What a verification came to, in words and as JSON."""

from __future__ import annotations

from base64 import b64encode
from importlib.metadata import version
from typing import Any

from services.recommendations.trace import SHAPE
from tools.audit.findings import KEPT
from tools.audit.log_verifier import Walk
from tools.audit.verifying import Verified, missing_keys

LISTED = 20


def in_words(done: Verified) -> list[str]:
    """Say what was verified, log by log, what was found, and the verdict last."""
    made, here = done.manifest.get("version"), version("throughline")
    lines = [f"Bundle of {done.manifest.get('deployment')}, made {done.manifest.get('made_at')} by version {made}."]
    if made != here:
        lines.append(f"This program is version {here}: what it does not know of, version {made} may.")
    for walk in done.walks.values():
        lines += _log(done, walk)
    if done.open.count:
        lines.append(f"Not yet covered by the checkpoint of the other log: {done.open.count}, first {done.open.first}.")
    if keys := missing_keys(done):
        lines.append("Signed with these keys, which only the bundle vouches for (compare them, then give --key):")
        lines += [f"    {key}" for key in keys]
    if done.holds:
        return [*lines, f"verified: {done.events} events in {len(done.walks)} logs"]
    more = f", the first {min(LISTED, len(done.findings.kept))} of them" if done.findings.count > LISTED else ""
    lines.append(f"NOT VERIFIED: {done.findings.count} found{more}:")
    return [*lines, *(f"    {finding.in_words()}" for finding in done.findings.kept[:LISTED])]


def _log(done: Verified, walk: Walk) -> list[str]:
    signed = walk.signed
    earlier = len(signed.roots) - 1
    by = f"signed with {signed.key.name}+{signed.key.key_id.hex()}" if signed.key else "not signed with a known key"
    held = f"{walk.events} of {signed.newest.size} events, {len(walk.heads)} streams"
    lines = [f"{walk.log.service}: {held}, {earlier} earlier checkpoint{'' if earlier == 1 else 's'}; {by}"]
    for name, (size, vouching) in signed.vouching.items():
        lines.append(f"    the witness {name} vouches for its first {size} events, at {vouching.at:%Y-%m-%d %H:%M:%S}Z")
    return lines


def as_json(done: Verified) -> dict[str, Any]:
    """Return the same as JSON."""
    return {
        "verified": done.holds,
        "events": done.events,
        "version": version("throughline"),
        "shape": SHAPE,
        "manifest": done.manifest,
        "keys_given": bool(done.trusted.logs),
        "logs": {service: _log_as_json(walk) for service, walk in done.walks.items()},
        "not_yet_covered": {"count": done.open.count, "first": done.open.first},
        "found": done.findings.count,
        "findings": [finding.as_json() for finding in done.findings.kept[:KEPT]],
    }


def _log_as_json(walk: Walk) -> dict[str, Any]:
    newest = walk.signed.newest
    return {
        "origin": newest.origin,
        "size": newest.size,
        "root": b64encode(newest.root).decode(),
        "key": walk.signed.key.vkey if walk.signed.key else None,
        "events": walk.events,
        "streams": len(walk.heads),
        "checkpoints": sorted(walk.signed.roots),
        "witnesses": {
            name: {"size": size, "at": vouching.at.isoformat()}
            for name, (size, vouching) in walk.signed.vouching.items()
        },
    }
