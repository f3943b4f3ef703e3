"""The secrets of one deployment: passwords, keys, certificates, and who reads each (docs/compose.md)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from cryptography.fernet import Fernet

from shared.events.services import SERVICES
from shared.tlog.keys import LogKeys, origin_of
from shared.tlog.notes import NotAKey, Signer
from tools.client import development, tokens
from tools.deployment import certificates, kafka_users, secret_checks
from tools.deployment.messages import CannotStart
from tools.deployment.mongodb import ADMINISTRATOR
from tools.deployment.passwords import password_in
from tools.deployment.secret_folder import Outcome, SecretFile, SecretFolder

ROOT, GRAFANA, MONGODB, KAFKA, THROUGHLINE = 0, 472, 999, 1000, 10001
"""Users of the images: of grafana/grafana, mongo, apache/kafka, and our own."""
READABLE = 0o444
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
LISTENERS = ("clients", "controller")
PUBLIC_KEYS, AUTHORITY, AUTHORITY_KEY = "log-keys/public.vkeys", "tls/ca.crt", "tls/ca.key"
LOCAL_NAMES = ("localhost", "127.0.0.1")
SERVERS = {
    "tls/kafka.pem": (KAFKA, ("kafka", "kafka-2", "kafka-3")),
    "tls/mongodb.pem": (MONGODB, ("mongo",)),
}
SIGN_IN = "sign-in"
CLIENTS = f"{SIGN_IN}/{development.CLIENTS_FILE}"
LOGINS, ADMINISTRATOR_OF_KAFKA = "kafka/jaas.conf", f"kafka/passwords/{ADMINISTRATOR}"


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
    with folder.alone():
        for file in _files(folder, deployment):
            outcome = folder.ensure(file)
            ensured.append(EnsuredFile(file, outcome, _remark(folder, file.path, deployment)))
    return ensured


def _files(folder: SecretFolder, deployment: Deployment) -> Iterator[SecretFile]:
    yield SecretFile("mongodb/key", MONGODB, new_mongodb_key)
    for user in (ADMINISTRATOR, *SERVICES):
        yield _password_file(f"mongodb/passwords/{user}")
    for user in (ADMINISTRATOR, *kafka_users.users()):
        yield _password_file(f"kafka/passwords/{user}")
    yield SecretFile(LOGINS, KAFKA, lambda: jaas(folder.read(ADMINISTRATOR_OF_KAFKA).strip()))
    yield from _log_keys(folder, deployment.name)
    yield SecretFile("actor_key", THROUGHLINE, new_password, check=secret_checks.key_of_actors)
    yield SecretFile("console_keys", THROUGHLINE, new_console_key, check=secret_checks.key_of_console)
    yield _password_file("grafana_password", GRAFANA)
    yield from _certificates(folder, deployment)
    if deployment.console is not None:
        yield from _sign_in(folder, deployment.console)


def _password_file(path: str, owner: int = THROUGHLINE) -> SecretFile:
    return SecretFile(path, owner, new_password, check=password_in)


def _log_keys(folder: SecretFolder, deployment: str) -> Iterator[SecretFile]:
    for service in SERVICES:
        make = partial(_log_key, deployment, service)
        yield SecretFile(f"log-keys/{service}.key", THROUGHLINE, make, check=secret_checks.key_of_log)
    yield SecretFile(PUBLIC_KEYS, ROOT, lambda: _public_keys(folder, deployment), READABLE)


def _certificates(folder: SecretFolder, deployment: Deployment) -> Iterator[SecretFile]:
    yield SecretFile(AUTHORITY_KEY, ROOT, certificates.new_key, check=secret_checks.private_key)
    make = partial(_authority, folder, deployment.name)
    yield SecretFile(AUTHORITY, ROOT, make, READABLE, secret_checks.certificate)
    for path, (owner, _) in SERVERS.items():
        make = partial(server_certificate, folder, _reached(path, deployment))
        yield SecretFile(path, owner, make, check=secret_checks.certificate, cure=secret_checks.RESTART)


def _reached(path: str, deployment: Deployment) -> tuple[str, ...]:
    """Return the names under which a server is reached."""
    return (*SERVERS[path][1], *LOCAL_NAMES, *deployment.names)


def _sign_in(folder: SecretFolder, console: str) -> Iterator[SecretFile]:
    """Yield the files of the development sign-in, at which people are made up and need no password."""
    key, is_json = f"{SIGN_IN}/{tokens.KEY_FILE}", secret_checks.json_object
    yield SecretFile(key, THROUGHLINE, lambda: _json(tokens.new_key()), check=is_json)
    public = f"{SIGN_IN}/{tokens.JWKS_FILE}"
    yield SecretFile(public, THROUGHLINE, lambda: _json(tokens.jwks(folder.root / key)), READABLE, is_json)
    yield SecretFile(CLIENTS, THROUGHLINE, lambda: _clients(console), READABLE, is_json)


def _remark(folder: SecretFolder, path: str, deployment: Deployment) -> str:
    """Return what an operator should know of a file that may be older than this run. Raises CannotStart."""
    if path == AUTHORITY:
        return secret_checks.remark_on_authority(folder.read(path))
    if path in SERVERS:
        return secret_checks.remark_on_server(folder.read(path), _reached(path, deployment), folder.read(AUTHORITY))
    if path == PUBLIC_KEYS and folder.read(path) != _public_keys(folder, deployment.name):
        return f"names other keys than those beside it: {secret_checks.AGAIN}"
    if path == CLIENTS and deployment.console and folder.read(path) != _clients(deployment.console):
        return f"names another console than {deployment.console}: {secret_checks.AGAIN}"
    if path == LOGINS and f'user_admin="{folder.read(ADMINISTRATOR_OF_KAFKA).strip()}"' not in folder.read(path):
        return f"has another password of admin than {ADMINISTRATOR_OF_KAFKA}: {secret_checks.RESTART}"
    return ""


def new_password() -> str:
    return secrets.token_urlsafe(32) + "\n"


def new_console_key() -> str:
    return Fernet.generate_key().decode() + "\n"


def new_mongodb_key() -> str:
    return secrets.token_urlsafe(384).replace("-", "+").replace("_", "/") + "\n"


def jaas(administrator: str) -> str:
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


def server_certificate(folder: SecretFolder, names: Sequence[str]) -> str:
    """Return certificate, authority and private key in one file, as Kafka and MongoDB read them. Raises CannotStart."""
    authority, authority_key = certificates.first(folder.read(AUTHORITY)), folder.read(AUTHORITY_KEY)
    if not certificates.belong_together(authority_key, authority):
        raise CannotStart(
            f"{AUTHORITY_KEY} is not the key of {AUTHORITY}, so that nobody would trust what it signs. Restore it from "
            "the backup of the secrets; if it is lost, run throughline rotate authority"
        )
    key = certificates.new_key()
    return certificates.server_certificate(key, names, authority_key, authority) + authority + key


def _authority(folder: SecretFolder, deployment: str) -> str:
    return certificates.authority(folder.read(AUTHORITY_KEY), deployment)


def _clients(console: str) -> str:
    development.check_loopback(console)
    return _json({development.CLIENT_ID: [console.rstrip("/")]})


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2) + "\n"
