"""A real Kafka broker of one node, which is its own controller.

With rights, it admits authenticated clients only: its administrator by a password in its private configuration, and the
users of deploy/kafka.yaml by SCRAM. Without, it admits everybody to everything.
"""

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
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
CLUSTER = "VGhyb3VnaGxpbmVMb2NhbA"
JVM = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError")


class Listener(NamedTuple):
    """One more listener of the broker, and the port that it advertises: the one of a proxy before it."""

    port: int
    advertised: int


NO_LISTENERS: Mapping[str, Listener] = {}


class Passwords(NamedTuple):
    """The passwords of the broker itself and of its administrator."""

    broker: str
    admin: str


class Kafka:
    """The broker, with data and configuration under `home`, for clients on `port` and on each further listener."""

    name = "kafka"

    def __init__(
        self,
        home: Path,
        port: int,
        controller_port: int,
        say: Say,
        listeners: Mapping[str, Listener] = NO_LISTENERS,
        passwords: Passwords | None = None,
    ) -> None:
        self.where = f"127.0.0.1:{port}"
        self._listeners, self._passwords = listeners, passwords
        self._home, self._port, self._controller_port, self._say = home, port, controller_port, say

    def prepare(self) -> None:
        """Write the configuration with the current ports, and format the data folder the first time."""
        configuration = (HERE / "kafka.properties").read_text(encoding="utf-8")
        protocol = "SASL_PLAINTEXT" if self._passwords else "PLAINTEXT"
        data = self._home / "data"
        write(
            self._home / "kafka.properties",
            configuration.format(
                port=self._port,
                controller_port=self._controller_port,
                data=data,
                listening="".join(f",{name}://127.0.0.1:{each.port}" for name, each in self._listeners.items()),
                advertised="".join(f",{name}://127.0.0.1:{each.advertised}" for name, each in self._listeners.items()),
                protocol=protocol,
                protocols="".join(f",{name}:{protocol}" for name in self._listeners),
                rights=self._rights(self._passwords) if self._passwords else "",
            ),
        )
        if not (data / "meta.properties").exists():
            command = [*self._java, "kafka.tools.StorageTool", "format", "-t", CLUSTER]
            command += ["-c", str(self._home / "kafka.properties")]
            process = subprocess.run(command, capture_output=True, text=True, check=False)
            if process.returncode != 0:
                raise CannotStart(f"Kafka could not format {data}:\n{process.stdout}{process.stderr}")

    def _rights(self, passwords: Passwords) -> str:
        """Return the part of the configuration that asks for passwords: each listener needs its own lines."""
        login = f'{PLAIN} required username="broker" password="{passwords.broker}"'
        login += f' user_broker="{passwords.broker}" user_admin="{passwords.admin}";'
        lines = [f"listener.name.controller.plain.sasl.jaas.config={login}"]
        for name in ("clients", *(name.lower() for name in self._listeners)):
            lines += [
                f"listener.name.{name}.plain.sasl.jaas.config={login}",
                f"listener.name.{name}.scram-sha-512.sasl.jaas.config={SCRAM} required;",
            ]
        return (HERE / "kafka.rights.properties").read_text(encoding="utf-8") + "\n".join(lines) + "\n"

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
