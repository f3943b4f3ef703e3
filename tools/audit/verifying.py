"""Offline verification of a bundle: it reads the bundle's files and the auditor's trusted keys, nothing else."""

from __future__ import annotations

import gc
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from multiprocessing import get_context
from typing import Any

from shared.tlog.keys import origin_of
from shared.tlog.tiles import Tile, bundles_of
from tools.audit.bundle import FORMAT, Bundle, Log, NotReadable
from tools.audit.continuation import Continuation
from tools.audit.entry_bundles import EntryBundle, disable_gc, read_entry_bundle, read_entry_bundles
from tools.audit.findings import Finding, Findings
from tools.audit.links import Links, OpenLinks
from tools.audit.log_check import Ahead, LogCheck
from tools.audit.signatures import SignedRoots, TrustedKeys, check_signatures, latest_stamp
from tools.client.printable import quoted

FILES_PER_TASK = 4
MAX_PENDING_TASKS = 6
ONE_PROCESS_BELOW = 50_000
Advance = Callable[[int, int], None]


@dataclass
class Verification:
    """The result of a verification: the check of each log, findings, open links, and times ahead of the export."""

    manifest: dict[str, Any]
    trusted: TrustedKeys
    checks: dict[str, LogCheck] = field(default_factory=dict)
    findings: Findings = field(default_factory=Findings)
    open: OpenLinks = field(default_factory=OpenLinks)
    ahead: Ahead = field(default_factory=Ahead)

    @property
    def holds(self) -> bool:
        """True if there is no finding."""
        return self.findings.count == 0

    @property
    def events(self) -> int:
        """The number of events checked."""
        return sum(check.events for check in self.checks.values())


def verify(
    bundle: Bundle,
    trusted: TrustedKeys = TrustedKeys(),
    since: Bundle | None = None,
    advance: Advance = lambda done, of: None,
    jobs: int | None = None,
) -> Verification:
    """Verify a bundle in bounded memory. Raises NotReadable if it is no bundle of this format."""
    manifest = bundle.manifest()
    if manifest.get("format") != FORMAT:
        raise NotReadable(f"it is a bundle of format {manifest.get('format')}; this program reads format {FORMAT}")
    done = Verification(manifest, trusted)
    logs = bundle.logs
    signatures = {service: _check_signatures(done, log, since) for service, log in logs.items()}
    _compare_manifest(done, logs, signatures)
    _check_pinned(done, signatures)
    _check_deployment(done, signatures)
    exported_at = _exported_at(done)
    if since is not None:
        for service in since.logs.keys() - logs.keys():
            done.findings.add(Finding(service, "since", "the earlier export has this log, and this one does not"))
    links, owners = Links(), {}
    total = sum(each.newest.size for each in signatures.values() if each)
    with _reading(jobs or _jobs(total)) as read:
        for service, signed in signatures.items():
            if signed is None:
                continue
            before = done.events
            check = done.checks[service] = LogCheck(
                logs[service], signed, done.findings, links, exported_at, done.ahead
            )
            for events in check.run(read(logs[service], bundles_of(signed.newest.size))):
                advance(before + events, total)
            owners.update(dict.fromkeys((stream.partition("/")[0] for stream in check.heads), service))
    _judge_links(done, links, owners)
    done.findings.sort()
    return done


def _judge_links(done: Verification, links: Links, owners: dict[str, str]) -> None:
    heads = {stream: head[0] for check in done.checks.values() for stream, head in check.heads.items()}
    latest = {service: check.latest for service, check in done.checks.items()}
    ends = {service: check.signed.breaks.size for service, check in done.checks.items()}
    done.open, broken = links.judge(heads, owners, latest, ends)
    for finding in broken:
        done.findings.add(finding)


def _check_signatures(done: Verification, log: Log, since: Bundle | None) -> SignedRoots | None:
    """Check the signatures of a log, and add the roots that an earlier export signed for it."""
    stated = _stated(done.manifest, log.service)
    signed = check_signatures(log, done.trusted, stated.get("origin"), done.findings)
    if signed is not None:
        earlier = since.logs.get(log.service) if since is not None else None
        Continuation(log, signed, earlier, done.trusted, done.findings).check()
    return signed


def _stated(manifest: dict[str, Any], service: str) -> dict[str, Any]:
    services = manifest.get("services")
    stated = services.get(service) if isinstance(services, dict) else None
    return stated if isinstance(stated, dict) else {}


def _compare_manifest(done: Verification, logs: dict[str, Log], signatures: dict[str, SignedRoots | None]) -> None:
    services = done.manifest.get("services")
    for service in sorted((services.keys() if isinstance(services, dict) else set()) - logs.keys()):
        message = f"it names the log {quoted(service)}, and the bundle has no folder of it"
        done.findings.add(Finding("manifest", "manifest", message))
    for service, signed in signatures.items():
        stated = _stated(done.manifest, service)
        if signed is not None and stated.get("size") != signed.newest.size:
            message = f"the manifest says {stated.get('size')} events, and the checkpoint {signed.newest.size}"
            done.findings.add(Finding(service, "manifest", message))


def _check_pinned(done: Verification, signatures: dict[str, SignedRoots | None]) -> None:
    """Find keys that the auditor pinned and whose log is not here."""
    known = [signed for signed in signatures.values() if signed is not None]
    present = {origin for signed in known for origin in (signed.newest.origin, *signed.breaks.origins())}
    for origin in dict.fromkeys(key.name for key in done.trusted.logs):
        if origin not in present:
            message = f"a key of the log {origin} was given, and the bundle does not have that log"
            done.findings.add(Finding(origin.rpartition("/")[2], "absent", message))


def _check_deployment(done: Verification, signatures: dict[str, SignedRoots | None]) -> None:
    """Find a log of another deployment than the manifest's."""
    deployment = done.manifest.get("deployment")
    for service, signed in signatures.items():
        if signed is not None and signed.newest.origin != origin_of(str(deployment), service):
            message = f"it is of the log {quoted(signed.newest.origin)}, the manifest of {quoted(deployment)}"
            done.findings.add(Finding(service, "manifest", message))


def _exported_at(done: Verification) -> str:
    """Return the last time that an event of this export should carry; empty if the manifest gives no time."""
    made_at = done.manifest.get("made_at")
    try:
        return latest_stamp(datetime.fromisoformat(str(made_at)).astimezone(UTC))
    except (OverflowError, ValueError):
        done.findings.add(Finding("manifest", "manifest", f"made_at is no time: {quoted(made_at)}"))
        return ""


def _jobs(events: int) -> int:
    return 1 if events < ONE_PROCESS_BELOW else min(2, len(os.sched_getaffinity(0)))


ReadBundles = Callable[[Log, Iterable[Tile]], Iterator[EntryBundle]]


@contextmanager
def _reading(jobs: int) -> Iterator[ReadBundles]:
    """Yield a reader of entry bundles in order, in this process or in worker processes with a bounded queue."""
    if jobs == 1:
        collecting = gc.isenabled()
        gc.disable()
        try:
            yield lambda log, tiles: (read_entry_bundle(log, tile) for tile in tiles)
        finally:
            if collecting:
                gc.enable()
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=disable_gc) as pool:
        yield lambda log, tiles: _read_in(pool, log, iter(tiles))


def _read_in(pool: ProcessPoolExecutor, log: Log, tiles: Iterator[Tile]) -> Iterator[EntryBundle]:
    pending: deque[Future[list[EntryBundle]]] = deque()
    while True:
        while len(pending) < MAX_PENDING_TASKS and (chunk := tuple(islice(tiles, FILES_PER_TASK))):
            pending.append(pool.submit(read_entry_bundles, (log, chunk)))
        if not pending:
            return
        yield from pending.popleft().result()


def missing_keys(done: Verification) -> Sequence[str]:
    """Return the keys that only the bundle vouches for; none if the auditor gave log keys."""
    if done.trusted.logs:
        return ()
    return [check.signed.key.vkey for check in done.checks.values() if check.signed.key]
