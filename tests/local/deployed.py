"""A broker and a replica set on the files of `throughline deploy init`, as deploy/compose.tls.yaml mounts them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from pydantic import SecretStr
from pymongo import MongoClient, WriteConcern
from pymongo.errors import PyMongoError, ServerSelectionTimeoutError
from typer.testing import Result

from shared.consumer.kafka_authorization import KafkaRefused, raise_if_refused
from shared.consumer.topic_reader import read_topic
from shared.runtime.kafka_access import KafkaAccess, Mechanism
from shared.runtime.tls import Tls
from tests.cli.terminal import throughline
from tests.local.secure import running
from tests.patience import until
from tools.deployment.secret_files import Deployment, ensure
from tools.deployment.secret_folder import SecretFolder
from tools.local import kafka
from tools.local.mongodb import MongoDB
from tools.local.ports import choose
from tools.local.processes import Child, wait_until

STOPPING_SECONDS = 30.0
MEMBERS = 3
USER, TOPIC = "meetings", "throughline.meetings"
TLS = """\
listener.security.protocol.map=CLIENTS:SASL_SSL,CONTROLLER:SASL_SSL
ssl.keystore.type=PEM
ssl.keystore.location={secrets}/tls/kafka.pem
ssl.truststore.type=PEM
ssl.truststore.location={secrets}/tls/ca.crt
"""
QUICK = {"electionTimeoutMillis": 2_000, "heartbeatIntervalMillis": 500}
Client = MongoClient[dict[str, Any]]


@dataclass(frozen=True)
class Secrets:
    """The folder of secrets of a deployment."""

    root: Path

    def make(self) -> None:
        ensure(SecretFolder(self.root, owners=False), Deployment())

    def read(self, path: str) -> str:
        return (self.root / path).read_text().strip()

    def rotate(self, what: str, *options: str) -> None:
        done = throughline(None, "rotate", what, str(self.root), *options)
        assert done.exit_code == 0, done.output

    def copy(self, path: str, name: str) -> Path:
        """Copy a file of now, as a process that was started now goes on with it."""
        copied = self.root.parent / name
        copied.write_text(self.read(path) + "\n")
        copied.chmod(0o400)
        return copied


class Servers(Protocol):
    """Servers that speak TLS only."""

    secrets: Secrets

    def restart(self) -> None:
        """Restart them as docs/backup.md says, on the files of now."""

    def are_trusted(self, authorities: Path) -> bool:
        """Tell whether a client with these authorities works; False where it does not trust the certificate."""


class Broker(kafka.Kafka):
    """A broker whose logins, certificate and authorities are files of the folder."""

    def __init__(self, home: Path, secrets: Secrets) -> None:
        port = choose(())
        super().__init__(home, port, choose((port,)), print)
        self.secrets = secrets
        self._folder, self._running = home, ExitStack()

    def prepare(self) -> None:
        super().prepare()
        rights = (kafka.HERE / "kafka.rights.properties").read_text()
        with (self._folder / "kafka.properties").open("a") as file:
            file.write(rights + TLS.format(secrets=self.secrets.root))

    def command(self) -> Sequence[str]:
        *java, program, properties = super().command()
        return [*java, f"-Djava.security.auth.login.config={self.secrets.root}/kafka/jaas.conf", program, properties]

    @contextmanager
    def up(self) -> Iterator[Broker]:
        """Run the broker, with the users and topics of the platform."""
        with self._running:
            self.restart()
            for job in (("users", "ensure"), ("topics", "ensure", "--profile", "local")):
                done = self.job(*job)
                assert done.exit_code == 0, done.output
            yield self

    def restart(self) -> None:
        self._running.close()
        self._running.enter_context(running(self, self._folder, STOPPING_SECONDS))

    def job(self, *arguments: str, password: Path | None = None) -> Result:
        """Run a command as the administrator, with the password of now or another one."""
        settings = {
            "KAFKA": self.where, "KAFKA_USER": "admin", "KAFKA_MECHANISM": "PLAIN",
            "KAFKA_PASSWORD_FILE": str(password or self.secrets.root / "kafka/passwords/admin"),
            "KAFKA_PASSWORDS": str(self.secrets.root / "kafka/passwords"),
            "KAFKA_CA_FILE": str(self.secrets.root / "tls/ca.crt"),
        }  # fmt: skip
        return throughline(None, *arguments, **{f"THROUGHLINE_{name}": value for name, value in settings.items()})

    def access(
        self, user: str, password: str, mechanism: Mechanism = "SCRAM-SHA-512", authorities: Path | None = None
    ) -> KafkaAccess:
        tls = Tls(authorities or self.secrets.root / "tls/ca.crt")
        return KafkaAccess(self.where, user, SecretStr(password), mechanism, tls)

    def publish(self, value: bytes, authorities: Path | None = None) -> list[bytes | None]:
        """Publish a record as a service does, with the password of now, and return all records of its topic."""
        password = self.secrets.read(f"kafka/passwords/{USER}")
        return asyncio.run(_publish(self.access(USER, password, authorities=authorities), value))

    def refusal(self, access: KafkaAccess) -> str:
        """Return why the broker refuses an access; empty where it does not."""
        try:
            asyncio.run(raise_if_refused(KafkaError(), access))
        except KafkaRefused as refusal:
            return str(refusal)
        return ""

    def are_trusted(self, authorities: Path) -> bool:
        try:
            self.publish(b"synthetic", authorities)
        except KafkaError:
            if "is of an unknown CA" not in self.refusal(self.access(USER, "none", authorities=authorities)):
                raise
            return False
        return True


async def _publish(access: KafkaAccess, value: bytes) -> list[bytes | None]:
    async with AIOKafkaProducer(**access.client()) as producer:
        await producer.send_and_wait(TOPIC, value, key=b"synthetic")
    return [record.value async for record in read_topic(access, TOPIC)]


class Member(MongoDB):
    """A member of a replica set of several, whose key, certificate and authorities are files of the folder."""

    def __init__(self, home: Path, secrets: Secrets, port: int) -> None:
        super().__init__(home, port, "", print)
        self.name, self.secrets = home.name, secrets
        self.key = secrets.root / "mongodb/key"

    def command(self) -> Sequence[str]:
        command = [*super().command()]
        command[command.index("--keyFile") + 1] = str(self.key)
        return [
            *command,
            *("--tlsMode", "requireTLS", "--tlsCAFile", str(self.secrets.root / "tls/ca.crt")),
            *("--tlsCertificateKeyFile", str(self.secrets.root / "tls/mongodb.pem")),
            "--tlsAllowConnectionsWithoutCertificates",
        ]

    def await_ready(self, child: Child) -> None:
        """Wait until it answers; whether it belongs to a set, its callers ask."""
        wait_until(child, lambda: self.hello() is not None)

    def hello(self) -> dict[str, Any] | None:
        try:
            with self.client("") as client:
                return client.admin.command("hello")
        except PyMongoError:
            return None

    def client(self, credentials: str | None = None, authorities: Path | None = None) -> Client:
        """Return a client of this member alone: of the administrator, unless other credentials are given."""
        if credentials is None:
            credentials = f"admin:{self.secrets.read('mongodb/passwords/admin')}@"
        trusted = authorities or self.secrets.root / "tls/ca.crt"
        uri = f"mongodb://{credentials}{self.where}/?tls=true&tlsCAFile={trusted}"
        return MongoClient(uri, directConnection=True, serverSelectionTimeoutMS=5_000)

    def view(self) -> dict[str, dict[str, Any]]:
        """Return what this member knows of each member, by its address."""
        with self.client() as client:
            return {each["name"]: each for each in client.admin.command("replSetGetStatus")["members"]}


class ReplicaSet:
    """A set of three members."""

    def __init__(self, home: Path, secrets: Secrets) -> None:
        self.secrets = secrets
        ports: list[int] = []
        for _ in range(MEMBERS):
            ports.append(choose(ports))
        self.members = [Member(home / f"member-{number}", secrets, port) for number, port in enumerate(ports)]
        self._home = home
        self._running = {member.name: ExitStack() for member in self.members}

    @contextmanager
    def up(self) -> Iterator[ReplicaSet]:
        """Run the members as one set, with its administrator."""
        with ExitStack() as every:
            for member in self.members:
                every.enter_context(self._running[member.name])
                self.restart_one(member)
            self._initiate()
            yield self

    def _initiate(self) -> None:
        hosts = [{"_id": number, "host": member.where} for number, member in enumerate(self.members)]
        with self.members[0].client("") as anonymous:
            set_of_three = {"_id": "throughline", "members": hosts, "settings": QUICK}
            anonymous.admin.command("replSetInitiate", set_of_three)
        until(lambda: any((member.hello() or {}).get("isWritablePrimary") for member in self.members))
        primary = next(each for each in self.members if (each.hello() or {}).get("isWritablePrimary"))
        with primary.client("") as anonymous:
            password = self.secrets.read("mongodb/passwords/admin")
            anonymous.admin.command("createUser", "admin", pwd=password, roles=["root"])
        until(self.is_whole)

    def restart_one(self, member: Member) -> None:
        self._running[member.name].close()
        self._running[member.name].enter_context(running(member, self._home, STOPPING_SECONDS))

    def restart(self) -> None:
        """Restart one member after another, each once the set is whole and has what was written."""
        for member in self.members:
            self.restart_one(member)
            until(self.is_whole)
            self.write(MEMBERS)

    def is_whole(self) -> bool:
        """Tell whether each member hears all others, and one of them is primary."""
        try:
            return all(
                sorted(each["stateStr"] for each in member.view().values() if each["health"] == 1)
                == ["PRIMARY", *["SECONDARY"] * (MEMBERS - 1)]
                for member in self.members
            )
        except PyMongoError:
            return False

    def write(self, members: int, timeout_ms: int = 60_000) -> int:
        """Store a document in so many members, and return how many there are. Raises WTimeoutError."""
        with self._client(self.secrets.root / "tls/ca.crt") as client:
            stored = client.synthetic.get_collection("synthetic", write_concern=WriteConcern(members, timeout_ms))
            stored.insert_one({})
            return stored.count_documents({})

    def are_trusted(self, authorities: Path) -> bool:
        try:
            for member in self.members:
                with member.client(authorities=authorities) as client:
                    client.admin.command("replSetGetStatus")
            with self._client(authorities) as client:
                client.synthetic.synthetic.insert_one({})
        except ServerSelectionTimeoutError as failure:
            if "certificate verify failed" not in str(failure):
                raise
            return False
        return True

    def _client(self, authorities: Path) -> Client:
        hosts = ",".join(member.where for member in self.members)
        password = self.secrets.read("mongodb/passwords/admin")
        uri = f"mongodb://admin:{password}@{hosts}/?replicaSet=throughline&tls=true&tlsCAFile={authorities}"
        return MongoClient(uri)
