"""Programs in Go that the checks of deploy/ run: built once, by the hashes of their go.sum, into the download cache."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.local import fetch
from tools.local.cache import cached, fill_once
from tools.local.messages import CannotStart, Say, say

HERE = Path(__file__).parent
CLUSTER = HERE.parent / "deploy/cluster"
KUBERNETES = "1.37.2"


def kustomize(say: Say = say) -> list[str]:
    """Return the command that renders a folder: the machine's kubectl, else one built here, in a minute or two."""
    if kubectl := shutil.which("kubectl"):
        return [kubectl, "kustomize"]
    say("kubectl is not here: building Kustomize (from Go's proxy, by hash; once) ...")
    return [str(_built(HERE / "kustomize", say) / "kustomize")]


def cached_cluster() -> Path | None:
    """Return the program that is a whole cluster, if it is in the download cache."""
    program = cached(CLUSTER.name, CLUSTER / "go.sum") / CLUSTER.name
    return program if program.is_file() else None


def cluster(say: Say = say, flags: Sequence[str] = ()) -> Path:
    """Build the program that is a whole cluster, and return its folder; it takes 15 to 50 minutes, once."""
    version = "k8s.io/component-base/version"
    major, minor, _ = KUBERNETES.split(".")
    values = {"gitVersion": f"v{KUBERNETES}", "gitMajor": major, "gitMinor": minor}
    linked = " ".join(["-s", "-w", *(f"-X {version}.{name}={value}" for name, value in values.items())])
    return _built(CLUSTER, say, ["-ldflags", linked, *flags])


def policies(say: Say = say) -> Path:
    """Return the enforcer of network policies that a cluster of tests has; it is built once, in a minute or two."""
    return _built(CLUSTER / "policies", say) / "policies"


def _built(source: Path, say: Say, flags: Sequence[str] = ()) -> Path:
    name = source.name

    def fill(folder: Path) -> None:
        command = [str(fetch.go(say)), "build", "-mod=readonly", "-trimpath", *flags, "-o", str(folder / name), "."]
        own = {key: value for key, value in os.environ.items() if key != "GOROOT"}
        environment = own | {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false"}
        process = subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True, check=False)
        if process.returncode != 0:
            raise CannotStart(f"{name} could not be built in {source}:\n{process.stderr.strip()[-2000:]}")

    return fill_once(name, source / "go.sum", fill, say)


if __name__ == "__main__":
    try:
        print(cluster())
    except CannotStart as failure:
        sys.exit(str(failure))
