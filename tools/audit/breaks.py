"""Declared breaks of a log: what was lost, who signed the declaration, and whether an earlier export knows better."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.tlog.breaks import LogBreak, names_old_key, old_signers
from shared.tlog.notes import NotANote, Verifier
from tools.audit.bundle import Bundle, Log, NotReadable
from tools.audit.findings import Finding, Findings


@dataclass(frozen=True)
class CheckedBreak:
    """A declared break: `old_key` is the known key of the old log that signed it, `claimed` the id that it names."""

    log_break: LogBreak
    name: str
    old_key: Verifier | None
    claimed: str | None
    is_fault: bool

    def signature(self) -> str:
        """Say who signed the declaration, besides the new log's own key."""
        old = self.log_break.old_origin
        if self.old_key is not None:
            return f"signed by the old log's key {old}+{self.old_key.key_id.hex()}"
        if self.claimed is not None:
            return f"it names {old}+{self.claimed}, which is no known key of that log: give the log's key with --key"
        return f"NO KEY OF {old} SIGNED IT, so that anybody who holds the new key may have made it"

    def sentences(self) -> list[str]:
        """Describe the break in lines."""
        each = self.log_break
        first = f"DECLARED BREAK at size {each.size}, {each.at:%Y-%m-%d %H:%M:%S}Z: it continues {each.old_origin}"
        return [first, f"    {self.signature()}", *(f"    lost: {lost}" for lost in each.lost)]

    def as_json(self) -> dict[str, Any]:
        """Return the break as JSON."""
        each = self.log_break
        return {
            "continues": each.old_origin,
            "size": each.size,
            "at": each.at.isoformat(),
            "signed_by_old_key": self.old_key.vkey if self.old_key else None,
            "lost": [*each.lost],
        }


@dataclass(frozen=True)
class Breaks:
    """The declared breaks of one log, the oldest first."""

    checked: list[CheckedBreak] = field(default_factory=list)

    @property
    def size(self) -> int:
        """The number of entries before the last break; 0 where there is none."""
        return self.checked[-1].log_break.size if self.checked else 0

    def origins(self) -> list[str]:
        """Return the origins of the logs that this one continues."""
        return [each.log_break.old_origin for each in self.checked]

    def after(self, origin: str) -> CheckedBreak | None:
        """Return the break by which an earlier log ended."""
        return next((each for each in self.checked if each.log_break.old_origin == origin), None)


def declared_breaks(bundle: Bundle) -> list[str]:
    """Return the origins of the lost logs whose breaks a bundle declares. Raises NotReadable, NotANote."""
    return [LogBreak.opened(raw).old_origin for log in bundle.logs.values() for _, raw in log.breaks()]


def check_breaks(
    log: Log,
    origin: str,
    keys: Iterable[Verifier],
    old_keys: Iterable[Verifier],
    accepted: Collection[str],
    findings: Findings,
    *,
    pinned: bool,
) -> Breaks:
    """Check the declared breaks of a log of this origin, which one of its keys must have signed.

    One that no key of the old log signed is a finding, unless the auditor accepts the old log's origin; so is one that
    no known key of it signed, where keys are known or the auditor pinned some.
    """
    breaks, expected, olds = [], origin, [*old_keys]
    known = [key for key in keys if key.name == origin]
    try:
        notes = log.breaks()
    except NotReadable as fault:
        findings.add(Finding(log.service, "break", str(fault)))
        return Breaks()
    for name, raw in reversed(notes):
        try:
            each = _checked(name, raw, olds, accepted, pinned=pinned)
            if each.log_break.new.name != expected:
                raise NotANote(f"it leads to {each.log_break.new.name}, not to {expected}")
            if expected == origin and known and each.log_break.new not in known:
                raise NotANote(f"its key {each.log_break.new.key_id.hex()} is no known key of {origin}")
        except NotANote as fault:
            findings.add(Finding(log.service, "break", f"{name}: {fault}"))
            break
        if each.is_fault:
            findings.add(Finding(log.service, "break", f"{name}: {each.signature()}"))
        expected = each.log_break.old_origin
        breaks.append(each)
    return Breaks(breaks[::-1])


def _checked(
    name: str, raw: bytes, keys: Sequence[Verifier], accepted: Collection[str], *, pinned: bool
) -> CheckedBreak:
    log_break, claimed = LogBreak.opened(raw), names_old_key(raw)
    signers, origin = old_signers(raw, keys), log_break.old_origin
    checkable = claimed is None or pinned or any(key.name == origin for key in keys)
    is_fault = not signers and checkable and origin not in accepted
    return CheckedBreak(log_break, name, signers[0] if signers else None, claimed, is_fault)
