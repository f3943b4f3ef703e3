"""The whole platform on one bare machine: real Kafka, real MongoDB, an SMTP server and the services."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from pymongo.errors import PyMongoError

from shared.events.services import SERVICES
from shared.runtime.kafka_access import KafkaAccess
from tools.client import development, indexes, local_console, tokens
from tools.client.stack_home import DEFAULT_HOME, PUBLIC_KEYS
from tools.deployment import grants, kafka_users, topics
from tools.files import Locked, locked
from tools.local import log_keys, rights
from tools.local.console import Console
from tools.local.issuer import Issuer
from tools.local.kafka import NO_LISTENERS, Kafka, Listener
from tools.local.messages import CannotStart, Say, say
from tools.local.mongodb import DEFAULT_UPKEEP, MongoDB, Upkeep
from tools.local.processes import end, leave_on_termination
from tools.local.running import AlreadyRunning, Running
from tools.local.server import Server
from tools.local.service import Service
from tools.local.smtp import Mail
from tools.local.status import Status, probe

ALL_FOUR = SERVICES


class Stack(Running):
    """Servers and services under one home folder, as a context manager that starts and stops them."""

    def __init__(
        self,
        home: Path = DEFAULT_HOME,
        services: Sequence[str] = ALL_FOUR,
        say: Say = say,
        *,
        listeners: Mapping[str, Listener] = NO_LISTENERS,
        upkeep: Upkeep = DEFAULT_UPKEEP,
        with_rights: bool = True,
        with_console: bool = False,
    ) -> None:
        super().__init__(home, say)
        self.services = tuple(services)
        self.mail = self.home / "mail"
        self.token_key = self.home / tokens.KEY_FILE
        self._listeners, self._upkeep = listeners, upkeep
        self._with_rights = with_rights and rights.wanted()
        self._with_console = with_console
        self._runs = False
        self._owner_lock = ExitStack()
        self._terminations = ExitStack()

    @property
    def kafka(self) -> KafkaAccess:
        """Return the access of a client that reads Kafka."""
        return self.memory.kafka()

    @property
    def kafka_admin(self) -> KafkaAccess:
        """Return the access of Kafka's administrator, who may do everything."""
        return self.memory.kafka_admin()

    @property
    def mongodb_admin_uri(self) -> str:
        """Return the URI of the administrator."""
        return self.memory.servers()[1]

    def mongodb_uri(self, service: str) -> str:
        """Return the URI of a service's own user."""
        return self.memory.mongodb_uri(service)

    @property
    def urls(self) -> dict[str, str]:
        """Return the base URL of each service."""
        ports = self.memory.ports()
        return {name: f"http://127.0.0.1:{ports[name]}" for name in self.services if name in ports}

    def environment(self, service: str) -> dict[str, str]:
        """Return the settings of a service, as environment variables."""
        ports = self.memory.ports()
        kafka = self.memory.kafka(service).settings()
        return {
            **{f"THROUGHLINE_{name.upper()}": value for name, value in kafka.items()},
            "THROUGHLINE_MONGODB": self.mongodb_uri(service),
            "THROUGHLINE_DATABASE": grants.database(service),
            "THROUGHLINE_HOST": "127.0.0.1",
            "THROUGHLINE_PORT": str(ports[service]),
            "THROUGHLINE_JWKS": str(self.home / tokens.JWKS_FILE),
            "THROUGHLINE_ISSUER": tokens.ISSUER,
            "THROUGHLINE_AUDIENCE": f"{tokens.AUDIENCE} {development.CLIENT_ID}",
            "THROUGHLINE_ACTOR_KEY_FILE": str(self.home / tokens.ACTOR_KEY_FILE),
            "THROUGHLINE_DEPLOYMENT": log_keys.deployment_of(self.home),
            "THROUGHLINE_CHECKPOINT_KEYS_FILE": str(log_keys.key_file(self.home, service)),
            "THROUGHLINE_CHECKPOINT_SECONDS": "1",
            "THROUGHLINE_TRUSTED_KEYS_FILE": str(self.home / PUBLIC_KEYS),
            "THROUGHLINE_DISTRUSTED_KEYS": os.environ.get("THROUGHLINE_DISTRUSTED_KEYS", ""),
            "THROUGHLINE_SMTP_HOST": "127.0.0.1",
            "THROUGHLINE_SMTP_PORT": str(ports["smtp"]),
            "THROUGHLINE_SMTP_SENDER": "throughline@localhost.invalid",
            "THROUGHLINE_LOG_LEVEL": os.environ.get("THROUGHLINE_LOG_LEVEL", "INFO"),
        }

    def start(self) -> None:
        """Start everything and return when it is ready; stop everything if one part does not start."""
        if self._runs:
            raise AlreadyRunning(f"The stack in {self.home} is already running.")
        try:
            self._owner_lock.enter_context(locked(self.memory.lock, wait=False))
        except Locked:
            raise AlreadyRunning(self._where_it_runs()) from None
        self._runs = True
        try:
            for name in self.memory.end_leftovers():
                self._say(f"ended {name}, left over from an earlier run")
            self.memory.note_owner(self.services)
            self._start_servers()
            self._start_services()
            if self._with_console:
                self.start_console()
        except BaseException:
            self.stop()
            raise

    def status(self) -> dict[str, Status]:
        """Probe each server and service; any process may, not only the one that runs the stack."""
        return probe(self.memory)

    def _where_it_runs(self) -> str:
        owner = self.memory.owner()
        ports = self.memory.ports()
        places = [f"    {name:<16} http://127.0.0.1:{ports[name]}" for name in self.memory.services()]
        process = f" (process {owner[0]})" if owner else ""
        return "\n".join([f"The stack in {self.home} is already running{process}.", *places])

    def _start_servers(self) -> None:
        ports = self.memory.keep_free_ports()
        tokens.make_key(self.home)
        log_keys.make_keys(self.home, ALL_FOUR)
        kafka, mongodb = os.environ.get("THROUGHLINE_KAFKA"), os.environ.get("THROUGHLINE_MONGODB")
        passwords = rights.passwords(self.memory) if self._with_rights else None
        at = ports["kafka"], ports["kafka_controller"]
        own_kafka = Kafka(self.home / "kafka", *at, self._say, self._listeners, passwords)
        admin = self.memory.password("admin")
        own_mongodb = MongoDB(self.home / "mongodb", ports["mongodb"], admin, self._say, self._upkeep)
        self.memory.note_mongodb(mongodb or own_mongodb.admin_uri)
        administrator = rights.administrator(self.memory, own_kafka.where, with_rights=self._with_rights)
        self.memory.note_kafka(administrator, kafka_users.users() if self._with_rights else ())
        development.register(self.home, f"http://127.0.0.1:{ports['console']}")
        own: list[Server] = [Mail(self.mail, ports["smtp"]), Issuer(self.home, ports["issuer"])]
        own += [own_mongodb] if mongodb is None else []
        own += [own_kafka] if kafka is None else []
        for server in own:
            self._begin(server)
        for server in own:
            self._await_ready(server)
            if server is own_mongodb:
                self._grant()
        if mongodb is not None:
            self._grant()
        rights.ensure(self.memory, self._say)
        topics.ensure(self.kafka_admin)

    def _grant(self) -> None:
        grants.grant(self.mongodb_admin_uri, {name: self.memory.password(name) for name in ALL_FOUR})
        try:
            left = indexes.ensure(self.mongodb_admin_uri, {name: grants.database(name) for name in ALL_FOUR})
        except PyMongoError as failure:
            raise CannotStart(
                "The user in THROUGHLINE_MONGODB could not create collections and indexes. It needs the role\n"
                f"dbAdminAnyDatabase (or root): {failure}"
            ) from failure
        if left:
            raise CannotStart(indexes.describe(left))

    def _start_services(self) -> None:
        services = [Service(name, self.memory.ports()[name], self.environment(name)) for name in self.services]
        for service in services:
            self._begin(service)
        for service in services:
            self._await_ready(service)

    def start_console(self) -> None:
        """Start the console, unless it runs."""
        if (child := self._children.get(Console.name)) is None or not child.running():
            console = Console(local_console.address(self.home), local_console.environment(self.home))
            self._begin(console)
            self._await_ready(console)

    def stop(self) -> None:
        """Stop the services, then the servers; a second Ctrl-C kills the rest."""
        if not self._runs:
            return
        above = (*ALL_FOUR, Console.name)
        services = [child for name, child in self._children.items() if name in above]
        servers = [child for name, child in self._children.items() if name not in above]
        try:
            end(services)
            end(servers)
        finally:
            end([*services, *servers], grace=0)
            self._children.clear()
            self.memory.forget_owner()
            self._owner_lock.close()
            self._runs = False

    def __enter__(self) -> Self:
        leave_on_termination(self._terminations)
        try:
            self.start()
        except BaseException:
            self._terminations.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self.stop()
        finally:
            self._terminations.close()


@contextmanager
def temporary(services: Sequence[str] = ALL_FOUR, say: Say = say) -> Iterator[Stack]:
    """Run a stack in a temporary folder, which is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="throughline-") as folder, Stack(Path(folder), services, say) as stack:
        yield stack
