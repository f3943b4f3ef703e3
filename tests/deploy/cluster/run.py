"""The product in a whole Kubernetes on this machine, from the images to a machine that is as it was."""

from __future__ import annotations

import os
from pathlib import Path

from tests.deploy import engine
from tests.deploy.cluster import admission, images, machine
from tests.deploy.cluster.exercise import Exercise
from tests.deploy.cluster.node import running
from tests.deploy.report import Report
from tests.kubernetes import programs
from tools.local.cache import cache_folder

NOT_BUILT = "the program of the cluster is not built: make cluster-binary (15 to 50 minutes, once)"


def missing() -> str:
    """Return what a cluster lacks on this machine, as the line to type; nothing where it can run."""
    try:
        machine.check()
    except machine.Missing as reason:
        return str(reason)
    return "" if programs.cached_cluster() else NOT_BUILT


def run(folder: Path, report: Report) -> None:
    """Build the images, start a cluster, load them into it, and exercise the product. Raises Missing."""
    machine.check()
    if (program := programs.cached_cluster()) is None:
        raise machine.Missing(NOT_BUILT)
    os.umask(0o022)  # users of images read what is built and mounted
    folder.mkdir()
    policies = programs.policies()
    report.versions["kubernetes"] = programs.KUBERNETES
    report.versions["network policies"] = "kube-router 2.1.0, the enforcer of policies alone"
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
    admission.run(folder / "apis", program, report)
