"""`make chaos MINUTES=20`: run the platform under random faults; print what is lost, doubled, stuck or believed."""

from __future__ import annotations

import argparse
import os
import platform
import random
import shutil
import sys
from datetime import UTC, datetime

from tests.faults.rig.disk import CannotBreak
from tests.faults.rig.injecting.fault import FAULTS
from tests.faults.rig.run import run
from tests.faults.rig.schedule import at_random, each_once, some_once


def enter_user_namespace() -> None:
    """Execute the rig again as the root of a user namespace, who may mount a small disk, if this user is not root."""
    if os.geteuid() != 0 and (unshare := shutil.which("unshare")):
        again = [sys.executable, "-m", "tests.faults.rig", *sys.argv[1:]]
        os.execv(unshare, [unshare, "--user", "--map-root-user", "--mount", *again])  # noqa: S606


def say(line: str) -> None:
    """Print a line without buffering."""
    print(line, flush=True)


def main() -> int:
    """Run the faults; return 0 only if nothing was lost, doubled, stuck or wrongly believed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.rig", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20, help="how long faults are injected (default 20)")
    parser.add_argument("--seed", type=int, help="the seed of a run to repeat (default: a new one)")
    parser.add_argument(
        "--only", nargs="+", choices=sorted(FAULTS), default=(), metavar="FAULT", help="only these faults"
    )
    parser.add_argument("--once", action="store_true", help="the short run: every fault once")
    parser.add_argument("--brief", action="store_true", help="the brief run: some faults of most rows, once")
    arguments = parser.parse_args()
    enter_user_namespace()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1_000_000)
    cores, memory = os.cpu_count(), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    say(f"Throughline, broken on purpose: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, seed {seed}")
    say(f"{platform.system()} {platform.machine()}, {cores} cores, {memory} GB, Python {platform.python_version()}")
    say("")
    try:
        once = some_once if arguments.brief else each_once if arguments.once else None
        findings = run(once or at_random(arguments.minutes, arguments.only), seed, say, long=once is None)
    except CannotBreak as reason:
        say(f"CANNOT RUN: {reason}")
        return 1
    return 0 if findings.none else 1


if __name__ == "__main__":
    sys.exit(main())
