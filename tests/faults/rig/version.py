"""Versions of the platform: this checkout, or an earlier commit with the packages that it pinned."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from tools.deployment import grants
from tools.files import CHECKOUT, locked
from tools.local.cache import cache_folder
from tools.local.stack import ALL_FOUR, Stack

GRANT = "import json, sys; from tools.local.grants import grant; grant(*json.load(sys.stdin))"


class NotInThisClone(Exception):
    """A commit that git does not have here; the message says how to get it."""


@dataclass(frozen=True)
class Version:
    """A folder with the code, and the settings that this code wants otherwise."""

    folder: Path = CHECKOUT
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def python(self) -> Path:
        """The interpreter that has the packages of this version."""
        return Path(sys.executable) if self.folder == CHECKOUT else self.folder / ".venv" / "bin" / "python"

    def prepare(self, stack: Stack) -> None:
        """Give an empty MongoDB the rights, collections and indexes of an earlier version, and no others."""
        if self.folder == CHECKOUT:
            return
        with MongoClient[dict[str, Any]](stack.mongodb_admin_uri) as client:
            for service in ALL_FOUR:
                client.drop_database(grants.database(service))
        passwords = {service: stack.memory.password(service) for service in ALL_FOUR}
        given = json.dumps([stack.mongodb_admin_uri, passwords])
        subprocess.run([self.python, "-c", GRANT], cwd=self.folder, input=given, text=True, check=True)
        code, output = self.ensure_indexes(stack)
        assert code == 0, output

    def ensure_indexes(self, stack: Stack) -> tuple[int, str]:
        """Run this version's `throughline indexes ensure`; return its exit code and what it printed."""
        command = [self.python.with_name("throughline"), "indexes", "ensure"]
        environment = {**os.environ, "THROUGHLINE_INDEXES_MONGODB": stack.mongodb_admin_uri, "COLUMNS": "400"}
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


CURRENT = Version()


def earlier(commit: str, **settings: str) -> Version:
    """Return an earlier version, from git and the download cache. Raises NotInThisClone."""
    archive = subprocess.run(["git", "archive", commit], cwd=CHECKOUT, capture_output=True, check=False)
    if archive.returncode != 0:
        raise NotInThisClone(
            f"git has no commit {commit} here ({archive.stderr.decode().strip()}): git fetch --unshallow"
        )
    folder = cache_folder() / f"version-{commit}"
    with locked(cache_folder() / f"version-{commit}.lock", wait=True):
        if not (folder / ".venv" / "ready").exists():
            folder.mkdir(parents=True, exist_ok=True)
            subprocess.run(["tar", "--extract"], cwd=folder, input=archive.stdout, check=True)
            inherited = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
            subprocess.run(
                ["make", ".venv/ready", f"PYTHON={sys.base_prefix}/bin/python3.{sys.version_info.minor}"],
                cwd=folder, env=inherited, check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
    return Version(folder, {f"THROUGHLINE_{name}": value for name, value in settings.items()})
