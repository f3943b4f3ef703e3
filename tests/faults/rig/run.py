"""A run: the platform up, the load on, faults one after another or two at a time, and the reckoning."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from uuid import uuid4

from tests.faults.rig.acknowledged import Acknowledged
from tests.faults.rig.injecting.fault import Fault
from tests.faults.rig.load import Load
from tests.faults.rig.platform import running, together
from tests.faults.rig.reckoning.findings import Findings
from tests.faults.rig.reckoning.ledger import printed, reckon
from tests.faults.rig.rig import Rig
from tools.local.progress import Say

Befalls = tuple[Fault, str]
Schedule = Callable[[Rig], Iterator[Sequence[Befalls]]]
RECOVERY_SECONDS = 60.0


def run(schedule: Schedule, seed: int, say: Say, *, long: bool) -> Findings:
    """Run the whole of it, and return what was found; it has been said by then."""
    with _rig(seed, say, long=long) as rig:
        with rig.load.running():
            for befalls in schedule(rig):
                _befall(rig, befalls)
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
        running(Path(home), lambda _: None, not_ready_after=30 if long else 8) as platform,
    ):
        acknowledged, chance = Acknowledged(), random.Random(seed)
        load = Load(platform, acknowledged, seed, uuid4().hex[:6])
        yield Rig(platform, load, acknowledged, Findings(), chance, say, long)


def _befall(rig: Rig, befalls: Sequence[Befalls]) -> None:
    """Inject faults at the same time, then see that clients are served again."""
    began = time.monotonic()
    together([partial(_inject, rig, *one) for one in befalls])
    injected = time.monotonic() - began
    recovered = rig.load.goes_on(seconds=RECOVERY_SECONDS)
    names = " + ".join(f"{fault.name}: {'all' if fault.touches_all else service}" for fault, service in befalls)
    rig.expect(recovered is not None, f"clients were not served again within {RECOVERY_SECONDS:.0f} s of: {names}")
    for fault, service in befalls:
        where = "" if fault.touches_all else f" ({service})"
        rig.say(f"{fault.number:>4}  {fault.name}{where}")
    rig.say(f"      {injected:.1f} s, served again after {recovered or 0:.1f} s")


def _inject(rig: Rig, fault: Fault, service: str) -> None:
    try:
        fault.inject(rig, service)
    except Exception as error:  # noqa: BLE001
        rig.expect(False, f"injecting '{fault.name}' at {service} failed: {type(error).__name__}: {error}")
