"""Passwords replaced by generated ones: on the server first, then in the file or store that services read."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pymongo import MongoClient

from tools.client.stack_home import database
from tools.files import NotAFile, give_as, read_json, read_named, write_json, write_named

PASSWORD_LIMIT = 10_000
SELECTION_MS = 10_000
SetPasswords = Callable[[Mapping[str, str]], None]


class Passwords(Protocol):
    """The place that services read their passwords from, with room for those that are not in force yet."""

    def propose(self, users: Sequence[str]) -> dict[str, str]:
        """Store a new password for each user, or return those that an interrupted rotation stored."""

    def accept(self, users: Sequence[str]) -> None:
        """Replace the passwords of these users by the proposed ones."""


def rotate(passwords: Passwords, users: Sequence[str], set_passwords: SetPasswords) -> None:
    """Replace the passwords of users. Interrupted, it can be run again: no password is known to the server alone."""
    set_passwords(passwords.propose(users))
    passwords.accept(users)


@dataclass(frozen=True)
class Folder:
    """A folder with one file for each user, which holds its password."""

    folder: Path

    def propose(self, users: Sequence[str]) -> dict[str, str]:
        """Write the new passwords beside the present ones. Raises NotAFile."""
        if absent := [user for user in users if not (self.folder / user).exists()]:
            raise NotAFile(f"{self.folder} has no password of {', '.join(absent)}: name the folder that services use")
        for user in users:
            if not self._new(user).exists():
                write_named(self._new(user), secrets.token_urlsafe(24) + "\n")
            give_as(self._new(user), self.folder / user)
        return {
            user: read_named(self._new(user), PASSWORD_LIMIT).decode(errors="replace").rstrip("\r\n") for user in users
        }

    def accept(self, users: Sequence[str]) -> None:
        """Put the new passwords in the place of the present ones. Raises NotAFile."""
        for user in users:
            try:
                self._new(user).replace(self.folder / user)
            except OSError as fault:
                raise NotAFile(f"{self.folder / user} cannot be written ({type(fault).__name__})") from None

    def _new(self, user: str) -> Path:
        return self.folder / f"{user}.new"


@dataclass(frozen=True)
class Secrets:
    """The passwords in a local stack's secrets, by the name of their member there."""

    home: Path
    member: str

    def propose(self, users: Sequence[str]) -> dict[str, str]:
        """Store the new passwords beside the present ones."""
        stored = read_json(self._file)
        proposed = stored.get(self._new, {}) | {
            user: secrets.token_urlsafe(24) for user in users if user not in stored.get(self._new, {})
        }
        write_json(self._file, stored | {self._new: proposed})
        return {user: proposed[user] for user in users}

    def accept(self, users: Sequence[str]) -> None:
        """Put the new passwords in the place of the present ones."""
        stored = read_json(self._file)
        proposed = stored.pop(self._new)
        accepted = stored[self.member] | {user: proposed.pop(user) for user in users}
        write_json(self._file, stored | {self.member: accepted} | ({self._new: proposed} if proposed else {}))

    @property
    def _file(self) -> Path:
        return self.home / "secrets.json"

    @property
    def _new(self) -> str:
        return f"{self.member}.new"


def set_in_mongodb(uri: str, passwords: Mapping[str, str]) -> None:
    """Set the passwords of the services' users in MongoDB; their roles stay. Raises PyMongoError."""
    with MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=SELECTION_MS) as client:
        for service, password in passwords.items():
            client[database(service)].command("updateUser", service, pwd=password)
