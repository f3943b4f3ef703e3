"""Packages of the npm registry, by npm itself, each checked against the integrity that is pinned in git."""

import base64
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

NPM = ("npm",)


class CannotPack(Exception):
    """A package that npm cannot fetch, or whose bytes are not those pinned; the message says why."""


def pack(package: str, integrity: str, npm: Sequence[str] = NPM, environment: dict[str, str] | None = None) -> bytes:
    """Fetch the tarball of `name@version` and compare it with its integrity. Raises CannotPack."""
    program = shutil.which(npm[0])
    if program is None:
        raise CannotPack(f"{package} is fetched by npm, and npm is not on the PATH: apt-get install npm")
    with tempfile.TemporaryDirectory() as folder:
        command = [program, *npm[1:], "pack", "--silent", "--pack-destination", folder, package]
        process = subprocess.run(
            command, cwd=folder, env=os.environ | (environment or {}), capture_output=True, text=True, check=False
        )
        tarballs = list(Path(folder).glob("*.tgz"))
        if process.returncode != 0 or len(tarballs) != 1:
            raise CannotPack(f"npm could not fetch {package}:\n{process.stderr.strip()[-2000:]}")
        tarball = tarballs[0].read_bytes()
    digest = integrity_of(tarball)
    if digest != integrity:
        raise CannotPack(f"{package}: the registry served {digest}, git pins {integrity}. Nothing of it was used.")
    return tarball


def integrity_of(content: bytes) -> str:
    """Compute the SHA-512 of bytes as npm's lock files write it."""
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
