"""Files that must be regular: to read a fifo waits for a writer for ever, and to read a device may never end."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

NOT_REGULAR = "it is not a regular file: put a file with the content in its place"


def check_regular(path: Path) -> None:
    """Refuse what is neither a regular file nor a link to one. Raises OSError."""
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, NOT_REGULAR, str(path))


def read_bytes(path: Path) -> bytes:
    """Return the content of a regular file. Raises OSError."""
    check_regular(path)
    return path.read_bytes()


def read_text(path: Path) -> str:
    """Return the text of a regular file. Raises OSError, UnicodeDecodeError."""
    check_regular(path)
    return path.read_text(encoding="utf-8")
