"""A real Kafka broker of one node, which is its own controller."""

import subprocess
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from tools.local import fetch
from tools.local.files import write
from tools.local.processes import Child, wait_until
from tools.local.progress import CannotStart, Say

HERE = Path(__file__).parent
CLUSTER = "VGhyb3VnaGxpbmVMb2NhbA"
JVM = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError")


class Door(NamedTuple):
    """One more listener: where the broker listens, and where clients are told to find it, as a proxy before it is."""

    port: int
    advertised: int


NO_DOORS: Mapping[str, Door] = {}


class Kafka:
    """The broker: data and configuration under `home`, clients on `port`, and at each of the doors."""

    name = "kafka"

    def __init__(
        self, home: Path, port: int, controller_port: int, say: Say, doors: Mapping[str, Door] = NO_DOORS
    ) -> None:
        self.where = f"127.0.0.1:{port}"
        self._doors = doors
        self._home, self._port, self._controller_port, self._say = home, port, controller_port, say

    def prepare(self) -> None:
        """Write the configuration with the ports of today, and format the data folder the first time."""
        configuration = (HERE / "kafka.properties").read_text(encoding="utf-8")
        data = self._home / "data"
        write(
            self._home / "kafka.properties",
            configuration.format(
                port=self._port,
                controller_port=self._controller_port,
                data=data,
                listening="".join(f",{name}://127.0.0.1:{door.port}" for name, door in self._doors.items()),
                advertised="".join(f",{name}://127.0.0.1:{door.advertised}" for name, door in self._doors.items()),
                protocols="".join(f",{name}:PLAINTEXT" for name in self._doors),
            ),
        )
        if not (data / "meta.properties").exists():
            command = [*self._java, "kafka.tools.StorageTool", "format", "-t", CLUSTER]
            command += ["-c", str(self._home / "kafka.properties")]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise CannotStart(f"Kafka could not format {data}:\n{done.stdout}{done.stderr}")

    def command(self) -> Sequence[str]:
        return [*self._java, "kafka.Kafka", str(self._home / "kafka.properties")]

    def environment(self) -> Mapping[str, str]:
        return {}

    def await_ready(self, child: Child) -> None:
        """Wait for its own word that it serves."""
        wait_until(child, lambda: "Kafka Server started" in child.said())

    @cached_property
    def _java(self) -> list[str]:
        java = fetch.java(self._say)
        jars = fetch.kafka(java, say=self._say)
        return [str(java), "-cp", f"{jars}/*", *JVM, f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}"]
