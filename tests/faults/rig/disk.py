"""A small file system for MongoDB, in memory, that can be filled."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEGABYTE = 1024 * 1024


class CannotBreak(Exception):
    """A missing permission that a fault needs; the rig skips no fault silently."""


class Disk:
    """A tmpfs mounted on a folder."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder = folder
        self._megabytes = megabytes

    @contextmanager
    def mounted(self) -> Iterator[None]:
        """Mount it during a block. Raises CannotBreak if this user may not mount."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        done = _run("mount", "-t", "tmpfs", "-o", f"size={self._megabytes}m,mode=0700", "tmpfs", str(self.folder))
        if done.returncode != 0:
            raise CannotBreak(
                "A full disk is one of the faults, and the rig cannot mount a file system for it "
                f"({done.stderr.strip()}): run the rig as root, or in a container that may mount."
            )
        try:
            yield
        finally:
            _run("umount", "--lazy", str(self.folder))

    @contextmanager
    def full(self) -> Iterator[None]:
        """Leave almost no space during a block."""
        self._resize(f"{_used(self.folder) // 1024 + 64}k")
        try:
            yield
        finally:
            self._resize(f"{self._megabytes}m")

    def _resize(self, size: str) -> None:
        done = _run("mount", "-t", "tmpfs", "-o", f"remount,size={size}", "tmpfs", str(self.folder))
        if done.returncode != 0:
            raise CannotBreak(f"The disk cannot be resized: {done.stderr.strip()}")


def _used(folder: Path) -> int:
    status = os.statvfs(folder)
    return (status.f_blocks - status.f_bfree) * status.f_frsize


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)
