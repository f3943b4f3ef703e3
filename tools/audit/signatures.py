"""Who signed which checkpoint of a log, and who vouches for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from shared.tlog.checkpoints import Checkpoint, Cosigned, cosigned, opened
from shared.tlog.notes import COSIGNATURE, ED25519, NotAKey, NotANote, Verifier
from tools.audit.bundle import CHECKPOINT, CHECKPOINTS, CURRENT_KEY, Log, NotReadable
from tools.audit.findings import Finding, Findings


@dataclass(frozen=True)
class Trusted:
    """The keys that an auditor has from elsewhere: of logs, and of witnesses. Without any, a bundle's own are taken."""

    logs: tuple[Verifier, ...] = ()
    witnesses: tuple[Verifier, ...] = ()

    @classmethod
    def of(cls, keys: Iterable[Verifier]) -> Trusted:
        """Sort keys by their kind."""
        given = tuple(keys)
        return cls(
            tuple(key for key in given if key.kind == ED25519), tuple(key for key in given if key.kind == COSIGNATURE)
        )


@dataclass
class Signed:
    """The checkpoints of a log that hold as far as signatures go: roots by size, with where each was read."""

    newest: Checkpoint
    key: Verifier | None = None
    roots: dict[int, list[tuple[bytes, str]]] = field(default_factory=dict)
    vouching: dict[str, tuple[int, Cosigned]] = field(default_factory=dict)


def signed(log: Log, trusted: Trusted, origin: str | None, findings: Findings) -> Signed | None:
    """Check every checkpoint of a log; None where the newest cannot be read."""
    keys = _keys(log, trusted, findings)
    newest = _newest(log, keys, origin, findings)
    if newest is None:
        return None
    found, raw = newest
    sizes = log.sizes()
    if found.newest.size not in sizes:
        _says(findings, log, "checkpoint", f"{CHECKPOINTS}/{found.newest.size} is missing: each is kept")
    for size in sizes:
        _earlier(log, size, keys, trusted, found, raw, findings)
    for witness in trusted.witnesses:
        if witness.name not in found.vouching:
            _says(findings, log, "witness", f"no checkpoint carries a cosignature of the witness {witness.name}")
    return found


def _newest(log: Log, keys: Sequence[Verifier], origin: str | None, findings: Findings) -> tuple[Signed, bytes] | None:
    try:
        raw = log.file(CHECKPOINT)
        checkpoint, _, by = opened(raw, keys)
    except (NotReadable, NotANote) as fault:
        _says(findings, log, "signature", f"{CHECKPOINT}: {fault}")
        return None
    expected = origin or checkpoint.origin
    if checkpoint.origin != expected or not checkpoint.origin.endswith(f"/{log.service}"):
        _says(findings, log, "origin", f"{CHECKPOINT} is of the log {checkpoint.origin}, not of {expected}")
    if not by:
        _says(findings, log, "key", f"{CHECKPOINT} is signed with none of the known keys: {_named(keys)}")
    found = Signed(checkpoint, by[0] if by else None)
    found.roots[checkpoint.size] = [(checkpoint.root, CHECKPOINT)] if by else []
    return found, raw


def _earlier(
    log: Log,
    size: int,
    keys: Sequence[Verifier],
    trusted: Trusted,
    found: Signed,
    newest: bytes,
    findings: Findings,
) -> None:
    name = f"{CHECKPOINTS}/{size}"
    try:
        raw = log.file(name)
        checkpoint, note, by = opened(raw, keys)
        vouching = cosigned(note, trusted.witnesses)
    except (NotReadable, NotANote) as fault:
        _says(findings, log, "signature", f"{name}: {fault}")
        return
    if checkpoint.origin != found.newest.origin or checkpoint.size != size:
        _says(findings, log, "checkpoint", f"{name} is that of {checkpoint.origin} at {checkpoint.size}")
        return
    if not by:
        _says(findings, log, "key", f"{name} is signed with none of the known keys: {_named(keys)}")
        return
    if size > found.newest.size:
        what = f"{CHECKPOINT} is of size {found.newest.size}, though one of size {size} was signed: it is an old one"
        _says(findings, log, "replayed", what)
        return
    if size == found.newest.size and raw != newest:
        _says(findings, log, "checkpoint", f"{name} is not the same bytes as {CHECKPOINT}")
    found.roots.setdefault(size, []).append((checkpoint.root, name))
    for each in vouching:
        found.vouching[each.witness.name] = (size, each)


def _keys(log: Log, trusted: Trusted, findings: Findings) -> Sequence[Verifier]:
    """Return the keys to check with: those given from elsewhere, else the bundle's own."""
    own: Sequence[Verifier] = ()
    try:
        own = log.keys()
        current = Verifier.parse(log.file(CURRENT_KEY).decode(errors="replace"))
        if not own or own[0] != current:
            _says(findings, log, "key", f"{CURRENT_KEY} is not the first of {len(own)} keys in log.vkeys")
    except (NotReadable, NotAKey) as fault:
        _says(findings, log, "key", f"{CURRENT_KEY}: {fault}")
    return trusted.logs or own


def _named(keys: Iterable[Verifier]) -> str:
    return ", ".join(f"{key.name}+{key.key_id.hex()}" for key in keys) or "there are none"


def _says(findings: Findings, log: Log, kind: str, what: str) -> None:
    findings.add(Finding(log.service, kind, what))
