"""Steps of an operator with a deployment, from nothing to a trace, through crashes and a restart of everything."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.deploy.drills import Drills
from tests.deploy.load import Outcome
from tests.deploy.people import read_as
from tests.deploy.platform import JOBS, NotAsExpected, Platform, wait_until
from tests.deploy.report import Report
from tools.files import CHECKOUT

RECORD = "shared/reference/public_record.yaml"
REFERENCE = "CED/2022/R1"
CURRENT_SECONDS, REST_SECONDS = 15, 60
OF_MACHINE = "disk"  # how full it is, is this machine's matter
KAFKA_PORT, MONGODB_PORT = 9092, 27017
FOREIGN_WRITE = """
import asyncio, os, sys
from aiokafka import AIOKafkaProducer
from shared.runtime.settings import Settings, read
async def main():
    producer = AIOKafkaProducer(**read(Settings).kafka_access().client(), request_timeout_ms=15_000)
    await producer.start()
    try:
        await producer.send_and_wait("throughline.nominations", b"synthetic")
    finally:
        await producer.stop()
try:
    asyncio.run(main())
except Exception as refused:
    print(type(refused).__name__)
else:
    print("written")
"""
BY_AN_OPERATOR = ("stalled", "ahead", "unsigned", "dead-letters list", "rebuild --service meetings")
BY_AN_AUDITOR = (
    "throughline traces && throughline coverage && throughline audit export /tmp/export --wait 30"
    " && throughline audit compare /tmp/export"
    f" && throughline audit prove {REFERENCE} --out /tmp/proof && throughline audit verify-proof /tmp/proof"
)
OUTSIDER = """
import asyncio, socket
for name, port in (("kafka", 9092), ("mongo", 27017)):
    try:
        socket.create_connection((name, port), timeout=3).close()
        print(name, "is reached")
    except OSError:
        print(name, "is not reached")
"""


class Exercise:
    """The steps on one platform; each is written into the report."""

    def __init__(self, platform: Platform, secrets: Path, report: Report, label: str) -> None:
        self._platform, self._secrets, self._report, self._label = platform, secrets, report, label
        self._variant = platform.variant
        self._trace, self._traces = "", 2

    def run(self) -> None:
        """Run all steps, and take everything down at the end, with its volumes."""
        try:
            self._start()
            self._load_and_read()
            self._refuse()
            self._examine()
            if self._variant.is_single:
                self._watch()
            self._roll()
            self._lose_servers()
            if self._variant.is_single:
                self._crash()
            self._restart()
            if self._variant.is_secure:
                self._drill()
        finally:
            with self._step("down, with its volumes"):
                self._platform.down(volumes=True)

    def _step(self, what: str):  # type: ignore[no-untyped-def]
        return self._report.step(f"{self._label}: {what}")

    def _start(self) -> None:
        with self._step("init makes the secrets in the image, twice; the second changes nothing") as remarks:
            *_, address, created = self._platform.job("init").strip().splitlines()
            remarks.append(created.partition(": ")[2])
            if not address.endswith(f" open {self._platform.console}"):
                raise NotAsExpected(f"init prints another address than the console's: {address}")
            before = _content(self._secrets)
            again = self._platform.job("init")
            if _content(self._secrets) != before or " made" in again.splitlines()[-1]:
                raise NotAsExpected(f"a second init changed something:\n{again}")
        with self._step("up --wait"):
            self._platform.up()
        with self._step(f"each job once more: {', '.join(JOBS)}"):
            for job in JOBS:
                self._platform.job(job)

    def _load_and_read(self) -> None:
        with self._step("the public record is imported, and the trace is the README's") as remarks:
            token = self._token()
            self._platform.cli("import", "record", RECORD, token=token)
            self._trace = self._read_trace(token)
            if self._trace not in (CHECKOUT / "README.md").read_text(encoding="utf-8"):
                raise NotAsExpected(f"the trace is not the README's:\n{self._trace}")
            remarks.append(f"{len(self._trace.splitlines())} lines")
        with self._step("somebody made up signs in at the printed address, and reads the trace's page"):
            page = read_as("secretariat", self._platform.console, f"/traces/{REFERENCE}")
            if "Regional action programme on air pollution" not in page:
                raise NotAsExpected(f"the page lacks the title:\n{page[:2_000]}")

    def _refuse(self) -> None:
        with self._step("who is outside the network of data reaches neither Kafka nor MongoDB") as remarks:
            answer = self._platform.compose("exec", "--no-TTY", "console", "python3", "-c", OUTSIDER).split("\n")
            _expect([line for line in answer if line], ["kafka is not reached", "mongo is not reached"])
            remarks.append("asked from the console")
        with self._step("a service that writes to another's topic is refused by Kafka") as remarks:
            answer = self._platform.compose("exec", "--no-TTY", "meetings", "python3", "-c", FOREIGN_WRITE).split()
            _expect(answer[-1:], ["TopicAuthorizationFailedError"])
            remarks.append("meetings, to throughline.nominations")

    def _examine(self) -> None:
        with self._step(f"{', '.join(BY_AN_OPERATOR)}, in a container of the image"):
            token = self._token("operator")
            for command in BY_AN_OPERATOR:
                self._platform.cli(*command.split(), token=token)
        with self._step(
            "traces, coverage, audit export, compare, prove and verify-proof, in a container of the image"
        ) as remarks:
            own = {"THROUGHLINE_TOKEN": self._token("auditor")}
            output = self._platform.job("admin", "sh", "-c", BY_AN_AUDITOR, environment=own)
            remarks.append(output.strip().splitlines()[-1])
        with self._step("throughline doctor, in a container of the image") as remarks:
            remarks.append(self._expect_healthy())

    def _expect_healthy(self) -> str:
        lines = self._platform.attempt("run", "--rm", "--no-TTY", "doctor").strip().splitlines()
        _expect([line for line in lines if line.startswith("WRONG") and OF_MACHINE not in line.lower()], [])
        return lines[-1]

    def _watch(self) -> None:
        with self._step("profile observability: Prometheus has every instance, and no alert at rest") as remarks:
            self._platform.compose("--profile", "observability", "up", "--detach", "--wait", "--no-deps", "prometheus")
            wanted = {f"{name}:8000" for name in self._variant.instances} | {"console:8081"}
            wait_until(
                lambda: self._scraped() == wanted, "Prometheus has not every instance", lambda: str(self._scraped())
            )
            time.sleep(REST_SECONDS)
            _expect(self._alerts(), [])
            remarks.append(", ".join(sorted(wanted)))
        with self._step("a service that is stopped is an alert") as remarks:
            self._platform.compose("stop", "meetings")
            wait_until(lambda: "ThroughlineProcessDown meetings:8000" in self._alerts(), "no alert is pending")
            remarks += self._alerts()
            self._platform.compose("start", "meetings")
            self._platform.await_healthy("meetings")

    def _scraped(self) -> set[str]:
        targets = self._answered("targets")["activeTargets"]
        return {each["labels"]["instance"] for each in targets if each["health"] == "up"}

    def _alerts(self) -> list[str]:
        """Return the alerts that fire, or will unless it passes."""
        alerts = self._answered("alerts")["alerts"]
        named = [f"{each['labels']['alertname']} {each['labels'].get('instance', '')}".strip() for each in alerts]
        return sorted(name for name in named if OF_MACHINE not in name.lower())

    def _answered(self, what: str) -> dict[str, Any]:
        answer = httpx2.get(f"{self._platform.prometheus}/api/v1/{what}", timeout=10, trust_env=False)
        data: dict[str, Any] = answer.json()["data"]
        return data

    def _roll(self) -> None:
        """Restart as an upgrade does: where there are two of each nobody may notice, else the load must notice."""
        with self._step("each instance of a service is restarted under 20 commands/s") as remarks:
            with self._under_load("roll") as outcome:
                for names in self._variant.rounds:
                    for name in names:
                        self._platform.compose("restart", name)
                        self._platform.await_healthy(name)
            remarks += _summary(outcome)
            if bool(outcome.faults) != self._variant.is_single:
                raise NotAsExpected(f"with {len(self._variant.rounds)} of each service: {', '.join(remarks)}")

    def _lose_servers(self) -> None:
        for name, port in ((self._variant.brokers[-1], KAFKA_PORT), ("mongo", MONGODB_PORT)):
            with self._step(f"{name} is killed under 20 commands/s, and traces are current soon after") as remarks:
                with self._under_load(f"lost-{name}") as outcome:
                    killed = time.time()
                    self._platform.kill(name)
                    returned = self._platform.await_answer(name, port)
                    for each in (name, *self._variant.instances):
                        self._platform.await_healthy(each)
                after = max(shown - max(accepted, returned) for accepted, shown in outcome.traces)
                remarks += [f"away for {returned - killed:.0f} s, current {after:.1f} s after", *_summary(outcome)]
                if after > CURRENT_SECONDS:
                    raise NotAsExpected(", ".join(remarks))

    @contextmanager
    def _under_load(self, run: str) -> Iterator[Outcome]:
        """Send commands meanwhile; raise NotAsExpected where one failed after its retries, or is not on record."""
        with self._platform.under_load(run, self._token()) as outcome:
            time.sleep(5)
            yield outcome
            time.sleep(5)
        self._traces += len(outcome.traces)
        if outcome.failed or outcome.lost or outcome.sent != len(outcome.accepted):
            raise NotAsExpected(f"{', '.join(_summary(outcome))}; not to be read: {outcome.lost[:10]}")

    def _crash(self) -> None:
        with self._step("each container is killed, and is healthy again by itself") as remarks:
            for name in self._variant.servers:
                self._platform.kill(name)
                self._platform.await_healthy(name)
            for name in self._variant.instances:
                self._platform.await_healthy(name)
            self._expect_same_trace()
            remarks.append(", ".join(self._variant.servers))
        with self._step("no container was out of memory"):
            starved = [name for name in self._variant.servers if self._platform.state(name).get("OOMKilled")]
            _expect(starved, [])

    def _restart(self) -> None:
        with self._step("down and up on the same volumes, with no command in between"):
            self._platform.down()
            self._platform.up()
            self._expect_same_trace()
        with self._step("replay --from kafka --compare") as remarks:
            remarks.append(self._replay())

    def _drill(self) -> None:
        """Do what docs/backup.md says, by its own lines."""
        drills = Drills(self._platform, self._secrets)
        with self._step("passwords, certificates, their authority and keys are replaced, one command each") as remarks:
            remarks += drills.replace()
            self._expect_same_trace()
        with self._step("MongoDB is copied while it is held, under 20 commands/s") as remarks:
            with self._under_load("copied") as outcome:
                drills.copy()
            remarks += _summary(outcome)
        with self._under_load("not-copied"):
            pass
        before = self._replay()
        with self._step("MongoDB is lost, put back from the copy, and filled up from Kafka") as remarks:
            remarks += drills.lose_mongodb()
            remarks += self._expect_same_history(before)
        with self._step("Kafka is lost, and every ledger is published again") as remarks:
            drills.lose_kafka(self._token("operator"))
            remarks += self._expect_same_history(before)
        with self._step("both are lost, and restored from an export under another name") as remarks:
            drills.save(self._token("auditor"))
            remarks += drills.lose_both()
            remarks += self._expect_same_history(before)
        with self._step("throughline doctor, after all of it"):
            self._expect_healthy()

    def _replay(self) -> str:
        """Compare the live traces with those of the history; return what it rests on, and how many are identical."""
        output = self._platform.cli("replay", "--from", "kafka", "--compare", token=self._token("auditor"))
        if (identical := f"identical: {self._traces} traces") not in output:
            raise NotAsExpected(f"expected {identical}\n{output}")
        return f"{output.strip().splitlines()[0]}, {identical}"

    def _expect_same_history(self, before: str) -> list[str]:
        self._expect_same_trace()
        _expect([self._replay()], [before])
        return [before]

    def _token(self, role: str = "secretariat") -> str:
        return self._platform.cli("token", "--role", role).strip().splitlines()[-1]

    def _read_trace(self, token: str) -> str:
        output = self._platform.cli("trace", REFERENCE, token=token)
        return re.sub(r"[ \t]+$", "", output, flags=re.M).strip()

    def _expect_same_trace(self) -> None:
        if (now := self._read_trace(self._token())) != self._trace:
            raise NotAsExpected(f"the trace was\n{self._trace}\nand is now\n{now}")


def _summary(outcome: Outcome) -> list[str]:
    faults = ", ".join(f"{count} {name}" for name, count in outcome.faults.items()) or "none"
    return [f"{outcome.sent} commands, {outcome.failed} failed, {len(outcome.lost)} lost, faults met: {faults}"]


def _content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _expect(seen: Sequence[str], wanted: Sequence[str]) -> None:
    if list(seen) != list(wanted):
        raise NotAsExpected(f"expected {wanted}, and saw {seen}")
