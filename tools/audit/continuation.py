"""The continuation of a log: of a lost one after a declared break, and of that in an earlier export."""

from __future__ import annotations

from dataclasses import dataclass

from tools.audit.breaks import CheckedBreak, check_breaks
from tools.audit.bundle import Log, NotReadable
from tools.audit.findings import Finding, Findings
from tools.audit.signatures import SignedRoots, TrustedKeys, check_order_of_keys, check_signatures, keys_of


@dataclass(frozen=True)
class Continuation:
    """The check of what a log continues; it adds the roots that the log must have to `signed`."""

    log: Log
    signed: SignedRoots
    earlier: Log | None
    trusted: TrustedKeys
    findings: Findings

    def check(self) -> None:
        """Check the declared breaks, then compare with the earlier export."""
        self._check_breaks()
        if self.earlier is None:
            return
        origin, ended = self._origin_of(self.earlier)
        old = check_signatures(self.earlier, TrustedKeys(self.trusted.logs), origin, self.findings)
        if old is None:
            return
        if ended is not None:
            self._compare_ended(old, ended.log_break.size)
        else:
            self._compare(old)

    def _check_breaks(self) -> None:
        """Check the declared breaks, and add the root that each says the old log had."""
        pinned, newest = self.trusted.logs, self.signed.newest
        old_keys = pinned or (keys_of(self.earlier, self.trusted, self.findings) if self.earlier else ())
        keys = pinned or keys_of(self.log, self.trusted, Findings())
        accepted = self.trusted.accepted_breaks
        breaks = check_breaks(self.log, newest.origin, keys, old_keys, accepted, self.findings, pinned=bool(pinned))
        self.signed.breaks = breaks
        for each in breaks.checked:
            size = each.log_break.size
            if size > newest.size:
                self._add("break", f"{each.name}: {size} events were restored, and it holds {newest.size}")
            self.signed.roots.setdefault(size, []).append((each.log_break.root, each.name))

    def _origin_of(self, earlier: Log) -> tuple[str, CheckedBreak | None]:
        """Return the origin that an earlier export's log must have, and the break by which it ended, if it did."""
        try:
            origin = earlier.checkpoint().origin
        except NotReadable:
            return self.signed.newest.origin, None
        ended = self.signed.breaks.after(origin)
        return (origin if ended else self.signed.newest.origin), ended

    def _compare_ended(self, old: SignedRoots, size: int) -> None:
        """Compare with a log that ended at a size by a declared break: it must not hold what is called lost."""
        origin, held = old.newest.origin, old.newest.size
        if held > size:
            beyond = f"the earlier export holds {held} events of it: {held - size} are not lost, and are missing here"
            self._add("break", f"the declared break says that {origin} is lost from position {size} on, and {beyond}")
        self._add_roots(old, min(size, self.signed.newest.size))

    def _compare(self, old: SignedRoots) -> None:
        held, newest = old.newest.size, self.signed.newest.size
        if held > newest:
            self._add("since", f"it holds {newest} events, and the earlier export {held}: some were taken away")
        check_order_of_keys(self.log, {**self.signed.signers, **old.signers}, self.findings)
        self._add_roots(old, newest)

    def _add_roots(self, old: SignedRoots, limit: int) -> None:
        for size, roots in old.roots.items():
            if size <= limit:
                named = [(root, f"the earlier export's {name}") for root, name in roots]
                self.signed.roots.setdefault(size, []).extend(named)

    def _add(self, kind: str, message: str) -> None:
        self.findings.add(Finding(self.log.service, kind, message))
