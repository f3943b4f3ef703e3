"""A bundle verified offline: nothing but its files, and the keys that the auditor has from elsewhere."""

from __future__ import annotations

import gc
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context
from typing import Any

from shared.tlog.tiles import Tile, bundles_of
from tools.audit.bundle import FORMAT, Bundle, Log, NotReadable
from tools.audit.entry_bundles import Slice, begin, slice_of, slices_of
from tools.audit.findings import Finding, Findings
from tools.audit.links import Links, Open
from tools.audit.log_verifier import Walk
from tools.audit.signatures import Signed, Trusted, signed

FILES_AT_ONCE = 4
WAITING = 6
ALONE_BELOW = 50_000
Advance = Callable[[int, int], None]


@dataclass
class Verified:
    """What a verification came to."""

    manifest: dict[str, Any]
    trusted: Trusted
    walks: dict[str, Walk] = field(default_factory=dict)
    findings: Findings = field(default_factory=Findings)
    open: Open = field(default_factory=Open)

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return self.findings.count == 0

    @property
    def events(self) -> int:
        """How many events were looked at."""
        return sum(walk.events for walk in self.walks.values())


def verify(
    bundle: Bundle,
    trusted: Trusted = Trusted(),
    since: Bundle | None = None,
    advance: Advance = lambda done, of: None,
    jobs: int | None = None,
) -> Verified:
    """Verify a bundle, in a bounded amount of memory. Raises NotReadable where it is no bundle of this format."""
    manifest = bundle.manifest()
    if manifest.get("format") != FORMAT:
        raise NotReadable(f"it is a bundle of format {manifest.get('format')}; this program reads format {FORMAT}")
    done = Verified(manifest, trusted)
    logs = bundle.logs
    signatures = {service: _signed(done, log, since) for service, log in logs.items()}
    _compare_manifest(done, logs, signatures)
    if since is not None:
        for service in since.logs.keys() - logs.keys():
            done.findings.add(Finding(service, "since", "the earlier export has this log, and this one has not"))
    links, owners = Links(), {}
    total = sum(each.newest.size for each in signatures.values() if each)
    with _taking(jobs or _jobs(total)) as take:
        for service, sign in signatures.items():
            if sign is None:
                continue
            before = done.events
            walk = done.walks[service] = Walk(logs[service], sign, done.findings, links)
            for events in walk.walk(take(logs[service], bundles_of(sign.newest.size))):
                advance(before + events, total)
            owners.update(dict.fromkeys((stream.partition("/")[0] for stream in walk.heads), service))
    _judge_links(done, links, owners)
    done.findings.sort()
    return done


def _judge_links(done: Verified, links: Links, owners: dict[str, str]) -> None:
    heads = {stream: head[0] for walk in done.walks.values() for stream, head in walk.heads.items()}
    latest = {service: walk.latest for service, walk in done.walks.items()}
    done.open, broken = links.judge(heads, owners, latest)
    for finding in broken:
        done.findings.add(finding)


def _signed(done: Verified, log: Log, since: Bundle | None) -> Signed | None:
    """Check the signatures of a log, and take over what an earlier export says that it must begin with."""
    told = _told(done.manifest, log.service)
    sign = signed(log, done.trusted, told.get("origin"), done.findings)
    earlier = since.logs.get(log.service) if since is not None else None
    if sign is None or earlier is None:
        return sign
    old = signed(earlier, Trusted(done.trusted.logs), sign.newest.origin, done.findings)
    if old is None:
        return sign
    if old.newest.size > sign.newest.size:
        what = f"it holds {sign.newest.size} events, and the earlier export {old.newest.size}: some were taken away"
        done.findings.add(Finding(log.service, "since", what))
    for size, roots in old.roots.items():
        if size <= sign.newest.size:
            held = sign.roots.setdefault(size, [])
            held += [(root, f"the earlier export's {name}") for root, name in roots]
    return sign


def _told(manifest: dict[str, Any], service: str) -> dict[str, Any]:
    services = manifest.get("services")
    told = services.get(service) if isinstance(services, dict) else None
    return told if isinstance(told, dict) else {}


def _compare_manifest(done: Verified, logs: dict[str, Log], signatures: dict[str, Signed | None]) -> None:
    services = done.manifest.get("services")
    for service in sorted((services.keys() if isinstance(services, dict) else set()) - logs.keys()):
        done.findings.add(
            Finding(service, "manifest", "the manifest names this log, and the bundle has no folder of it")
        )
    for service, sign in signatures.items():
        told = _told(done.manifest, service)
        if sign is not None and told.get("size") != sign.newest.size:
            what = f"the manifest says {told.get('size')} events, and the checkpoint {sign.newest.size}"
            done.findings.add(Finding(service, "manifest", what))


def _jobs(events: int) -> int:
    return 1 if events < ALONE_BELOW else min(2, len(os.sched_getaffinity(0)))


Take = Callable[[Log, Iterable[Tile]], Iterator[Slice]]


@contextmanager
def _taking(jobs: int) -> Iterator[Take]:
    """Give what takes files apart in order: in this process, or in others with a few files waiting at most."""
    if jobs == 1:
        collecting = gc.isenabled()
        gc.disable()
        try:
            yield lambda log, tiles: (slice_of(log, tile) for tile in tiles)
        finally:
            if collecting:
                gc.enable()
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=begin) as pool:
        yield lambda log, tiles: _from(pool, log, iter(tiles))


def _from(pool: ProcessPoolExecutor, log: Log, tiles: Iterator[Tile]) -> Iterator[Slice]:
    waiting: deque[Future[list[Slice]]] = deque()
    while True:
        while len(waiting) < WAITING and (some := tuple(islice(tiles, FILES_AT_ONCE))):
            waiting.append(pool.submit(slices_of, (log, some)))
        if not waiting:
            return
        yield from waiting.popleft().result()


def missing_keys(done: Verified) -> Sequence[str]:
    """Return the keys that a bundle vouches for itself with: those that no given key stands for."""
    if done.trusted.logs:
        return ()
    return [walk.signed.key.vkey for walk in done.walks.values() if walk.signed.key]
