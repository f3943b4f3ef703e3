"""The objects of deploy/kubernetes as Kustomize renders them, and what the checks ask of them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from tests.kubernetes import programs
from tools.files import CHECKOUT

KUBERNETES = CHECKOUT / "deploy/kubernetes"
OPTIONS = ("strimzi", "mongodb", "keda", "cert-manager", "prometheus", "backup")
VARIANTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "local": ("local", ()),
    "production": ("production", ()),
    "strimzi": ("production", ("strimzi",)),
    "backup": ("production", ("backup",)),
    "all options": ("production", OPTIONS),
}
PODS = ("StatefulSet", "Deployment", "Job", "CronJob")
Object = dict[str, Any]


@dataclass(frozen=True)
class Workload:
    """A kind of pods: its object, the labels of its pods, and their specification."""

    object: Object

    @property
    def name(self) -> str:
        """Return the name that its pods' label has, which is without the version."""
        return str(self.labels["app.kubernetes.io/name"])

    @property
    def labels(self) -> dict[str, str]:
        labels: dict[str, str] = self._template["metadata"]["labels"]
        return labels

    @property
    def pod(self) -> Object:
        pod: Object = self._template["spec"]
        return pod

    @property
    def _template(self) -> Object:
        spec = self.object["spec"]
        template: Object = spec["jobTemplate"]["spec"]["template"] if "jobTemplate" in spec else spec["template"]
        return template

    @property
    def containers(self) -> list[Object]:
        return [*self.pod.get("initContainers", ()), *self.pod["containers"]]

    @property
    def ports(self) -> dict[str, int]:
        return {port["name"]: port["containerPort"] for each in self.containers for port in each.get("ports", ())}


@dataclass(frozen=True)
class Rendered:
    """All objects of one overlay, with options."""

    objects: Sequence[Object]

    def of(self, *kinds: str) -> list[Object]:
        return [each for each in self.objects if each["kind"] in kinds]

    def named(self, kind: str) -> dict[str, Object]:
        return {each["metadata"]["name"]: each for each in self.of(kind)}

    @property
    def workloads(self) -> list[Workload]:
        return [Workload(each) for each in self.of(*PODS)]

    def workload(self, name: str) -> Workload:
        return next(each for each in self.workloads if each.name == name)

    def environment(self, workload: Workload, container: Object) -> dict[str, str]:
        """Return the variables of a container; one that comes from its pod has a stand-in for a value."""
        maps = self.named("ConfigMap")
        variables: dict[str, str] = {}
        for source in container.get("envFrom", ()):
            variables |= maps[source["configMapRef"]["name"]].get("data", {})
        for variable in container.get("env", ()):
            variables[variable["name"]] = variable.get("value", f"{workload.name}-0")
        return variables


@cache
def rendered(variant: str, version: str | None = None) -> Rendered:
    """Render an overlay with options, with stand-ins for the secret files; `version` replaces that of production."""
    overlay, options = VARIANTS[variant]
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "kubernetes"
        shutil.copytree(KUBERNETES, folder, ignore=shutil.ignore_patterns("secrets"))
        target = folder / "overlays" / overlay
        if version is not None:
            replace(target / "kustomization.yaml", "0.1.0", version)
        _write_stand_ins(target)
        if options:
            components = [f"../../options/{option}" for option in options]
            replace(target / "kustomization.yaml", "\nresources:", f"\ncomponents: {components}\nresources:")
        return Rendered(list(render(target)))


def render(folder: Path) -> Iterator[Object]:
    """Yield the objects that Kustomize makes of a folder."""
    process = subprocess.run([*programs.kustomize(), str(folder)], capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    yield from yaml.load_all(process.stdout, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text, f"{file} has no {old}"
    file.write_text(text.replace(old, new))


def secret_files(overlay: Path) -> Iterator[str]:
    """Yield the paths of the secret files that an overlay reads."""
    content = yaml.safe_load((overlay / "kustomization.yaml").read_text())
    for generator in [*content.get("secretGenerator", ()), *content["configMapGenerator"]]:
        for entry in generator.get("files", ()):
            if (path := entry.rpartition("=")[2]).startswith("secrets/"):
                yield path


def _write_stand_ins(overlay: Path) -> None:
    for path in secret_files(overlay):
        (overlay / path).parent.mkdir(parents=True, exist_ok=True)
        (overlay / path).write_text("synthetic\n")
