"""The circumstances of a measurement: machine, time and load."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from tools.files import CHECKOUT


def machine() -> list[str]:
    """Return the machine and the servers, as lines of text."""
    hardware = f"{_processor()}, {os.cpu_count()} cores, {_memory_gb():.0f} GB"
    return [
        f"machine: {hardware}; {platform.system()} {platform.release()}; Python {platform.python_version()}",
        "servers: Kafka 4.4.0 and MongoDB 6.0.5 on this machine, which also runs what is measured",
    ]


class Started:
    """The start of a part: its time, and the load of the machine."""

    def __init__(self) -> None:
        self._began = datetime.now(UTC)
        self._load = os.getloadavg()[0]

    def circumstances(self) -> str:
        """Return the period from the start to now, the commit, and the load, as text."""
        load = f"{self._load:.1f} at the start, {os.getloadavg()[0]:.1f} at the end"
        return f"{self._began:%Y-%m-%d %H:%M} to {datetime.now(UTC):%H:%M} UTC; commit {_commit()}; load average {load}"


def _commit() -> str:
    command = ["git", "-C", str(CHECKOUT), "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
