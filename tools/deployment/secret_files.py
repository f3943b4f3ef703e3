"""The secrets of one deployment: passwords, keys, certificates, and who reads each (docs/compose.md)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from cryptography.fernet import Fernet

from shared.events.services import SERVICES
from shared.tlog.keys import LogKeys, origin_of
from shared.tlog.notes import NotAKey, Signer
from tools.client import development, tokens
from tools.deployment import certificates, kafka_users
from tools.deployment.messages import CannotStart
from tools.deployment.mongodb import ADMINISTRATOR
from tools.deployment.secret_folder import Outcome, SecretFile, SecretFolder

ROOT, GRAFANA, MONGODB, KAFKA, THROUGHLINE = 0, 472, 999, 1000, 10001
"""Users of the images: of grafana/grafana, mongo, apache/kafka, and our own."""
READABLE = 0o444
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
LISTENERS = ("clients", "controller")
PUBLIC_KEYS, AUTHORITY, AUTHORITY_KEY = "log-keys/public.vkeys", "tls/ca.crt", "tls/ca.key"
JAAS = "kafka/jaas.conf"
LOCAL_NAMES = ("localhost", "127.0.0.1")
SERVERS = {
    "tls/kafka.pem": (KAFKA, ("kafka", "kafka-2", "kafka-3")),
    "tls/mongodb.pem": (MONGODB, ("mongo",)),
}
SIGN_IN = "sign-in"
CLIENTS = f"{SIGN_IN}/{development.CLIENTS_FILE}"
ENDS_SOON = timedelta(days=30)


@dataclass(frozen=True)
class Deployment:
    """Names that the files hold: the deployment, further names of its servers, the console of a development sign-in."""

    name: str = "local"
    names: Sequence[str] = ()
    console: str | None = None
    """Address of the console that people reach by the development sign-in; None: they sign in elsewhere."""


class EnsuredFile(NamedTuple):
    """A file of the folder, what was done to it, and a remark for the operator."""

    file: SecretFile
    outcome: Outcome
    remark: str = ""


def ensure(folder: SecretFolder, deployment: Deployment) -> list[EnsuredFile]:
    """Make each file that is absent, in an order in which each finds those that it rests on. Raises CannotStart."""
    folder.check()
    ensured = []
    for file in _files(folder, deployment):
        outcome = folder.ensure(file)
        ensured.append(EnsuredFile(file, outcome, _remark(folder, file.path, deployment)))
    return ensured


def _files(folder: SecretFolder, deployment: Deployment) -> Iterator[SecretFile]:
    yield SecretFile("mongodb/key", MONGODB, _mongodb_key)
    for user in (ADMINISTRATOR, *SERVICES):
        yield SecretFile(f"mongodb/passwords/{user}", THROUGHLINE, _password)
    for user in (ADMINISTRATOR, *kafka_users.users()):
        yield SecretFile(f"kafka/passwords/{user}", THROUGHLINE, _password)
    yield SecretFile(JAAS, KAFKA, lambda: _jaas(folder.read("kafka/passwords/admin").strip()))
    yield from _log_keys(folder, deployment.name)
    yield SecretFile("actor_key", THROUGHLINE, _password)
    yield SecretFile("console_keys", THROUGHLINE, lambda: Fernet.generate_key().decode() + "\n")
    yield SecretFile("grafana_password", GRAFANA, _password)
    yield from _certificates(folder, deployment)
    if deployment.console is not None:
        yield from _sign_in(folder, deployment.console)


def _log_keys(folder: SecretFolder, deployment: str) -> Iterator[SecretFile]:
    for service in SERVICES:
        yield SecretFile(f"log-keys/{service}.key", THROUGHLINE, partial(_log_key, deployment, service))
    yield SecretFile(PUBLIC_KEYS, ROOT, lambda: _public_keys(folder, deployment), READABLE)


def _certificates(folder: SecretFolder, deployment: Deployment) -> Iterator[SecretFile]:
    yield SecretFile(AUTHORITY_KEY, ROOT, certificates.new_key)
    yield SecretFile(AUTHORITY, ROOT, partial(_authority, folder, deployment.name), READABLE)
    for path, (owner, names) in SERVERS.items():
        reached = (*names, *LOCAL_NAMES, *deployment.names)
        yield SecretFile(path, owner, partial(_server, folder, reached))


def _sign_in(folder: SecretFolder, console: str) -> Iterator[SecretFile]:
    """Yield the files of the development sign-in, at which people are made up and need no password."""
    key = f"{SIGN_IN}/{tokens.KEY_FILE}"
    yield SecretFile(key, THROUGHLINE, lambda: _json(tokens.new_key()))
    public = f"{SIGN_IN}/{tokens.JWKS_FILE}"
    yield SecretFile(public, THROUGHLINE, lambda: _json(tokens.jwks(folder.root / key)), READABLE)
    yield SecretFile(CLIENTS, THROUGHLINE, lambda: _clients(console), READABLE)


def _remark(folder: SecretFolder, path: str, deployment: Deployment) -> str:
    """Return what an operator should know of a file that may be older than this run. Raises CannotStart."""
    if path in (AUTHORITY, *SERVERS):
        return _end(folder, path)
    again = "remove it, and run this again"
    if path == PUBLIC_KEYS and folder.read(path) != _public_keys(folder, deployment.name):
        return f"names other keys than those beside it: {again}"
    if path == JAAS and f'user_admin="{folder.read("kafka/passwords/admin").strip()}"' not in folder.read(JAAS):
        return f"holds another password of the administrator: {again}, and restart Kafka"
    if path == CLIENTS and deployment.console and folder.read(path) != _clients(deployment.console):
        return f"names another console than {deployment.console}: {again}"
    return ""


def _end(folder: SecretFolder, path: str) -> str:
    """Return when a certificate ends, and what to do where that is soon. Raises CannotStart."""
    try:
        end = certificates.ends(folder.read(path))
    except ValueError:
        raise CannotStart(f"{path} is spoilt: it holds no certificate; remove it, and run this again") from None
    soon = end - datetime.now(UTC) < ENDS_SOON
    return f"ends on {end:%Y-%m-%d}" + (": remove it, run this again, restart its server" if soon else "")


def _password() -> str:
    return secrets.token_urlsafe(32) + "\n"


def _mongodb_key() -> str:
    return secrets.token_urlsafe(384).replace("-", "+").replace("_", "/") + "\n"


def _jaas(administrator: str) -> str:
    """Return the logins of the broker: its own, the administrator's, and SCRAM for everybody else.

    Broker and administrator are no users of SCRAM: a broker of version 4.4.0 may forget those at a restart.
    """
    own = secrets.token_urlsafe(32)
    plain = f'{PLAIN} required username="broker" password="{own}" user_broker="{own}" user_admin="{administrator}";'
    scram = f"{SCRAM} required;"
    return "".join(f"{name}.KafkaServer {{\n  {plain}\n  {scram}\n}};\n" for name in LISTENERS)


def _log_key(deployment: str, service: str) -> str:
    return LogKeys(Signer.generate(origin_of(deployment, service))).text()


def _public_keys(folder: SecretFolder, deployment: str) -> str:
    lines = []
    for service in SERVICES:
        path = f"log-keys/{service}.key"
        try:
            keys = LogKeys.parse(folder.read(path), origin_of(deployment, service))
        except NotAKey as fault:
            raise CannotStart(
                f"{path}: {fault}. Give the deployment's name by which it was made (--deployment)"
            ) from None
        lines += [key.vkey for key in keys.verifiers]
    return "".join(f"{line}\n" for line in lines)


def _server(folder: SecretFolder, names: Sequence[str]) -> str:
    """Return certificate, authority and private key in one file, as Kafka and MongoDB read them."""
    key, authority = certificates.new_key(), folder.read(AUTHORITY)
    own = certificates.server_certificate(key, names, folder.read(AUTHORITY_KEY), authority)
    return own + authority + key


def _authority(folder: SecretFolder, deployment: str) -> str:
    return certificates.authority(folder.read(AUTHORITY_KEY), deployment)


def _clients(console: str) -> str:
    development.check_loopback(console)
    return _json({development.CLIENT_ID: [console.rstrip("/")]})


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2) + "\n"
