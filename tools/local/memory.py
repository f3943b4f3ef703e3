"""What a stack remembers under its home: ports, passwords, and the processes that run."""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.client.stack_home import StackHome
from tools.files import read_json, write_json
from tools.local import ports
from tools.local.processes import Child, end_stranger, identity

PORTS = ("kafka", "kafka_controller", "mongodb", "smtp", "nominations", "meetings", "recommendations", "notifications")


class Memory(StackHome):
    """The files stack.json (where everything is) and secrets.json (passwords, private)."""

    @property
    def lock(self) -> Path:
        """Held by the process that runs the stack, for as long as it does."""
        return self.home / "stack.lock"

    def _note(self, **facts: Any) -> None:
        write_json(self._file, self._recall() | facts)

    def keep_free_ports(self) -> dict[str, int]:
        """The remembered ports, and new ones for those that were never chosen or that a stranger took."""
        chosen = {name: port for name, port in self.ports().items() if ports.is_free(port)}
        for name in PORTS:
            if name not in chosen:
                chosen[name] = ports.choose(chosen.values())
        self._note(ports=chosen)
        return chosen

    def note_servers(self, kafka: str, mongodb_admin_uri: str) -> None:
        """Keep where Kafka and MongoDB are; the URI holds a password, so it lies with the secrets."""
        self._note(kafka=kafka)
        write_json(self._secrets, read_json(self._secrets) | {"mongodb_admin_uri": mongodb_admin_uri})

    def password(self, user: str) -> str:
        """The password of a user of MongoDB, made when it is first asked for."""
        known = read_json(self._secrets).get("passwords", {})
        if user not in known:
            known[user] = secrets.token_urlsafe(24)
            write_json(self._secrets, read_json(self._secrets) | {"passwords": known})
        return str(known[user])

    def note_owner(self, services: Sequence[str]) -> None:
        """Keep which process runs the stack, so that another one can find it, and with which services."""
        owner = {"pid": os.getpid(), "begun": identity(os.getpid())}
        self._note(owner=owner, services=list(services), processes={})

    def note_processes(self, children: Sequence[Child]) -> None:
        """Keep what runs, so that the next owner can end what this one could not."""
        running = [child for child in children if child.running()]
        self._note(processes={child.name: {"pid": child.pid, "begun": identity(child.pid)} for child in running})

    def forget_owner(self) -> None:
        """Note that nothing runs any more."""
        self._note(owner=None, processes={})

    def processes(self) -> dict[str, int]:
        """The ids of the noted processes that still run."""
        noted = self._recall().get("processes", {})
        return {name: each["pid"] for name, each in noted.items() if identity(each["pid"]) == each["begun"]}

    def owner(self) -> tuple[int, str] | None:
        """The process that runs the stack, and when it began."""
        noted = self._recall().get("owner")
        return (noted["pid"], noted["begun"]) if noted and identity(noted["pid"]) == noted["begun"] else None

    def end_leftovers(self) -> list[str]:
        """End what an earlier owner left running; name it."""
        noted = self._recall().get("processes", {})
        ended = [name for name, each in noted.items() if end_stranger(each["pid"], each["begun"])]
        self.forget_owner()
        return ended
