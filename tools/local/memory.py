"""Stored state of a stack: its ports, passwords and running processes."""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shared.events.services import SERVICES
from shared.runtime.kafka_access import KafkaAccess
from tools.client.stack_home import StackHome
from tools.files import read_json, write_json
from tools.local import ports
from tools.local.processes import Child, end_stranger, identity

PORTS = ("kafka", "kafka_controller", "mongodb", "smtp", "issuer", "console", *SERVICES)


class Memory(StackHome):
    """The files stack.json (addresses and processes) and secrets.json (passwords, private)."""

    @property
    def lock(self) -> Path:
        """Lock file of the process that runs the stack."""
        return self.home / "stack.lock"

    def _update(self, **fields: Any) -> None:
        write_json(self._file, self._load() | fields)

    def keep_free_ports(self) -> dict[str, int]:
        """Return a port for each name: the stored one if it is free, else a new one."""
        chosen = {name: port for name, port in self.ports().items() if ports.is_free(port)}
        for name in PORTS:
            if name not in chosen:
                chosen[name] = ports.choose(chosen.values())
        self._update(ports=chosen)
        return chosen

    def note_mongodb(self, admin_uri: str) -> None:
        """Store the address of MongoDB; the URI holds a password, so it goes to the secrets."""
        write_json(self._secrets, read_json(self._secrets) | {"mongodb_admin_uri": admin_uri})

    def note_kafka(self, admin: KafkaAccess, users: Sequence[str]) -> None:
        """Store the administrator's access to Kafka, and a password for each user that has rights of its own there."""
        self._update(kafka=admin.bootstrap)
        known = self.kafka_passwords()
        passwords = {user: known.get(user) or secrets.token_urlsafe(24) for user in users}
        stored = admin.settings()
        fields = {"kafka_passwords": passwords, "kafka_administrator": stored}
        write_json(self._secrets, read_json(self._secrets) | fields)

    def password(self, user: str) -> str:
        """Return the password of a user of MongoDB or of a broker, generated at the first call."""
        passwords = read_json(self._secrets).get("passwords", {})
        if user not in passwords:
            passwords[user] = secrets.token_urlsafe(24)
            write_json(self._secrets, read_json(self._secrets) | {"passwords": passwords})
        return str(passwords[user])

    def note_owner(self, services: Sequence[str]) -> None:
        """Store this process as the owner of the stack, and the services that it runs."""
        owner = {"pid": os.getpid(), "begun": identity(os.getpid())}
        self._update(owner=owner, services=list(services), processes={})

    def note_processes(self, children: Sequence[Child]) -> None:
        """Store the running processes, so that the next owner can end those that outlive this one."""
        running = [child for child in children if child.running()]
        self._update(processes={child.name: {"pid": child.pid, "begun": identity(child.pid)} for child in running})

    def forget_owner(self) -> None:
        """Store that no process runs."""
        self._update(owner=None, processes={})

    def processes(self) -> dict[str, int]:
        """Return the ids of the stored processes that still run, by name."""
        processes = self._load().get("processes", {})
        return {name: each["pid"] for name, each in processes.items() if identity(each["pid"]) == each["begun"]}

    def owner(self) -> tuple[int, str] | None:
        """Return id and start time of the process that runs the stack; None if none does."""
        owner = self._load().get("owner")
        return (owner["pid"], owner["begun"]) if owner and identity(owner["pid"]) == owner["begun"] else None

    def end_leftovers(self) -> list[str]:
        """End the processes that an earlier owner left running, and return their names."""
        processes = self._load().get("processes", {})
        ended = [name for name, each in processes.items() if end_stranger(each["pid"], each["begun"])]
        self.forget_owner()
        return ended
