"""The images of a cluster, in one archive: the product's own, stand-ins for the servers, and the pause of a pod."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.deploy import image, standins
from tests.deploy.engine import Engine
from tests.deploy.report import Report

SOURCE = Path(__file__).with_name("pause.c")
PAUSE = "localhost/pause:1"


def save(engine: Engine, folder: Path, report: Report) -> Path:
    """Build the images on an engine, and save them under the names that the cluster's overlay has."""
    with report.step("cluster: images are built, with stand-ins for python, apache/kafka and mongo"):
        servers = standins.build(engine, folder / "standins")
        for name, standin in servers.items():
            report.versions[f"{name} (stand-in)"] = standin.holds
        image.build(engine, servers["python"].tag)
        _build_pause(engine, folder / "pause")
    named = {
        "localhost/throughline:dev": image.TAGS["platform"],
        "localhost/throughline:next": image.TAGS["platform"],  # what an upgrade is to
        "localhost/throughline:development": image.TAGS["development"],
        "localhost/standin/kafka:test": servers["kafka"].tag,
        "localhost/standin/mongo:test": servers["mongo"].tag,
        PAUSE: PAUSE,
    }
    for name, tag in named.items():
        engine.docker("tag", tag, name)
    archive = folder / "images.tar"
    engine.docker("save", "--output", str(archive), *named)
    return archive


def _build_pause(engine: Engine, folder: Path) -> None:
    folder.mkdir()
    compiler = shutil.which("gcc") or "gcc"
    subprocess.run([compiler, "-static", "-O2", "-o", str(folder / "pause"), str(SOURCE)], check=True)
    (folder / "Dockerfile").write_text('FROM scratch\nCOPY pause /pause\nENTRYPOINT ["/pause"]\n')
    engine.docker("build", "--quiet", "--tag", PAUSE, str(folder))
