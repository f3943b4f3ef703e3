"""The tools that look at the files of deploy/: a missing one is a fault with the line to type, never a pass."""

from __future__ import annotations

import shutil
import sys
import sysconfig
from pathlib import Path


class Missing(Exception):
    """A tool that is not here; the message says how to get it."""


def compose() -> str:
    """Return the path of Docker Compose, from its wheel."""
    wheel = Path(sysconfig.get_path("purelib")) / "compose" / "docker-compose"
    if not wheel.is_file():
        raise Missing(f"{wheel} is missing: rm .venv/installed; make .venv/ready")
    return str(wheel)


def of_environment(name: str) -> str:
    """Return the path of a program that a wheel put into this environment."""
    program = Path(sys.executable).with_name(name)
    if not program.is_file():
        raise Missing(f"{program} is missing: rm .venv/installed; make .venv/ready")
    return str(program)


def of_machine(name: str, package: str) -> str:
    """Return the path of a program of this machine."""
    if (program := shutil.which(name)) is None:
        raise Missing(f"{name} is missing: apt-get install --no-install-recommends {package}")
    return program
