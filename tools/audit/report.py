"""The report of a verification, as text and as JSON."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

from services.recommendations.trace import SHAPE
from shared.runtime.version import version
from tools.audit.findings import MAX_FINDINGS
from tools.audit.log_check import LogCheck
from tools.audit.verifying import Verification, missing_keys
from tools.client.printable import printable, quoted

LISTED = 20


def as_text(done: Verification) -> list[str]:
    """Return the report as lines: each log, the findings, and the verdict last."""
    exporter, here = done.manifest.get("version"), version()
    deployment, made_at = (quoted(done.manifest.get(name)) for name in ("deployment", "made_at"))
    lines = [f"Bundle of {deployment}, made {made_at} by version {quoted(exporter)}."]
    if exporter != here:
        lines.append(
            f"This program is version {here}: it may not know everything that version {quoted(exporter)} knows."
        )
    for check in done.checks.values():
        lines += _log(check)
    if done.open.count:
        lines.append(f"Not yet covered by the checkpoint of the other log: {done.open.count}, first {done.open.first}.")
    if done.ahead.count:
        lines.append(f"Recorded after the export was made: {done.ahead.count}, first {done.ahead.first}.")
    if keys := missing_keys(done):
        lines.append("Signed with these keys, which only the bundle vouches for (compare them, then give --key):")
        lines += [f"    {key}" for key in keys]
    if done.holds:
        return [*lines, f"verified: {done.events} events in {len(done.checks)} logs{_across(done)}"]
    lines += [f"    {finding.sentence()}" for finding in done.findings.listed[:LISTED]]
    more = f", the first {LISTED} of them above" if done.findings.count > LISTED else ""
    return [*lines, f"NOT VERIFIED: {done.findings.count} found{more}"]


def _across(done: Verification) -> str:
    breaks = sum(len(check.signed.breaks.checked) for check in done.checks.values())
    return f", across {breaks} declared break{'' if breaks == 1 else 's'}" if breaks else ""


def _log(check: LogCheck) -> list[str]:
    signed = check.signed
    earlier = len(signed.roots) - 1
    by = f"signed with {signed.key.name}+{signed.key.key_id.hex()}" if signed.key else "not signed with a known key"
    checked = f"{check.events} of {signed.newest.size} events, {len(check.heads)} streams"
    lines = [f"{check.log.service}: {checked}, {earlier} earlier checkpoint{'' if earlier == 1 else 's'}; {by}"]
    lines += [f"    {printable(line)}" for each in signed.breaks.checked for line in each.sentences()]
    for name, (size, vouching) in signed.vouching.items():
        lines.append(f"    the witness {name} vouches for its first {size} events, at {vouching.at:%Y-%m-%d %H:%M:%S}Z")
    return lines


def as_json(done: Verification) -> dict[str, Any]:
    """Return the report as JSON."""
    return {
        "verified": done.holds,
        "checked_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "events": done.events,
        "version": version(),
        "shape": SHAPE,
        "manifest": done.manifest,
        "keys_given": bool(done.trusted.logs),
        "logs": {service: _log_as_json(check) for service, check in done.checks.items()},
        "not_yet_covered": {"count": done.open.count, "first": done.open.first},
        "ahead_of_export": {"count": done.ahead.count, "first": done.ahead.first},
        "found": done.findings.count,
        "findings": [finding.as_json() for finding in done.findings.listed[:MAX_FINDINGS]],
    }


def _log_as_json(check: LogCheck) -> dict[str, Any]:
    newest = check.signed.newest
    return {
        "origin": newest.origin,
        "size": newest.size,
        "root": b64encode(newest.root).decode(),
        "key": check.signed.key.vkey if check.signed.key else None,
        "events": check.events,
        "streams": len(check.heads),
        "checkpoints": sorted(check.signed.roots),
        "breaks": [each.as_json() for each in check.signed.breaks.checked],
        "witnesses": {
            name: {"size": size, "at": vouching.at.isoformat()}
            for name, (size, vouching) in check.signed.vouching.items()
        },
    }
