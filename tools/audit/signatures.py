"""Checks of the signatures and witness cosignatures of a log's checkpoints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from shared.events.envelope import stamp
from shared.tlog.checkpoints import Checkpoint, Cosigned, cosigned, opened
from shared.tlog.notes import COSIGNATURE, ED25519, NotAKey, NotANote, Verifier
from tools.audit.breaks import Breaks
from tools.audit.bundle import CHECKPOINT, CHECKPOINTS, CURRENT_KEY, Log, NotReadable
from tools.audit.findings import Finding, Findings


@dataclass(frozen=True)
class TrustedKeys:
    """The keys of logs and witnesses that an auditor trusts. Without log keys, a bundle's own are used.

    `accepted_breaks` are the origins of lost logs whose break the auditor accepts without their key's signature.
    """

    logs: tuple[Verifier, ...] = ()
    witnesses: tuple[Verifier, ...] = ()
    accepted_breaks: tuple[str, ...] = ()

    @classmethod
    def of(cls, keys: Iterable[Verifier]) -> TrustedKeys:
        """Separate keys by their kind."""
        verifiers = tuple(keys)
        return cls(
            tuple(key for key in verifiers if key.kind == ED25519),
            tuple(key for key in verifiers if key.kind == COSIGNATURE),
        )


@dataclass(frozen=True, order=True)
class TimeBound:
    """A time by which the first `size` events existed, by the word of a witness or of the export itself."""

    size: int
    latest: str
    """The last `time` that such an event may carry: a minute later, for clocks differ."""
    says: str


def latest_stamp(at: datetime) -> str:
    """Return the last time of recording that an event may carry which existed at a time."""
    return stamp(min(at, _LAST_TIME) + CLOCKS_DIFFER_BY)


CLOCKS_DIFFER_BY = timedelta(minutes=1)
_LAST_TIME = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass
class SignedRoots:
    """The roots of a log's validly signed checkpoints by size, each with the name of its file."""

    newest: Checkpoint
    key: Verifier | None = None
    roots: dict[int, list[tuple[bytes, str]]] = field(default_factory=dict)
    signers: dict[int, Verifier] = field(default_factory=dict)
    vouching: dict[str, tuple[int, Cosigned]] = field(default_factory=dict)
    bounds: list[TimeBound] = field(default_factory=list)
    breaks: Breaks = field(default_factory=Breaks)


def check_signatures(log: Log, trusted: TrustedKeys, origin: str | None, findings: Findings) -> SignedRoots | None:
    """Check every checkpoint of a log; return None if the newest cannot be read."""
    keys = keys_of(log, trusted, findings)
    newest = _newest(log, keys, origin, findings)
    if newest is None:
        return None
    signed, raw = newest
    sizes = log.sizes()
    if signed.newest.size not in sizes:
        _add(findings, log, "checkpoint", f"{CHECKPOINTS}/{signed.newest.size} is missing: a bundle holds each one")
    for size in sizes:
        _earlier(log, size, keys, trusted, signed, raw, findings)
    check_order_of_keys(log, signed.signers, findings)
    for witness in trusted.witnesses:
        if witness.name not in signed.vouching:
            _add(findings, log, "witness", f"no checkpoint carries a cosignature of the witness {witness.name}")
    return signed


def check_order_of_keys(log: Log, signers: Mapping[int, Verifier], findings: Findings) -> None:
    """Find a key that signs again after another one has replaced it, by the sizes of the checkpoints."""
    replaced, current = set[Verifier](), None
    for size, key in sorted(signers.items()):
        if key in replaced:
            by = f"{key.name}+{key.key_id.hex()}"
            _add(findings, log, "key", f"the checkpoint of size {size} is signed with {by}, which was replaced before")
            return
        if current is not None and key != current:
            replaced.add(current)
        current = key


def _newest(
    log: Log, keys: Sequence[Verifier], origin: str | None, findings: Findings
) -> tuple[SignedRoots, bytes] | None:
    try:
        raw = log.file(CHECKPOINT)
        checkpoint, _, by = opened(raw, keys)
    except (NotReadable, NotANote) as fault:
        _add(findings, log, "signature", f"{CHECKPOINT}: {fault}")
        return None
    expected = origin or checkpoint.origin
    if checkpoint.origin != expected or not checkpoint.origin.endswith(f"/{log.service}"):
        _add(findings, log, "origin", f"{CHECKPOINT} is of the log {checkpoint.origin}, not of {expected}")
    if not by:
        _add(findings, log, "key", _signed_by_none(CHECKPOINT, checkpoint, keys))
    signed = SignedRoots(checkpoint, by[0] if by else None)
    signed.roots[checkpoint.size] = [(checkpoint.root, CHECKPOINT)] if by else []
    signed.signers = {checkpoint.size: by[0]} if by else {}
    return signed, raw


def _earlier(
    log: Log,
    size: int,
    keys: Sequence[Verifier],
    trusted: TrustedKeys,
    signed: SignedRoots,
    newest: bytes,
    findings: Findings,
) -> None:
    name = f"{CHECKPOINTS}/{size}"
    try:
        raw = log.file(name)
        checkpoint, note, by = opened(raw, keys)
        vouching = cosigned(note, trusted.witnesses)
    except (NotReadable, NotANote) as fault:
        _add(findings, log, "signature", f"{name}: {fault}")
        return
    if checkpoint.origin != signed.newest.origin or checkpoint.size != size:
        _add(findings, log, "checkpoint", f"{name} is that of {checkpoint.origin} at {checkpoint.size}")
        return
    if not by:
        _add(findings, log, "key", _signed_by_none(name, checkpoint, keys))
        return
    if size > signed.newest.size:
        newest_size = signed.newest.size
        message = f"{CHECKPOINT} is of size {newest_size}, though one of size {size} was signed: it is an old one"
        _add(findings, log, "replayed", message)
        return
    if size == signed.newest.size and raw != newest:
        _add(findings, log, "checkpoint", f"{name} is not the same bytes as {CHECKPOINT}")
    signed.roots.setdefault(size, []).append((checkpoint.root, name))
    signed.signers.setdefault(size, by[0])
    for each in vouching:
        signed.vouching[each.witness.name] = (size, each)
        says = f"the witness {each.witness.name} vouched for it at {each.at:%Y-%m-%dT%H:%M:%SZ}"
        signed.bounds.append(TimeBound(size, latest_stamp(each.at), says))


def keys_of(log: Log, trusted: TrustedKeys, findings: Findings) -> Sequence[Verifier]:
    """Return the keys to check with: the trusted ones, else the bundle's own."""
    own: Sequence[Verifier] = ()
    try:
        own = log.keys()
        current = Verifier.parse(log.file(CURRENT_KEY).decode(errors="replace"))
        if not own or own[0] != current:
            _add(findings, log, "key", f"{CURRENT_KEY} is not the first of the {len(own)} keys in log.vkeys")
    except (NotReadable, NotAKey) as fault:
        _add(findings, log, "key", f"{CURRENT_KEY}: {fault}")
    return trusted.logs or own


def _signed_by_none(name: str, checkpoint: Checkpoint, keys: Sequence[Verifier]) -> str:
    own = [key for key in keys if key.name == checkpoint.origin]
    if not own:
        return f"{name}: no key of {checkpoint.origin} is known; give --key once for each log"
    return f"{name} is signed with none of the known keys: {_named(own)}; if the key was changed, give both"


def _named(keys: Iterable[Verifier]) -> str:
    return ", ".join(f"{key.name}+{key.key_id.hex()}" for key in keys) or "there are none"


def _add(findings: Findings, log: Log, kind: str, message: str) -> None:
    findings.add(Finding(log.service, kind, message))
