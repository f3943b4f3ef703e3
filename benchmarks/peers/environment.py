"""Each peer's own environment: made once in the cache folder from its hash-pinned requirements."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.local.cache import cache_folder
from tools.local.messages import CannotStart

HERE = Path(__file__).parent
POSTGRES = Path("/usr/lib/postgresql/15/bin")


def python_of(peer: str) -> Path:
    """Return the Python of a peer's environment, created if it is missing."""
    pins = HERE / peer / "requirements.lock"
    folder = cache_folder() / f"peer-{peer}-{hashlib.sha256(pins.read_bytes()).hexdigest()[:12]}"
    python, ready = folder / "bin/python", folder / "ready"
    if not ready.exists():
        shutil.rmtree(folder, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(folder)], peer)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        _run([*install, "--no-deps", "--only-binary", ":all:", "-r", str(pins)], peer)
        ready.touch()
    return python


def postgres() -> Path:
    """Return the folder of PostgreSQL 15's programs. Raises CannotStart where there is none."""
    folder = Path(os.environ.get("THROUGHLINE_POSTGRES_BIN", POSTGRES))
    if not (folder / "initdb").exists():
        raise CannotStart(
            f"The peer on PostgreSQL 15 needs its programs, and {folder} has none: apt-get install postgresql\n"
            "(or set THROUGHLINE_POSTGRES_BIN to the folder of initdb and pg_ctl, or leave the peers out: --parts)."
        )
    return folder


def _run(command: list[str], peer: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CannotStart(f"the environment of the peer {peer} could not be made:\n{done.stderr[-2_000:]}")
