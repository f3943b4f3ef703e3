"""The CustomResourceDefinitions of the operators that deploy/kubernetes/options is written for, by hash, once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from tools.local import fetch, jars
from tools.local.cache import fill_once
from tools.local.messages import CannotStart, Say, say

HERE = Path(__file__).parent
MODULES, STRIMZI = HERE / "definitions.lock.txt", HERE / "strimzi.lock.txt"
MODEL = "io.strimzi.api.kafka.model"
KINDS = ("kafka.Kafka", "nodepool.KafkaNodePool", "topic.KafkaTopic", "user.KafkaUser")
VERSIONS = "Strimzi 1.2.0, KEDA 2.21.0, cert-manager 1.21.2, MongoDB's operator 0.9.0, Prometheus's operator 0.85.0"


def files(say: Say = say) -> list[Path]:
    """Return a file for each definition. Raises CannotStart."""
    modules = fill_once("definitions", MODULES, _of_modules, say)
    strimzi = fill_once("strimzi", STRIMZI, _of_strimzi, say)
    return sorted([*modules.glob("*.yaml"), *strimzi.glob("*.yaml")])


def _of_modules(folder: Path) -> None:
    for line in MODULES.read_text().splitlines():
        if not line.startswith("#"):
            digest, module, pattern = line.split()
            for file in _module(module, digest).glob(pattern):
                shutil.copy(file, folder)


def _module(module: str, digest: str) -> Path:
    command = [str(fetch.go()), "mod", "download", "-json", module]
    environment = os.environ | {"GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"}
    ran = subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=False)
    listed = json.loads(ran.stdout or "{}")
    if listed.get("Sum") != digest:
        raise CannotStart(f"{module}: {listed.get('Error') or listed.get('Sum') or ran.stderr}, and not {digest}")
    return Path(listed["Dir"])


def _of_strimzi(folder: Path) -> None:
    """Let Strimzi's generator write the definitions: it is in Maven Central with the classes that they come from."""
    pins = jars.read_pins(STRIMZI)
    (library := folder / "jars").mkdir()
    jars.download(pins, library)
    jars.check(library, pins, "The downloaded jars were deleted.")
    java, generator = fetch.java(oldest=(21,)), "io.strimzi.crdgenerator.CrdGenerator"
    targets = [f"{MODEL}.{kind}={folder / kind.partition('.')[0]}.yaml" for kind in KINDS]
    command = [str(java), "-cp", f"{library}/*", generator, "--yaml", *targets]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise CannotStart(f"{generator}: {ran.stderr[-2_000:]}")
    shutil.rmtree(library)
