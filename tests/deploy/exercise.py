"""Steps of an operator with a deployment, from nothing to a trace, through crashes and a restart of everything."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from shared.events.services import SERVICES
from tests.deploy.people import read_as
from tests.deploy.platform import JOBS, SERVERS, NotAsExpected, Platform
from tests.deploy.report import Report
from tools.files import CHECKOUT

RECORD = "shared/reference/public_record.yaml"
REFERENCE = "CED/2022/R1"
IDENTICAL = "identical: 2 traces"
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
        self._trace = ""

    def run(self) -> None:
        """Run all steps, and take everything down at the end, with its volumes."""
        try:
            self._start()
            self._load_and_read()
            self._refuse()
            self._crash()
            self._restart()
        finally:
            with self._step("down, with its volumes"):
                self._platform.down(volumes=True)

    def _step(self, what: str):  # type: ignore[no-untyped-def]
        return self._report.step(f"{self._label}: {what}")

    def _start(self) -> None:
        with self._step("init makes the secrets in the image, twice; the second changes nothing") as remarks:
            remarks.append(self._platform.job("init").strip().splitlines()[-1].partition(": ")[2])
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

    def _crash(self) -> None:
        with self._step("each container is killed, and is healthy again by itself") as remarks:
            for name in SERVERS:
                self._platform.kill(name)
                self._platform.await_healthy(name)
            for name in SERVICES:
                self._platform.await_healthy(name)
            self._expect_same_trace()
            remarks.append(", ".join(SERVERS))
        with self._step("no container was out of memory"):
            starved = [name for name in SERVERS if self._platform.state(name).get("OOMKilled")]
            _expect(starved, [])

    def _restart(self) -> None:
        with self._step("down and up on the same volumes, with no command in between"):
            self._platform.down()
            self._platform.up()
            self._expect_same_trace()
        with self._step("replay --from kafka --compare") as remarks:
            output = self._platform.cli("replay", "--from", "kafka", "--compare", token=self._token("auditor"))
            if IDENTICAL not in output:
                raise NotAsExpected(output)
            remarks.append(IDENTICAL)

    def _token(self, role: str = "secretariat") -> str:
        return self._platform.cli("token", "--role", role).strip().splitlines()[-1]

    def _read_trace(self, token: str) -> str:
        output = self._platform.cli("trace", REFERENCE, token=token)
        return re.sub(r"[ \t]+$", "", output, flags=re.M).strip()

    def _expect_same_trace(self) -> None:
        if (now := self._read_trace(self._token())) != self._trace:
            raise NotAsExpected(f"the trace was\n{self._trace}\nand is now\n{now}")


def _content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _expect(seen: Sequence[str], wanted: Sequence[str]) -> None:
    if list(seen) != list(wanted):
        raise NotAsExpected(f"expected {wanted}, and saw {seen}")
