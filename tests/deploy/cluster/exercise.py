"""The product in a cluster of one node, under restricted Pod Security: load, restart, drain, replay."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import time
from pathlib import Path
from typing import Any

import yaml

from shared.events.services import SERVICES
from tests.deploy.cluster.node import Node, NotReady
from tests.deploy.load import Outcome, under_load
from tests.deploy.report import Report
from tools.client import tokens
from tools.files import CHECKOUT

SPACE = ("--namespace", "throughline")
SECONDS = 600.0
REFERENCE = "CED/2022/R1"
RECORD = "/app/shared/reference/public_record.yaml"
VOLUMES = ("kafka", "mongodb")
HERE = Path("tests/deploy/cluster/overlay")
COMMAND = Path(__file__).with_name("command.yaml")
BARE_POD = """
apiVersion: v1
kind: Pod
metadata: {name: bare, namespace: throughline}
spec: {containers: [{name: bare, image: localhost/throughline:dev}]}
"""


class Exercise:
    """The steps on one cluster; each is written into the report."""

    def __init__(self, node: Node, folder: Path, report: Report) -> None:
        self._node, self._report = node, report
        self._checkout = folder / "checkout"
        self._volumes = folder / "volumes"
        self._step = report.step

    def run(self) -> None:
        """Run all steps."""
        self._prepare()
        self._start()
        self._load()
        self._restart()
        self._drain()
        self._replay()

    def _prepare(self) -> None:
        """Copy what Kustomize reads, and make the secrets there as an operator does."""
        for part in ("deploy/kubernetes", HERE):
            ignored = shutil.ignore_patterns("secrets")
            shutil.copytree(CHECKOUT / part, self._checkout / part, ignore=ignored)
        for name in VOLUMES:
            (self._volumes / name).mkdir(parents=True)
            (self._volumes / name).chmod(0o777)  # a volume of hostPath keeps the owner it has
        volumes = self._checkout / HERE / "volumes.yaml"
        volumes.write_text(volumes.read_text().replace("/volumes/", f"{self._volumes}/"))
        self._secrets = self._checkout / "deploy/kubernetes/overlays/local/secrets"
        run_throughline("deploy", "init", str(self._secrets), "--no-owners")

    def _apply(self) -> str:
        return self._node.kubectl("apply", "--kustomize", str(self._checkout / HERE), timeout=300)

    def _start(self) -> None:
        with self._step("cluster: everything is applied, and ready") as remarks:
            self._apply()
            self._node.wait("the jobs", "--for=condition=Complete", "job", "--all", *SPACE, seconds=SECONDS)
            self._await_rollouts()
            remarks.append(f"{len(self._node.get('pods', *SPACE)['items'])} pods")
        with self._step("cluster: a second apply changes nothing"):
            if changed := [line for line in self._apply().splitlines() if not line.endswith("unchanged")]:
                raise NotReady("\n".join(changed))
        with self._step("cluster: a pod that is not restricted is refused"):
            try:
                self._node.kubectl("apply", "--filename=-", text=BARE_POD)
            except NotReady as refused:
                if "violates PodSecurity" not in str(refused):
                    raise
            else:
                raise NotReady("a bare pod was admitted")

    def _await_rollouts(self) -> None:
        for name in (*(f"statefulset/{service}" for service in SERVICES), "deployment/console"):
            self._node.kubectl("rollout", "status", name, *SPACE, f"--timeout={SECONDS:.0f}s", timeout=SECONDS + 30)

    def _load(self) -> None:
        with self._step("cluster: the public record is imported, and the trace is the README's"):
            keys = f"--from-file=public.vkeys={self._secrets}/log-keys/public.vkeys"
            self._node.kubectl("create", "configmap", "public-keys", *SPACE, keys)
            self._in_a_pod("load", "secretariat", "import", "record", RECORD)
            self._trace = self._in_a_pod("trace", "auditor", "trace", REFERENCE).strip()
            if re.sub(r"[ \t]+$", "", self._trace, flags=re.M) not in (CHECKOUT / "README.md").read_text():
                raise NotReady(f"the trace is not the README's:\n{self._trace}")

    def _restart(self) -> None:
        """Restart with the grace, which nobody may notice, and without, which the load must be able to notice."""
        with self._step("cluster: every service is restarted under 20 commands/s") as remarks:
            outcome = asyncio.run(self._restarted("with"))
            remarks.append(f"{outcome.sent} commands, {outcome.failed} failed, faults {dict(outcome.faults)}")
            if outcome.failed or outcome.faults:
                raise NotReady(remarks[-1])
        with self._step("cluster: without the pause before the end, the load meets faults") as remarks:
            self._patch_grace([{"op": "remove", "path": "/spec/template/spec/containers/0/lifecycle"}])
            outcome = asyncio.run(self._restarted("without"))
            remarks.append(f"{outcome.sent} commands, {outcome.failed} failed, faults {dict(outcome.faults)}")
            if outcome.failed or not outcome.faults:
                raise NotReady(f"the load cannot tell a pause from none: {remarks[-1]}")
            self._apply()
            self._await_rollouts()

    def _patch_grace(self, patch: list[dict[str, Any]]) -> None:
        for service in SERVICES:
            arguments = ("patch", f"statefulset/{service}", *SPACE, "--type=json", f"--patch={json.dumps(patch)}")
            self._node.kubectl(*arguments)
        self._await_rollouts()

    async def _restarted(self, label: str) -> Outcome:
        urls = {name: f"http://{self._address(name)}:8000" for name in SERVICES}
        async with under_load(urls, self._token("secretariat"), f"{label}-{int(time.time())}") as outcome:
            await asyncio.sleep(5)
            for service in SERVICES:
                await asyncio.to_thread(self._node.kubectl, "rollout", "restart", f"statefulset/{service}", *SPACE)
            await asyncio.to_thread(self._await_rollouts)
            await asyncio.sleep(5)
        return outcome

    def _address(self, service: str) -> str:
        return str(self._node.get("service", service, *SPACE)["spec"]["clusterIP"])

    def _drain(self) -> None:
        with self._step("cluster: a drain takes one pod of each at a time, and goes no further than the budgets"):
            self._node.kubectl("cordon", "one")
            try:
                self._node.kubectl(
                    *("drain", "one", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=60s"),
                    "--pod-selector=app.kubernetes.io/component in (service, console)", timeout=120,
                )  # fmt: skip
            except NotReady as refused:
                if "disruption budget" not in str(refused):
                    raise
            else:
                raise NotReady("a drain of the only node ended, against the budgets")
            finally:
                self._node.kubectl("uncordon", "one")
            self._await_rollouts()

    def _replay(self) -> None:
        with self._step("cluster: replay --from kafka --compare") as remarks:
            output = self._in_a_pod("replay", "auditor", "replay", "--from", "kafka", "--compare")
            if "identical: 2 traces" not in output:
                raise NotReady(output)
            remarks.append("identical: 2 traces")

    def _token(self, role: str) -> str:
        key = self._secrets / "sign-in" / tokens.KEY_FILE
        return tokens.mint(key, role=role, subject=f"synthetic-{role}")

    def _in_a_pod(self, name: str, role: str, *words: str) -> str:
        """Run a command of `throughline` as a job of the cluster, and return what it prints."""
        job = yaml.safe_load(COMMAND.read_text())
        job["metadata"]["name"] = named = f"{name}-{int(time.time())}"
        pod = job["spec"]["template"]["spec"]
        pod["hostAliases"] = self._node.get("statefulset", "meetings", *SPACE)["spec"]["template"]["spec"][
            "hostAliases"
        ]
        (container,) = pod["containers"]
        container["command"] = ["throughline", *words]
        container["env"].append({"name": "THROUGHLINE_TOKEN", "value": self._token(role)})
        self._node.kubectl("apply", "--filename=-", text=yaml.safe_dump(job))
        try:
            self._node.wait(name, "--for=condition=Complete", f"job/{named}", *SPACE, seconds=SECONDS / 2)
        except NotReady as fault:
            raise NotReady(f"{fault}\n{self._node.kubectl('logs', f'job/{named}', *SPACE)}") from None
        return self._node.kubectl("logs", f"job/{named}", *SPACE)


def run_throughline(*words: str) -> None:
    """Run a command of the checkout. Raises NotReady."""
    from tests.cli.terminal import throughline

    ran = throughline(None, *words)
    if ran.exit_code:
        raise NotReady(f"throughline {' '.join(words)}: {ran.output[-1_000:]}")
