"""The download cache, outside git: each folder is named after its pins and appears complete or not at all."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tools.files import Locked, locked
from tools.local.messages import Say


def cache_folder() -> Path:
    """Return THROUGHLINE_CACHE, else the folder throughline in the user's own cache folder."""
    if configured := os.environ.get("THROUGHLINE_CACHE"):
        return Path(configured).resolve()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "throughline"


def cached(name: str, pins: Path) -> Path:
    """Return the cached folder for a file of pins, whether it is there or not."""
    return cache_folder() / f"{name}-{hashlib.sha256(pins.read_bytes()).hexdigest()[:12]}"


def fill_once(name: str, pins: Path, fill: Callable[[Path], None], say: Say) -> Path:
    """Return the cached folder for a file of pins; `fill` makes its content if it is absent."""
    cache, folder = cache_folder(), cached(name, pins)
    if folder.is_dir():
        return folder
    with _lock(cache / f"{name}.lock", say):
        for leftover in cache.glob(f".{name}-*"):
            shutil.rmtree(leftover)
        with tempfile.TemporaryDirectory(dir=cache, prefix=f".{name}-") as partial:
            if not folder.is_dir():
                content = Path(partial) / "content"
                content.mkdir()
                fill(content)
                content.rename(folder)
    return folder


@contextmanager
def _lock(path: Path, say: Say) -> Iterator[None]:
    """Hold a lock; report it when another process holds it and this one must wait."""
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(path, wait=False))
        except Locked:
            say(f"waiting for another process to fetch {path.stem} ...")
            stack.enter_context(locked(path, wait=True))
        yield
