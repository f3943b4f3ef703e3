"""A real Kafka broker of one node, which is its own controller."""

import subprocess
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from tools.files import write
from tools.local import fetch
from tools.local.messages import CannotStart, Say
from tools.local.processes import Child, wait_until

HERE = Path(__file__).parent
CLUSTER = "VGhyb3VnaGxpbmVMb2NhbA"
JVM = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError")


class Listener(NamedTuple):
    """One more listener of the broker, and the port that it advertises: the one of a proxy before it."""

    port: int
    advertised: int


NO_LISTENERS: Mapping[str, Listener] = {}


class Kafka:
    """The broker, with data and configuration under `home`, for clients on `port` and on each further listener."""

    name = "kafka"

    def __init__(
        self, home: Path, port: int, controller_port: int, say: Say, listeners: Mapping[str, Listener] = NO_LISTENERS
    ) -> None:
        self.where = f"127.0.0.1:{port}"
        self._listeners = listeners
        self._home, self._port, self._controller_port, self._say = home, port, controller_port, say

    def prepare(self) -> None:
        """Write the configuration with the current ports, and format the data folder the first time."""
        configuration = (HERE / "kafka.properties").read_text(encoding="utf-8")
        data = self._home / "data"
        write(
            self._home / "kafka.properties",
            configuration.format(
                port=self._port,
                controller_port=self._controller_port,
                data=data,
                listening="".join(f",{name}://127.0.0.1:{each.port}" for name, each in self._listeners.items()),
                advertised="".join(f",{name}://127.0.0.1:{each.advertised}" for name, each in self._listeners.items()),
                protocols="".join(f",{name}:PLAINTEXT" for name in self._listeners),
            ),
        )
        if not (data / "meta.properties").exists():
            command = [*self._java, "kafka.tools.StorageTool", "format", "-t", CLUSTER]
            command += ["-c", str(self._home / "kafka.properties")]
            process = subprocess.run(command, capture_output=True, text=True, check=False)
            if process.returncode != 0:
                raise CannotStart(f"Kafka could not format {data}:\n{process.stdout}{process.stderr}")

    def command(self) -> Sequence[str]:
        return [*self._java, "kafka.Kafka", str(self._home / "kafka.properties")]

    def environment(self) -> Mapping[str, str]:
        return {}

    def await_ready(self, child: Child) -> None:
        """Wait for the broker's log line that it has started."""
        wait_until(child, lambda: "Kafka Server started" in child.output())

    @cached_property
    def _java(self) -> list[str]:
        java = fetch.java(self._say)
        jars = fetch.kafka(say=self._say)
        return [str(java), "-cp", f"{jars}/*", *JVM, f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}"]
