"""Passwords replaced by generated ones: on the server first, then in the file or store that services read."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pymongo.errors import OperationFailure

from tools.client.mongodb_client import connect
from tools.client.stack_home import database
from tools.deployment.mongodb import ADMINISTRATOR, AUTHENTICATION_FAILED, with_password
from tools.deployment.passwords import read_password
from tools.files import NotAFile, alone_in, give_as, read_json, sentence, sync_folder, write_json, write_named

SetPasswords = Callable[[Mapping[str, str]], None]


class Passwords(Protocol):
    """The place that services read their passwords from, with room for those that are not in force yet."""

    def alone(self) -> AbstractContextManager[None]:
        """Keep other rotations of these passwords waiting. Raises NotAFile."""

    def propose(self, users: Sequence[str]) -> dict[str, str]:
        """Store a new password for each user, or return those that an interrupted rotation stored."""

    def accept(self, users: Sequence[str]) -> None:
        """Replace the passwords of these users by the proposed ones."""


def rotate(passwords: Passwords, users: Sequence[str], set_passwords: SetPasswords) -> None:
    """Replace the passwords of users. Interrupted, it can be run again: no password is known to the server alone.

    Of two at once one waits for the other: else a password might be set that another one's file replaces.
    """
    each_once = [*dict.fromkeys(users)]
    with passwords.alone():
        set_passwords(passwords.propose(each_once))
        passwords.accept(each_once)


@dataclass(frozen=True)
class Folder:
    """A folder with one file for each user, which holds its password."""

    folder: Path

    def alone(self) -> AbstractContextManager[None]:
        """Keep other rotations in this folder waiting. Raises NotAFile."""
        return alone_in(self.folder)

    def propose(self, users: Sequence[str]) -> dict[str, str]:
        """Write the new passwords beside the present ones. Raises NotAFile."""
        if absent := [user for user in users if not os.path.exists(self.folder / user)]:
            raise NotAFile(f"{self.folder} has no password of {', '.join(absent)}: name the folder that services use")
        for user in users:
            if not os.path.exists(self._new(user)):
                write_named(self._new(user), secrets.token_urlsafe(24) + "\n")
            give_as(self._new(user), self.folder / user)
        return {user: read_password(self._new(user), "remove it, and run this again") for user in users}

    def accept(self, users: Sequence[str]) -> None:
        """Put the new passwords in the place of the present ones. Raises NotAFile."""
        for user in users:
            try:
                self._new(user).replace(self.folder / user)
                sync_folder(self.folder)
            except OSError as fault:
                raise NotAFile(sentence(self.folder / user, "written", fault)) from None

    def _new(self, user: str) -> Path:
        return self.folder / f"{user}.new"


@dataclass(frozen=True)
class Secrets:
    """The passwords in a local stack's secrets, by the name of their member there."""

    home: Path
    member: str

    def alone(self) -> AbstractContextManager[None]:
        """Keep other rotations of this stack waiting. Raises NotAFile."""
        return alone_in(self.home)

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
    """Set the passwords of the services' users in MongoDB, or of the administrator; roles stay. Raises PyMongoError.

    After an interrupted rotation the administrator may have the new password already.
    """
    try:
        _set_in_mongodb(uri, passwords)
    except OperationFailure as failure:
        if failure.code != AUTHENTICATION_FAILED or ADMINISTRATOR not in passwords:
            raise
        _set_in_mongodb(with_password(uri, passwords[ADMINISTRATOR]), passwords)


def _set_in_mongodb(uri: str, passwords: Mapping[str, str]) -> None:
    with connect(uri) as client:
        for user in sorted(passwords, key=lambda user: user == ADMINISTRATOR):
            base = ADMINISTRATOR if user == ADMINISTRATOR else database(user)
            client[base].command("updateUser", user, pwd=passwords[user])
