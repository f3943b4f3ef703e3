"""On what machine, when, and how busy it was."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from tools.local.files import CHECKOUT


def circumstances(began: tuple[float, float, float]) -> list[str]:
    """Say what the figures depend on."""
    load = ", ".join(f"{each:.1f}" for each in began)
    ended = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    what = f"{_processor()}, {os.cpu_count()} cores, {_memory_gb():.0f} GB; {platform.system()} {platform.release()}"
    return [
        f"date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC; commit {_commit()}",
        f"machine: {what}; Python {platform.python_version()}",
        f"load average (1, 5, 15 minutes): {load} at the start, {ended} at the end",
        "servers: Kafka 4.4.0 and MongoDB 6.0.5 on this machine, which also runs what is measured",
    ]


def _commit() -> str:
    asked = ["git", "-C", str(CHECKOUT), "describe", "--always", "--dirty"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
