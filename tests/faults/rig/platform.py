"""The platform under test: real servers behind proxies, each service in one or two processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults.rig.disk import Disk
from tests.faults.rig.instance import Instance
from tests.faults.rig.proxy import Proxies, Proxy
from tests.faults.rig.version import CURRENT, Version
from tools.deployment import grants
from tools.local import kafka, ports
from tools.local.messages import Say
from tools.local.mongodb import Upkeep
from tools.local.processes import end
from tools.local.stack import ALL_FOUR, Stack

OPLOG_MB = 16
CHECKPOINT_SECONDS = 2
DISK_MB = 3_000
PATIENCE = {
    "SMTP_TIMEOUT": "3",
    "INTERRUPTED_AFTER": "8",
    "RETRY_FIRST": "0.5",
    "RETRY_LONGEST": "4",
    "RETRY_ATTEMPTS": "10000",
    "LOOK_EVERY": "0.2",
}


@dataclass
class Platform:
    """Servers, proxies and instances."""

    stack: Stack
    disk: Disk
    kafka: dict[str, Proxy]
    mongodb: dict[str, Proxy]
    smtp: Proxy
    not_ready_after: float
    instances: dict[str, list[Instance]]
    version: Version = CURRENT

    def add(self, service: str) -> Instance:
        """Start another instance of a service, without waiting until it is ready."""
        number = len(self.instances[service]) + 1
        instance = Instance(service, number, self.stack.home, self._environment(service), self.version)
        instance.start()
        self.instances[service].append(instance)
        return instance

    def add_all(self) -> None:
        """Start another instance of each service, and wait until they are ready."""
        run_concurrently([self.add(service).await_ready for service in ALL_FOUR])

    def first(self, service: str) -> Instance:
        """Return a service's first instance."""
        return self.instances[service][0]

    def every(self) -> list[Instance]:
        """Return all instances."""
        return [instance for instances in self.instances.values() for instance in instances]

    def urls(self, service: str) -> list[str]:
        """Return the URLs of a service's instances."""
        return [instance.url for instance in self.instances[service]]

    def _environment(self, service: str) -> dict[str, str]:
        here = f"mongodb://throughline@{self.mongodb[service].where}/?directConnection=true"
        own = {
            "PORT": str(ports.choose(())),
            "KAFKA": self.kafka[service].where,
            "MONGODB": grants.user_uri(here, service, self.stack.memory.password(service)),
            "SMTP_PORT": str(self.smtp.port),
            "NOT_READY_AFTER": str(self.not_ready_after),
            **PATIENCE,
        }
        return self.stack.environment(service) | {f"THROUGHLINE_{name}": value for name, value in own.items()}


@contextmanager
def running(home: Path, say: Say, *, not_ready_after: float, version: Version = CURRENT) -> Iterator[Platform]:
    """Run the platform during a block, with one instance of each service."""
    proxies = Proxies()
    at_kafka = {service: proxies.add(f"kafka for {service}", ports.choose(())) for service in ALL_FOUR}
    at_mongodb = {service: proxies.add(f"mongodb for {service}") for service in ALL_FOUR}
    at_smtp = proxies.add("smtp", server_speaks_first=True)
    listeners = {service.upper(): kafka.Listener(proxy.target, proxy.port) for service, proxy in at_kafka.items()}
    disk = Disk(home / "mongodb", DISK_MB)
    with ExitStack() as held:
        held.enter_context(disk.mounted())
        held.enter_context(proxies.open())
        stack = held.enter_context(
            Stack(home, (), say, listeners=listeners, upkeep=Upkeep(OPLOG_MB, CHECKPOINT_SECONDS))
        )
        for proxy in at_mongodb.values():
            proxy.target = stack.memory.ports()["mongodb"]
        at_smtp.target = stack.memory.ports()["smtp"]
        version.prepare(stack)
        instances: dict[str, list[Instance]] = {service: [] for service in ALL_FOUR}
        platform = Platform(stack, disk, at_kafka, at_mongodb, at_smtp, not_ready_after, instances, version)
        held.callback(lambda: end([each.child for each in platform.every() if each.running], grace=20))
        platform.add_all()
        yield platform


def run_concurrently(tasks: Sequence[Callable[[], object]]) -> None:
    """Run tasks in threads of their own, and wait for all. Raises the first error."""
    with ThreadPoolExecutor(len(tasks) or 1) as pool:
        for done in [pool.submit(task) for task in tasks]:
            done.result()
