"""The product in a whole Kubernetes on this machine, and the list of what ran: python -m tests.deploy.cluster.

The program of the cluster is built by `make cluster-binary`, once; without it this fails and says so.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.deploy import engine
from tests.deploy.cluster import images, machine
from tests.deploy.cluster.exercise import Exercise
from tests.deploy.cluster.node import NotReady, running
from tests.deploy.platform import NotAsExpected
from tests.deploy.report import Report
from tests.kubernetes import programs
from tools.local.cache import cache_folder
from tools.local.messages import CannotStart

FAULTS = (machine.Missing, NotReady, NotAsExpected, engine.EngineDown, CannotStart, subprocess.TimeoutExpired)


def main() -> int:
    """Run the exercise; print the list whatever happens."""
    argparse.ArgumentParser(description=__doc__, prog="python -m tests.deploy.cluster").parse_args()
    report, failure = Report(), ""
    try:
        with tempfile.TemporaryDirectory(prefix="tl-cluster-") as folder:
            run(Path(folder), report)
    except FAULTS as fault:
        failure = str(fault)
    report.show()
    if failure:
        print(f"\nFAILED: {failure}", file=sys.stderr)
    return 1 if failure else 0


def run(folder: Path, report: Report) -> None:
    """Build the images, start a cluster, load them into it, and exercise the product."""
    if (program := programs.cached_cluster()) is None:
        raise machine.Missing("the program of the cluster is not built: make cluster-binary (15 to 50 minutes, once)")
    machine.check()
    policies = programs.policies()
    report.versions["kubernetes"] = programs.KUBERNETES
    report.versions["network policies"] = "kube-router's controller, 2.1.0"
    with engine.running(folder, cache_folder() / "deploy-engine") as docker:
        archive = images.save(docker, folder, report)
    with report.step("cluster: a node is ready"):
        cluster = running(folder / "node", program)
        node = cluster.__enter__()
    try:
        with report.step("cluster: images are loaded"):
            node.load_images(archive)
        Exercise(node, folder, policies, report).run()
    finally:
        with report.step("cluster: down, with nothing left behind"):
            cluster.__exit__(None, None, None)


if __name__ == "__main__":
    sys.exit(main())
