"""A run: the platform under load, faults one after another or two concurrently, and the comparison."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from uuid import uuid4

from tests.faults.rig.acknowledged import Acknowledged
from tests.faults.rig.client import Abandoned
from tests.faults.rig.comparison.findings import Findings
from tests.faults.rig.comparison.report import compare, render
from tests.faults.rig.hostile import PAUSE_SECONDS, PAUSE_SECONDS_ONCE, HostileWriter, public_keys
from tests.faults.rig.injecting.fault import Fault
from tests.faults.rig.load import Load
from tests.faults.rig.patience import AT_MOST
from tests.faults.rig.platform import run_concurrently, running
from tests.faults.rig.rig import Rig
from tools.local.messages import Say

Injection = tuple[Fault, str]
Lane = Sequence[Injection]
Stage = Sequence[Lane]
PACE_SECONDS = 0.2
PACE_SECONDS_ONCE = 1.2

Schedule = Callable[[Rig], Iterator[Stage]]


def run(schedule: Schedule, seed: int, say: Say, *, long: bool) -> Findings:
    """Run a schedule and the comparison; return the findings, once they are printed."""
    with _rig(seed, say, long=long) as rig:
        stack, pause = rig.platform.stack, PAUSE_SECONDS if long else PAUSE_SECONDS_ONCE
        hostile = HostileWriter(stack.kafka_admin, public_keys(stack.home), random.Random(seed), rig.injected, pause)
        with hostile.running(), rig.load.running():
            for stage in schedule(rig):
                _inject(rig, stage)
        for error in [*rig.load.errors, *hostile.errors]:
            rig.findings.stick(f"a client failed: {error}")
        say("")
        compare(rig)
        rig.expect(hostile.count > 0, "the hostile writer wrote nothing")
        say(f"{hostile.count} hostile records")
        answers = rig.acknowledged
        count = len(answers.commands)
        say(f"{count} acknowledgements, {answers.retries} retries, the slowest after {answers.slowest:.1f} s")
        for line in render(rig.findings):
            say(line)
        return rig.findings


@contextmanager
def _rig(seed: int, say: Say, *, long: bool) -> Iterator[Rig]:
    with (
        tempfile.TemporaryDirectory(prefix="throughline-rig-", ignore_cleanup_errors=True) as home,
        running(Path(home), lambda _: None, not_ready_after=25 if long else 6) as platform,
    ):
        acknowledged, chance = Acknowledged(), random.Random(seed)
        load = Load(platform, acknowledged, seed, uuid4().hex[:6], PACE_SECONDS if long else PACE_SECONDS_ONCE)
        yield Rig(platform, load, acknowledged, Findings(), chance, say, long)


def _inject(rig: Rig, stage: Stage) -> None:
    """Inject the faults of each lane in sequence, all lanes concurrently; then wait until all clients are served."""
    began = time.monotonic()
    run_concurrently([partial(_inject_lane, rig, lane) for lane in stage])
    injected = time.monotonic() - began
    names = "; ".join(fault.at(service).strip() for lane in stage for fault, service in lane)
    served = rig.load.await_progress()
    rig.expect(served is not None, f"clients were not served again within {AT_MOST:.0f} s of: {names}")
    began = time.monotonic()
    touched = frozenset[str]().union(*(fault.touches(service) for lane in stage for fault, service in lane))
    with suppress(Abandoned):  # recorded as never answered
        run_concurrently([partial(rig.canary, service) for service in sorted(touched)])
    current = time.monotonic() - began
    rig.say(f"      {injected:.1f} s; served again after {served or 0:.1f} s, all current after {current:.1f} s")


def _inject_lane(rig: Rig, lane: Lane) -> None:
    for fault, service in lane:
        began = time.monotonic()
        try:
            fault.inject(rig, service)
        except Exception as error:  # noqa: BLE001
            rig.expect(False, f"{fault.at(service).strip()} could not be injected: {type(error).__name__}: {error}")
        rig.say(f"{fault.at(service)}  {time.monotonic() - began:.1f} s")
