"""The product on one node, applied as an operator applies it, and commands of `throughline` as pods beside it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from shared.events.services import SERVICES
from tests.deploy.cluster import delay
from tests.deploy.cluster.node import Node, NotReady
from tests.kubernetes.rendering import replace
from tools.client import tokens
from tools.files import CHECKOUT

SPACE = ("--namespace", "throughline")
SECONDS = 600.0
BACKUPS = ("backup-persons", "backup-documents", "backup-export")
VOLUMES = ("kafka", "mongodb", *BACKUPS)
HERE = Path("tests/deploy/cluster/overlay")
LOCAL = Path("deploy/kubernetes/overlays/local")
COMMAND = Path(__file__).with_name("command.yaml")
ADMINISTRATOR = {"THROUGHLINE_KAFKA_USER": "admin", "THROUGHLINE_KAFKA_MECHANISM": "PLAIN"}


class Product:
    """The objects that are applied, in a copy of its own, and the secrets that an operator makes for it."""

    def __init__(self, node: Node, folder: Path) -> None:
        self.node, self.checkout = node, folder / "checkout"
        self.secrets = self.checkout / LOCAL / "secrets"
        self._volumes = folder / "volumes"

    def prepare(self) -> None:
        """Copy what Kustomize reads, and make the secrets there."""
        for part in ("deploy/kubernetes", HERE):
            ignored = shutil.ignore_patterns("secrets")
            shutil.copytree(CHECKOUT / part, self.checkout / part, ignore=ignored)
        for name in VOLUMES:
            (self._volumes / name).mkdir(parents=True)
            (self._volumes / name).chmod(0o777)  # a volume of hostPath keeps the owner it has
        replace(self.checkout / HERE / "volumes.yaml", "/volumes/", f"{self._volumes}/")
        run_throughline("deploy", "init", str(self.secrets), "--no-owners")

    def apply(self) -> None:
        """Apply everything."""
        self.node.kubectl("apply", "--kustomize", str(self.checkout / HERE), timeout=300)

    def apply_again(self) -> None:
        """Apply everything once more. Raises NotReady where that changes anything."""
        self.node.apply_again("--kustomize", str(self.checkout / HERE))

    def name_version(self, old: str, new: str) -> None:
        """Name another version where an operator names it: the tag, and the label that gives the jobs their names."""
        overlay = self.checkout / LOCAL / "kustomization.yaml"
        for place in ("newName: localhost/throughline, newTag: {}}}", "app.kubernetes.io/version: {}}}"):
            replace(overlay, place.format(old), place.format(new))

    def await_jobs(self, *names: str) -> None:
        """Wait until jobs have ended well; all of them where none is named."""
        named = [f"job/{name}" for name in names] or ["job", "--all"]
        self.node.wait("the jobs", "--for=condition=Complete", *named, *SPACE, seconds=SECONDS)

    def await_rollouts(self) -> None:
        """Wait until every service and the console run as they are declared, all pods ready."""
        for name in (*(f"statefulset/{service}" for service in SERVICES), "deployment/console"):
            self.node.kubectl("rollout", "status", name, *SPACE, f"--timeout={SECONDS:.0f}s", timeout=SECONDS + 30)

    def token(self, role: str) -> str:
        """Return a token of somebody made up."""
        key = self.secrets / "sign-in" / tokens.KEY_FILE
        return tokens.mint(key, role=role, subject=f"synthetic-{role}")

    def address(self, service: str) -> str:
        """Return the address of a service in the cluster, which this machine reaches."""
        return f"http://{self.node.get('service', service, *SPACE)['spec']['clusterIP']}:8000"

    def publish_keys(self) -> None:
        """Put the public keys of the logs where commands read them."""
        keys = f"--from-file=public.vkeys={self.secrets}/log-keys/public.vkeys"
        self.node.kubectl("create", "configmap", "public-keys", *SPACE, keys)

    def run(self, name: str, role: str, *words: str) -> str:
        """Run a command of `throughline` as a job of the cluster, and return what it prints."""
        job = self._job(name, ["throughline", *words])
        (container,) = job["spec"]["template"]["spec"]["containers"]
        container["env"].append({"name": "THROUGHLINE_TOKEN", "value": self.token(role)})
        named = self._start(job)
        try:
            self.node.wait(name, "--for=condition=Complete", named, *SPACE, seconds=SECONDS / 2)
        except NotReady as fault:
            raise NotReady(f"{fault}\n{self.node.kubectl('logs', named, *SPACE)}") from None
        return self.node.kubectl("logs", named, *SPACE)

    def back_up(self) -> Path:
        """Run each nightly job now, and return the folder of volumes."""
        for name in BACKUPS:
            self.node.kubectl("create", "job", f"{name}-now", *SPACE, f"--from=cronjob/{name}")
        for name in BACKUPS:
            self.node.wait(name, "--for=condition=Complete", f"job/{name}-now", *SPACE, seconds=SECONDS / 2)
        return self._volumes

    @contextmanager
    def delays(self) -> Iterator[list[delay.Delays]]:
        """Watch the groups of Kafka while the body runs; the list has one entry once it has ended."""
        job = self._job("watch", ["python3", "-c", delay.WATCH])
        pod = job["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        known = {variable["name"]: variable for variable in container["env"]}
        known |= {name: {"name": name, "value": value} for name, value in ADMINISTRATOR.items()}
        container["env"] = list(known.values())
        pod["volumes"][0]["secret"]["secretName"] = "kafka-administrator"
        named, delays = self._start(job), list[delay.Delays]()
        self.node.wait("the watch", "--for=jsonpath={.status.ready}=1", named, *SPACE)
        yield delays
        delays.append(delay.of(self.node.kubectl("logs", named, *SPACE, "--tail=-1")))
        self.node.kubectl("delete", named, *SPACE)

    def _job(self, name: str, command: list[str]) -> dict[str, Any]:
        job: dict[str, Any] = yaml.safe_load(COMMAND.read_text())
        job["metadata"]["name"] = f"{name}-{int(time.time())}"
        pod = job["spec"]["template"]["spec"]
        aliases = self.node.get("statefulset", "meetings", *SPACE)["spec"]["template"]["spec"]["hostAliases"]
        pod["hostAliases"], pod["containers"][0]["command"] = aliases, command
        return job

    def _start(self, job: dict[str, Any]) -> str:
        self.node.kubectl("apply", "--filename=-", text=yaml.safe_dump(job))
        return f"job/{job['metadata']['name']}"


def run_throughline(*words: str) -> str:
    """Run a command of the checkout, and return the last line that it prints. Raises NotReady."""
    from tests.cli.terminal import throughline

    ran = throughline(None, *words)
    if ran.exit_code:
        raise NotReady(f"throughline {' '.join(words)}: {ran.output[-1_000:]}")
    return str(ran.output.strip().splitlines()[-1])
