"""Docker's engine for one run: the one of DOCKER_HOST, or one of our own, after which the machine is as it was."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.deploy import tools

STARTS_SECONDS, ENDS_SECONDS = 120, 120
SYSCTLS = ("net/ipv4/ip_forward", "net/ipv4/conf/all/route_localnet", "net/ipv6/conf/all/forwarding")
TABLES = ("filter", "nat", "raw")
PROGRAMS = ("iptables", "ip6tables")


class EngineDown(Exception):
    """An engine that cannot be used; the message says why."""


@dataclass(frozen=True)
class Engine:
    """An engine on a socket."""

    host: str

    def docker(self, *arguments: str, text: str | None = None, check: bool = True) -> str:
        """Run docker and return what it prints. Raises CalledProcessError."""
        environment = os.environ | {
            "DOCKER_HOST": self.host,
            "DOCKER_BUILDKIT": "0",
        }  # the old builder is in every engine
        command = [tools.of_machine("docker", "docker.io"), *arguments]
        ran = subprocess.run(command, env=environment, input=text, capture_output=True, text=True, check=False)
        if check and ran.returncode:
            raise EngineDown(f"docker {' '.join(arguments)[:200]}: {ran.stdout[-2_000:]}{ran.stderr[-2_000:]}")
        return ran.stdout + ran.stderr if not check else ran.stdout

    def answers(self) -> bool:
        """Tell whether it answers."""
        try:
            return bool(self.docker("version", "--format", "{{.Server.Version}}").strip())
        except EngineDown:
            return False


@dataclass(frozen=True)
class Machine:
    """The part of a machine that an engine changes: rules of its firewall, links, kernel settings."""

    rules: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    links: frozenset[str] = frozenset()
    sysctls: dict[str, str] = field(default_factory=dict)

    @classmethod
    def now(cls) -> Machine:
        """Look at the machine."""
        rules = {(program, table): _rules(program, table) for program in PROGRAMS for table in TABLES}
        links = frozenset(path.name for path in Path("/sys/class/net").iterdir())
        present = [name for name in SYSCTLS if (Path("/proc/sys") / name).exists()]
        return cls(rules, links, {name: (Path("/proc/sys") / name).read_text().strip() for name in present})

    def restore(self) -> list[str]:
        """Undo what was added since; return what is not as it was."""
        now = Machine.now()
        for (program, table), rules in now.rules.items():
            _undo(program, table, rules, self.rules[program, table])
        for link in now.links - self.links:
            if link.startswith(("docker", "br-", "veth")):
                subprocess.run(["ip", "link", "delete", link], capture_output=True, check=False)
        for name, value in self.sysctls.items():
            (Path("/proc/sys") / name).write_text(value)
        return self.differences(Machine.now())

    def differences(self, other: Machine) -> list[str]:
        """Describe how another state differs."""
        remarks = [
            f"{program} {table}"
            for program, table in self.rules
            if self.rules[program, table] != other.rules[program, table]
        ]
        remarks += [f"link {link}" for link in self.links ^ other.links if not link.startswith("veth")]
        return remarks + [
            f"{name} is {other.sysctls.get(name)}"
            for name in self.sysctls
            if self.sysctls[name] != other.sysctls.get(name)
        ]


def _rules(program: str, table: str) -> tuple[str, ...]:
    ran = subprocess.run(
        [tools.of_machine(program, "iptables"), "--wait", "-t", table, "-S"],
        capture_output=True,
        text=True,
        check=False,
    )
    return tuple(sorted(ran.stdout.splitlines()))


def _undo(program: str, table: str, now: tuple[str, ...], before: tuple[str, ...]) -> None:
    """Delete the rules and chains that were added, and set the policies that were changed."""
    added = [line.split() for line in now if line not in before]
    for kind, verb in (("-A", "-D"), ("-N", "-F"), ("-N", "-X")):
        for words in added:
            if words[0] == kind:
                rest = words[1:] if kind == "-A" else words[1:2]
                subprocess.run([program, "--wait", "-t", table, verb, *rest], capture_output=True, check=False)
    for line in before:
        if line.startswith("-P") and line not in now:
            subprocess.run([program, "--wait", "-t", table, *line.split()], capture_output=True, check=False)


@contextmanager
def running(folder: Path, images: Path) -> Iterator[Engine]:
    """Use the engine of DOCKER_HOST, or run one in `folder`, whose images stay in `images` for the next run."""
    if given := os.environ.get("DOCKER_HOST"):
        engine = Engine(given)
        if not engine.answers():
            raise EngineDown(f"DOCKER_HOST={given} does not answer")
        yield engine
        return
    if os.geteuid() != 0:
        raise EngineDown("an engine of its own needs root: set DOCKER_HOST to one that runs")
    before = Machine.now()
    if "docker0" in before.links:
        raise EngineDown("another engine uses the link docker0: set DOCKER_HOST to it, or stop it")
    try:
        with _started(folder, images) as engine:
            yield engine
    finally:
        if left := before.restore():
            raise EngineDown(f"the machine is not as it was: {'; '.join(left)}")


@contextmanager
def _started(folder: Path, images: Path) -> Iterator[Engine]:
    images.mkdir(parents=True, exist_ok=True)
    engine = Engine(f"unix://{folder}/docker.sock")
    command = [tools.of_machine("dockerd", "docker.io containerd runc iptables iproute2")]
    command += [f"--host={engine.host}", f"--data-root={images}", f"--exec-root={folder}/exec"]
    command += [f"--pidfile={folder}/docker.pid", "--storage-driver=overlay2"]
    with (folder / "engine.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        until = time.monotonic() + STARTS_SECONDS
        while not engine.answers():
            if process.poll() is not None or time.monotonic() > until:
                raise EngineDown((folder / "engine.log").read_text(encoding="utf-8", errors="replace")[-3_000:])
            time.sleep(1)
        yield engine
    finally:
        process.terminate()
        try:
            process.wait(ENDS_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
