"""`make deploy-test`: the image and the compose files, run for real on this machine, and the list of what ran.

Where no image can be pulled, stand-ins take the place of the official ones (tests/deploy/standins.py); the list names
them. With DOCKER_HOST it uses that engine; as root without it, an engine of its own, and leaves the machine as it was.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

from tests.deploy import engine, image, standins, tools
from tests.deploy.cluster import run as cluster
from tests.deploy.cluster.machine import Missing
from tests.deploy.cluster.node import NotReady
from tests.deploy.exercise import Exercise
from tests.deploy.platform import VARIANTS, NotAsExpected, Platform
from tests.deploy.report import Report
from tools.local import ports
from tools.local.cache import cache_folder
from tools.local.messages import CannotStart

CLUSTER = "cluster"
FAULTS = (NotAsExpected, engine.EngineDown, tools.Missing, CannotStart, Missing, NotReady, subprocess.TimeoutExpired)


def main() -> int:
    """Run the variants that are named, or all; print the list whatever happens."""
    parser = argparse.ArgumentParser(description=__doc__, prog="make deploy-test ARGS=")
    known = (*VARIANTS, CLUSTER)
    parser.add_argument("variants", nargs="*", metavar="VARIANT", help=f"of {', '.join(known)}; all where none is")
    chosen = parser.parse_args().variants
    if unknown := [name for name in chosen if name not in known]:
        parser.error(f"{unknown[0]}: is no variant; they are {', '.join(known)}")
    return exercise(chosen)


def exercise(chosen: list[str]) -> int:
    """Run the variants that are named, or all that this machine can run; print the list, and return an exit code."""
    signal.signal(signal.SIGTERM, _leave)  # by way of what puts the machine back
    report, failure = Report(), None
    try:
        with tempfile.TemporaryDirectory(prefix="tl-deploy-") as folder:
            if variants := [name for name in chosen or VARIANTS if name in VARIANTS]:
                run(Path(folder), variants, report)
            if not chosen and (why := cluster.missing()):
                report.not_run("the cluster", f"{why}; then make deploy-test ARGS={CLUSTER}")
            elif not chosen or CLUSTER in chosen:
                cluster.run(Path(folder) / CLUSTER, report)
    except FAULTS as fault:
        failure = str(fault)
    report.show()
    if failure:
        print(f"\nFAILED: {failure}", file=sys.stderr)
    return 1 if failure else 0


def _leave(_sign: int, _frame: object) -> NoReturn:
    raise SystemExit(143)


def run(folder: Path, chosen: list[str], report: Report) -> None:
    """Build the images, then exercise each variant on an engine."""
    with engine.running(folder, cache_folder() / "deploy-engine") as docker:
        report.versions["machine"] = f"{platform.system()} {platform.release()} {platform.machine()}"
        report.versions["engine"] = docker.docker("version", "--format", "{{.Server.Version}}").strip()
        os.umask(0o022)
        with report.step("stand-ins for python, apache/kafka, mongo and prometheus, none of which can be pulled here"):
            images = standins.build(docker, folder / "standins")
            images["prometheus"] = standins.prometheus(docker, folder / "standins")
        for name, standin in images.items():
            report.versions[f"{name} (stand-in)"] = standin.holds
        with report.step("the image is built, and is what docs/compose.md says") as remarks:
            image.build(docker, images["python"].tag)
            remarks += [f"{name} {figure}" for name, figure in image.look(docker).items()]
        os.umask(0o077)  # what compose mounts must be readable all the same
        for name in chosen:
            _exercise(docker, folder / name, name, images, report)


def _exercise(
    docker: engine.Engine, folder: Path, name: str, images: dict[str, standins.StandIn], report: Report
) -> None:
    names = ("CONSOLE", "SIGN_IN", "PROMETHEUS")
    environment = {
        "THROUGHLINE_IMAGE": image.TAGS["platform"],
        "THROUGHLINE_DEVELOPMENT_IMAGE": image.TAGS["development"],
        "THROUGHLINE_KAFKA_IMAGE": images["kafka"].tag,
        "THROUGHLINE_MONGO_IMAGE": images["mongo"].tag,
        "THROUGHLINE_PROMETHEUS_IMAGE": images["prometheus"].tag,
        "THROUGHLINE_CHECKPOINT_SECONDS": "1",
        **{f"THROUGHLINE_{each}_PORT": str(ports.choose(())) for each in names},
    }
    folder.mkdir()
    environment["THROUGHLINE_BACKUPS"] = str(folder / "backups")
    secrets = folder / "secrets"  # compose makes it, as for an operator
    exercised = Platform(docker, f"throughline-test-{name}", VARIANTS[name], secrets, environment)
    report.versions["compose"] = exercised.compose("version", "--short").strip()
    Exercise(exercised, secrets, report, name).run()


if __name__ == "__main__":
    sys.exit(main())
