"""A run: the platform up, the load on, faults one after another or two at a time, and the reckoning."""

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
from tests.faults.rig.injecting.fault import Fault
from tests.faults.rig.load import Load
from tests.faults.rig.patience import AT_MOST
from tests.faults.rig.platform import running, together
from tests.faults.rig.reckoning.findings import Findings
from tests.faults.rig.reckoning.ledger import printed, reckon
from tests.faults.rig.rig import Rig
from tools.local.messages import Say

Befalls = tuple[Fault, str]
Lane = Sequence[Befalls]
Stage = Sequence[Lane]
PACE_SECONDS = 0.2
PACE_SECONDS_ONCE = 0.6

Schedule = Callable[[Rig], Iterator[Stage]]


def run(schedule: Schedule, seed: int, say: Say, *, long: bool) -> Findings:
    """Run the whole of it, and return what was found; it has been said by then."""
    with _rig(seed, say, long=long) as rig:
        with rig.load.running():
            for stage in schedule(rig):
                _befall(rig, stage)
        for error in rig.load.errors:
            rig.findings.stick(f"a client broke: {error}")
        say("")
        reckon(rig)
        taken = rig.acknowledged
        say(f"{len(taken.commands)} acknowledgements, {taken.retries} retries, the slowest after {taken.slowest:.1f} s")
        for line in printed(rig.findings):
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


def _befall(rig: Rig, stage: Stage) -> None:
    """Inject the faults of each lane one after another, all lanes at once; then see that everybody is served again."""
    began = time.monotonic()
    together([partial(_lane, rig, lane) for lane in stage])
    injected = time.monotonic() - began
    names = "; ".join(fault.at(service).strip() for lane in stage for fault, service in lane)
    served = rig.load.goes_on()
    rig.expect(served is not None, f"clients were not served again within {AT_MOST:.0f} s of: {names}")
    began = time.monotonic()
    touched = frozenset[str]().union(*(fault.touches(service) for lane in stage for fault, service in lane))
    with suppress(Abandoned):  # it is on record as never answered
        together([partial(rig.canary, service) for service in sorted(touched)])
    seen = time.monotonic() - began
    rig.say(f"      {injected:.1f} s; served again after {served or 0:.1f} s, all current after {seen:.1f} s")


def _lane(rig: Rig, lane: Lane) -> None:
    for fault, service in lane:
        began = time.monotonic()
        try:
            fault.inject(rig, service)
        except Exception as error:  # noqa: BLE001
            rig.expect(False, f"{fault.at(service).strip()} could not be injected: {type(error).__name__}: {error}")
        rig.say(f"{fault.at(service)}  {time.monotonic() - began:.1f} s")
