"""The home folder of a local stack, as its clients read it: ports, addresses, passwords."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from pydantic import SecretStr

from shared.runtime.kafka_access import KafkaAccess
from tools.files import CHECKOUT, read_json

READER = "reader"
DEFAULT_HOME = CHECKOUT / ".throughline"
PUBLIC_KEYS = "log-keys/public.vkeys"
DATABASE = "THROUGHLINE_DATABASE"


class StackHome:
    """The files stack.json (ports and processes) and secrets.json (passwords, private)."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._file = home / "stack.json"
        self._secrets = home / "secrets.json"

    def ports(self) -> dict[str, int]:
        """Return the port of each server and service; none where no stack was ever started."""
        ports: dict[str, int] = self._load().get("ports", {})
        return ports

    def servers(self) -> tuple[str, str]:
        """Return Kafka's bootstrap address and MongoDB's administrator URI. Raises LookupError where there are none."""
        try:
            return self._load()["kafka"], read_json(self._secrets)["mongodb_admin_uri"]
        except KeyError:
            raise LookupError(f"the stack in {self.home} was never started") from None

    def issuer(self) -> str | None:
        """Return the address of the development sign-in; None where the latest start had none."""
        port = self.ports().get("issuer")
        return f"http://127.0.0.1:{port}" if port else None

    def kafka(self, user: str = READER) -> KafkaAccess:
        """Return the access to Kafka of a service, or of a client that only reads. Raises LookupError where none is."""
        admin = self.kafka_admin()
        passwords = self.kafka_passwords()
        return KafkaAccess(admin.bootstrap, user, SecretStr(passwords[user]), tls=admin.tls) if passwords else admin

    def kafka_admin(self) -> KafkaAccess:
        """Return the access of Kafka's administrator, who may do everything. Raises LookupError where there is none."""
        stored = read_json(self._secrets).get("kafka_administrator", {"kafka": self.servers()[0]})
        return KafkaAccess.of_settings(stored)

    def kafka_passwords(self) -> dict[str, str]:
        """Return the passwords of the users that have rights of their own on Kafka; none where there are no rights."""
        passwords: dict[str, str] = read_json(self._secrets).get("kafka_passwords", {})
        return passwords

    def runs(self) -> bool:
        """Tell whether the process that noted itself as the owner of the stack still runs."""
        owner = self._load().get("owner")
        try:
            if owner is not None:
                os.kill(owner["pid"], 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return owner is not None

    def services(self) -> list[str]:
        """Return the services of the latest start."""
        services: list[str] = self._load().get("services", [])
        return services

    def password(self, user: str) -> str:
        """Return the password of a MongoDB user. Raises LookupError where it has none."""
        try:
            return str(read_json(self._secrets)["passwords"][user])
        except KeyError:
            raise LookupError(f"the stack in {self.home} was never started") from None

    def mongodb_uri(self, service: str) -> str:
        """Return the MongoDB URI of a service's own user. Raises LookupError where there is none."""
        return user_uri(self.servers()[1], service, self.password(service))

    def _load(self) -> dict[str, Any]:
        return read_json(self._file)


def database(service: str) -> str:
    """Return the name of the database that a service owns."""
    return f"throughline_{service}"


def service_of_environment() -> str | None:
    """Return the service whose settings the environment of this process holds."""
    from shared.events.services import SERVICES

    return next((name for name in SERVICES if os.environ.get(DATABASE) == database(name)), None)


def user_uri(admin_uri: str, service: str, password: str) -> str:
    """Return the administrator's URI, servers and options, with the user of one service."""
    parts = urlsplit(admin_uri)
    hosts = parts.netloc.rpartition("@")[2]
    options = dict(parse_qsl(parts.query)) | {"authSource": database(service)}
    return urlunsplit((parts.scheme, f"{service}:{quote(password, safe='')}@{hosts}", "/", urlencode(options), ""))
