"""The product in a cluster of one node, under restricted Pod Security: load, restart, upgrade, drain, replay."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from pathlib import Path

from shared.events.services import SERVICES
from tests.deploy.cluster import connections
from tests.deploy.cluster.node import Node, NotReady
from tests.deploy.cluster.product import SPACE, Product, run_throughline
from tests.deploy.load import Load, Outcome
from tests.deploy.report import Report
from tools.files import CHECKOUT

REFERENCE = "CED/2022/R1"
RECORD = "/app/shared/reference/public_record.yaml"
NEXT = "next"
CURRENT_SECONDS = 15.0
NOT_FOUND = "404"  # of a service, and for good: no client sends again what is answered so
BARE_POD = """
apiVersion: v1
kind: Pod
metadata: {name: bare, namespace: throughline}
spec: {containers: [{name: bare, image: localhost/throughline:dev}]}
"""
NO_PAUSE = json.dumps([{"op": "remove", "path": "/spec/template/spec/containers/0/lifecycle"}])


class Exercise:
    """The steps on one cluster; each is written into the report."""

    def __init__(self, node: Node, folder: Path, policies: Path, report: Report) -> None:
        self._node, self._policies, self._product = node, policies, Product(node, folder)
        self._step, self._traces = report.step, 2

    def run(self) -> None:
        """Run all steps."""
        self._start()
        self._enforce()
        self._load()
        self._restart()
        self._upgrade()
        self._drain()
        self._replay()
        self._back_up()

    def _start(self) -> None:
        with self._step("cluster: everything is applied, and ready") as remarks:
            self._product.prepare()
            self._product.apply()
            self._product.await_jobs()
            self._product.await_rollouts()
            remarks.append(f"{len(self._node.get('pods', *SPACE)['items'])} pods")
        with self._step("cluster: a second apply changes nothing"):
            self._product.apply_again()
        with self._step("cluster: a pod that is not restricted is refused"):
            try:
                self._node.kubectl("apply", "--filename=-", text=BARE_POD)
            except NotReady as refused:
                if "violates PodSecurity" not in str(refused):
                    raise
            else:
                raise NotReady("a bare pod was admitted")

    def _enforce(self) -> None:
        """Try each connection while nothing enforces policies, then with it, and leave it there for what follows."""
        with self._step("cluster: while nothing enforces policies, each pod reaches each other") as remarks:
            connections.stand(self._node)
            seen = connections.try_all(self._node)
            if len(seen.reached) != seen.tried:
                raise NotReady(f"{seen.tried - len(seen.reached)} ways are closed though nothing closes them")
            remarks.append(f"{seen.tried} ways")
        with self._step("cluster: policies are enforced: what the table allows is open, all else closed") as remarks:
            self._node.enforce_policies(self._policies)
            until = time.monotonic() + 60
            while (faults := (seen := connections.try_all(self._node)).faults) and time.monotonic() < until:
                time.sleep(2)
            if faults:
                raise NotReady("\n".join(faults))
            remarks.append(f"{len(seen.reached)} open, {seen.tried - len(seen.reached)} closed")

    def _load(self) -> None:
        with self._step("cluster: the public record is imported, and the trace is the README's"):
            self._product.publish_keys()
            self._product.run("load", "secretariat", "import", "record", RECORD)
            trace = self._product.run("trace", "auditor", "trace", REFERENCE).strip()
            if re.sub(r"[ \t]+$", "", trace, flags=re.M) not in (CHECKOUT / "README.md").read_text():
                raise NotReady(f"the trace is not the README's:\n{trace}")

    def _restart(self) -> None:
        """Restart with the pause, which nobody may notice, and without, which the load must be able to notice."""
        with self._step("cluster: every service is restarted under 20 commands/s") as remarks:
            self._unnoticed(self._restart_all, remarks)
        with self._step("cluster: without the pause before the end, the load meets faults") as remarks:
            for service in SERVICES:
                self._node.kubectl("patch", f"statefulset/{service}", *SPACE, "--type=json", f"--patch={NO_PAUSE}")
            self._product.await_rollouts()
            outcome = asyncio.run(self._under_load(self._restart_all, remarks))
            if outcome.failed or outcome.lost or not outcome.faults:
                raise NotReady(f"the load cannot tell a pause from none: {'; '.join(remarks)}")
            self._product.apply()
            self._product.await_rollouts()

    def _upgrade(self) -> None:
        with self._step("cluster: an upgrade to another tag under 20 commands/s runs the jobs again") as remarks:
            before = self._jobs()
            self._product.name_version("dev", NEXT)
            # the only MongoDB of this overlay restarts too: the container that makes its users has the image
            outcome = asyncio.run(self._under_load(self._apply_and_await, remarks))
            if outcome.failed or outcome.lost or outcome.faults[NOT_FOUND]:
                raise NotReady("; ".join(remarks))
            if missing := before.keys() - self._jobs().keys():
                raise NotReady(f"jobs are gone: {missing}")
        with self._step("cluster: a second apply of the upgrade changes nothing"):
            self._product.apply_again()

    def _apply_and_await(self) -> None:
        self._product.apply()
        self._product.await_jobs(*(f"{name}-v{NEXT}" for name in ("topics", "kafka-users", "indexes")))
        self._product.await_rollouts()

    def _jobs(self) -> dict[str, str]:
        return {job["metadata"]["name"]: job["metadata"]["uid"] for job in self._node.get("jobs", *SPACE)["items"]}

    def _restart_all(self) -> None:
        for service in SERVICES:
            self._node.kubectl("rollout", "restart", f"statefulset/{service}", *SPACE)
        self._product.await_rollouts()

    def _unnoticed(self, change: Callable[[], None], remarks: list[str]) -> None:
        """Make a change under load. Raises NotReady where a command fails, meets a fault, is lost, or is read late."""
        with self._product.delays() as delays:
            outcome = asyncio.run(self._under_load(change, remarks))
        remarks.append(str(delays[0]))
        if outcome.failed or outcome.faults or outcome.lost or delays[0].longest > CURRENT_SECONDS:
            raise NotReady("; ".join(remarks))

    async def _under_load(self, change: Callable[[], None], remarks: list[str]) -> Outcome:
        """Make a change while commands are sent and recommendations drafted; read back what was accepted."""
        load = Load({name: self._product.address(name) for name in SERVICES}, self._product.token("secretariat"))
        run = f"r{int(time.time()) % 10**8}"  # the first ten characters are the Committee of what is drafted
        async with load.client, asyncio.TaskGroup() as group:
            sending = [group.create_task(load.send_all(run)), group.create_task(load.draft_all(run))]
            await asyncio.sleep(5)
            began = time.monotonic()
            await asyncio.to_thread(change)
            remarks.append(f"{time.monotonic() - began:.0f} s")
            await asyncio.sleep(5)
            load.ending.set()
            await asyncio.gather(*sending)
            await load.read_back()
        outcome = load.outcome
        faults = ", ".join(f"{name} {times}" for name, times in sorted(outcome.faults.items())) or "none"
        remarks.append(f"{outcome.sent} commands, {outcome.failed} failed, {len(outcome.lost)} lost, faults: {faults}")
        shown = [shown - accepted for accepted, shown in outcome.traces]
        remarks.append(f"{len(shown)} traces shown after {max(shown, default=0):.1f} s at most")
        self._traces += len(shown)
        return outcome

    def _drain(self) -> None:
        with self._step("cluster: a drain takes one pod of each, and goes no further than the budgets") as remarks:
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
            ready = self._ready()
            self._node.kubectl("uncordon", "one")
            if ready != dict.fromkeys(SERVICES, 1):
                raise NotReady(f"while the drain waits, these pods are ready: {ready}")
            remarks.append("one of each was left")
            self._product.await_rollouts()

    def _ready(self) -> dict[str, int]:
        statuses = {name: self._node.get("statefulset", name, *SPACE)["status"] for name in SERVICES}
        return {name: status.get("readyReplicas", 0) for name, status in statuses.items()}

    def _replay(self) -> None:
        with self._step("cluster: replay --from kafka --compare") as remarks:
            output = self._product.run("replay", "auditor", "replay", "--from", "kafka", "--compare")
            if (identical := f"identical: {self._traces} traces") not in output:
                raise NotReady(f"{identical} was expected: {output}")
            remarks.append(identical)

    def _back_up(self) -> None:
        with self._step("cluster: the nightly jobs save persons, documents and an export, which verifies") as remarks:
            volumes = self._product.back_up()
            if not any((volumes / "backup-persons/persons").iterdir()):
                raise NotReady("no key of a person was saved")
            keys = (self._product.secrets / "log-keys/public.vkeys").read_text().split()
            export = str(volumes / "backup-export/export")
            remarks.append(run_throughline("audit", "verify", export, *(f"--key={key}" for key in keys)))
