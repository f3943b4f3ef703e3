"""A real Kafka and a real MongoDB that speak TLS, with certificates of an authority of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pymongo import MongoClient

from shared.runtime.kafka_access import KafkaAccess
from shared.runtime.tls import Tls
from tests.certificates import Authority
from tools.deployment import kafka_users, topics
from tools.local.kafka import Kafka, Listener, Passwords
from tools.local.mongodb import MongoDB
from tools.local.ports import choose
from tools.local.processes import end, spawn
from tools.local.server import Server

LOOPBACK = "127.0.0.1"
PASSWORDS = Passwords("Synthetic password of the broker", "Synthetic password of the administrator")
LISTENERS = ("password", "certificate", "elsewhere")
NAMES = ("kafka", "kafka_controller", "mongodb", *LISTENERS)
SECURE = """\
listener.security.protocol.map=CLIENTS:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT,\
PASSWORD:SASL_SSL,CERTIFICATE:SSL,ELSEWHERE:SASL_SSL
ssl.truststore.type=PEM
ssl.truststore.location={authority}
ssl.keystore.type=PEM
ssl.keystore.location={server}
listener.name.elsewhere.ssl.keystore.type=PEM
listener.name.elsewhere.ssl.keystore.location={elsewhere}
listener.name.certificate.ssl.client.auth=required
listener.name.certificate.ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/,DEFAULT
"""


class SecureKafka(Kafka):
    """A broker with listeners for users by TLS, for certificates, and one whose certificate is for another host."""

    def __init__(self, home: Path, authority: Authority, ports: dict[str, int]) -> None:
        self.ports, self.authority, self._folder = ports, authority, home
        listeners = {
            name.upper(): Listener(ports[name], ports[name]) for name in ("password", "certificate", "elsewhere")
        }
        super().__init__(home, ports["kafka"], ports["kafka_controller"], print, listeners, PASSWORDS)

    def prepare(self) -> None:
        super().prepare()
        files = {"authority": self.authority.file, "server": self.authority.issue("kafka", LOOPBACK).both}
        with (self._folder / "kafka.properties").open("a", encoding="utf-8") as file:
            file.write(SECURE.format(**files, elsewhere=self.authority.issue("elsewhere", "192.0.2.1").both))

    def access(self, listener: str = "password", user: str | None = "meetings", **tls: Path) -> KafkaAccess:
        """Return the access of a user with its password through one of the listeners."""
        files = Tls(**({"ca_file": self.authority.file} | tls))
        return KafkaAccess(
            f"{LOOPBACK}:{self.ports[listener]}", user, SecretStr(f"Synthetic password of {user}"), tls=files
        )

    @property
    def administrator(self) -> KafkaAccess:
        """The administrator, who logs in by TLS."""
        files = Tls(self.authority.file)
        return KafkaAccess(f"{LOOPBACK}:{self.ports['password']}", "admin", SecretStr(PASSWORDS.admin), "PLAIN", files)

    def make_users(self) -> None:
        """Make the declared users and topics through TLS."""
        kafka_users.ensure(self.administrator, {user: f"Synthetic password of {user}" for user in kafka_users.users()})
        topics.ensure(self.administrator)


class SecureMongoDB(MongoDB):
    """A replica set of one member that takes no connection without TLS."""

    def __init__(self, home: Path, authority: Authority, port: int) -> None:
        super().__init__(home, port, "Synthetic-password", print)
        self.authority = authority
        self.admin_uri += f"&tls=true&tlsCAFile={authority.file}"

    def command(self) -> Sequence[str]:
        return [
            *super().command(),
            *("--tlsMode", "requireTLS", "--tlsCAFile", str(self.authority.file)),
            *("--tlsCertificateKeyFile", str(self.authority.issue("mongodb", LOOPBACK).both)),
            "--tlsAllowConnectionsWithoutCertificates",
        ]

    def _connect(self, credentials: str = "") -> MongoClient[dict[str, Any]]:
        uri = f"mongodb://{credentials}{self.where}/?tls=true&tlsCAFile={self.authority.file}"
        return MongoClient(uri, directConnection=True, serverSelectionTimeoutMS=2000)


def ports() -> dict[str, int]:
    """Return a free port for each listener of the servers."""
    chosen: dict[str, int] = {}
    for name in NAMES:
        chosen[name] = choose(chosen.values())
    return chosen


@contextmanager
def running(server: Server, folder: Path, grace: float = 0) -> Iterator[None]:
    """Run a server until the end of the block, and kill it where it has not ended after the grace period."""
    server.prepare()
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("THROUGHLINE_")}
    child = spawn(server.name, server.command(), folder / f"{server.name}.log", inherited | dict(server.environment()))
    try:
        server.await_ready(child)
        yield
    finally:
        end([child], grace)
