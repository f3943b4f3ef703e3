"""Jobs on ledgers on disk: export, verification, replay."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

from benchmarks.job import Gate
from shared.events.canonical import sha256_hex
from shared.events.catalogue import SERVICES, decode
from shared.tlog.checkpoints import Checkpoint
from shared.tlog.keys import origin_of
from shared.tlog.merkle import Tree, leaf_hash
from shared.tlog.notes import Signer, Verifier
from tools.audit.bundle import Bundle
from tools.audit.bundle_replay import open_replay, trace_digest
from tools.audit.exporting import export
from tools.audit.log_writer import Advance
from tools.audit.signatures import TrustedKeys
from tools.audit.verifying import verify
from tools.simulate.history import history

SEED = 2027
CHECKPOINT_EVERY = 10_000


class OnDisk:
    """Four ledgers in a folder, as a source of exports: each event after its length."""

    name = "http"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.remarks: list[str] = []

    def keys(self, service: str) -> Sequence[Verifier]:
        return [Verifier.parse((self.folder / f"{service}.vkey").read_text())]

    def checkpoints(self, service: str) -> Mapping[int, bytes]:
        return {int(file.name): file.read_bytes() for file in (self.folder / f"{service}.checkpoints").iterdir()}

    def breaks(self, service: str) -> Sequence[bytes]:
        return ()

    def entries(self, service: str, start: int, end: int) -> Iterable[bytes]:
        return islice(self._all(service), start, end)

    def _all(self, service: str) -> Iterable[bytes]:
        with (self.folder / f"{service}.events").open("rb") as file:
            while length := file.read(4):
                yield file.read(int.from_bytes(length, "big"))


async def preparing(gate: Gate, folder: str, events: int) -> dict[str, Any]:
    """Make the ledgers of a synthetic history, with a signed checkpoint every ten thousand events."""
    await gate.go()
    home = Path(folder)
    files = {service: (home / f"{service}.events").open("wb") for service in SERVICES}
    trees = {service: Tree() for service in SERVICES}
    signers = {service: Signer.generate(origin_of("synthetic", service)) for service in SERVICES}

    def sign(service: str) -> None:
        tree, signer = trees[service], signers[service]
        raw = Checkpoint(signer.name, tree.size, tree.root()).signed(signer).raw()
        (home / f"{service}.checkpoints" / str(tree.size)).write_bytes(raw)

    for service in SERVICES:
        (home / f"{service}.checkpoints").mkdir()
        (home / f"{service}.vkey").write_text(signers[service].verifier.vkey)
    for commit in history(events, SEED):
        for raw in commit.raws:
            files[commit.service].write(len(raw).to_bytes(4, "big") + raw)
            trees[commit.service].add(leaf_hash(raw))
            if trees[commit.service].size % CHECKPOINT_EVERY == 0:
                sign(commit.service)
    for service in SERVICES:
        sign(service)
        files[service].close()
    return {"count": sum(tree.size for tree in trees.values())}


@contextmanager
def _without_a_bar(_says: str) -> Iterator[Advance]:
    yield lambda done, of: None


async def exporting(gate: Gate, folder: str) -> dict[str, Any]:
    """Export the ledgers."""
    await gate.go()
    begun = time.process_time()
    done = export(OnDisk(Path(folder)), Path(folder) / "export", SERVICES, _without_a_bar)
    seconds = time.process_time() - begun
    count = sum(checkpoint.size for checkpoint in done.checkpoints.values())
    return {"count": count, "seconds": seconds, "traces": done.traces}


async def verifying(gate: Gate, folder: str, jobs: int) -> dict[str, Any]:
    """Verify the export; time is divided by the processes, as if all were equally busy."""
    await gate.go()
    begun = time.process_time()
    done = verify(Bundle(Path(folder) / "export"), TrustedKeys(), jobs=jobs)
    if not done.holds:
        raise ValueError(f"not verified: {done.findings.listed[:3]}")
    children = getrusage(RUSAGE_CHILDREN)
    helped = children.ru_utime + children.ru_stime
    return {"count": done.events, "seconds": (time.process_time() - begun + helped) / jobs}


async def replaying(gate: Gate, folder: str, jobs: int) -> dict[str, Any]:
    """Replay the export to the digest of every trace; time is divided by the processes, as if all were equally busy."""
    bundle = Bundle(Path(folder) / "export")
    await gate.go()
    begun = time.process_time()
    with open_replay(bundle) as replayer:
        traces = sum(1 for _ in replayer.run(trace_digest, jobs))
    children = getrusage(RUSAGE_CHILDREN)
    helped = children.ru_utime + children.ru_stime
    if replayer.report.poison or replayer.report.stalled:
        raise ValueError(f"not whole: {replayer.report.poison[:3]} {replayer.report.stalled[:3]}")
    count = sum(log.checkpoint().size for log in bundle.logs.values())
    return {"count": count, "seconds": (time.process_time() - begun + helped) / jobs, "traces": traces}


async def decoding(gate: Gate, folder: str) -> dict[str, Any]:
    """Read each event of the export and decode it: no replay can do less."""
    bundle = Bundle(Path(folder) / "export")
    await gate.go()
    gc.freeze()
    gc.disable()
    begun, count = time.process_time(), 0
    for log in bundle.logs.values():
        for _, raw in log.entries():
            decode(raw)
            count += 1
    return {"count": count, "seconds": time.process_time() - begun}


async def reading(gate: Gate, folder: str) -> dict[str, Any]:
    """Hash each event of the export, as a leaf and as a link of its chain, and decode it: no verifier can do less."""
    bundle = Bundle(Path(folder) / "export")
    await gate.go()
    gc.freeze()
    gc.disable()
    count, seconds = 0, 0.0
    for log in bundle.logs.values():
        entries = log.entries()
        while some := [raw for _, raw in islice(entries, 5_000)]:
            begun = time.process_time()
            for raw in some:
                leaf_hash(raw)
                sha256_hex(raw)
                decode(raw)
            seconds += time.process_time() - begun
            count += len(some)
    return {"count": count, "seconds": seconds}
