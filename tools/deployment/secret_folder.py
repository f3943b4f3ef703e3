"""A folder of files with the owner and mode that their readers need: made once, completed later, never overwritten."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from tools.deployment.messages import CannotStart

Outcome = Literal["made", "put right", "there"]
FOLDER_MODE = 0o755
HOW = (
    "only root may give files to the users that read them. Run it in the image, which needs no root here: docker "
    "compose -f deploy/compose.yaml run --rm init; or, where another system hands the files out, with --no-owners"
)


class SecretFile(NamedTuple):
    """A file: its path in the folder, the user that reads it, its mode, and what makes its content."""

    path: str
    owner: int
    make: Callable[[], str]
    mode: int = 0o400


class SecretFolder:
    """The folder; without owners, files belong to whoever runs this, with the modes that their readers need."""

    def __init__(self, root: Path, *, owners: bool = True) -> None:
        self.root, self._owners = root, owners

    def read(self, path: str) -> str:
        """Read a file of the folder. Raises CannotStart."""
        try:
            return (self.root / path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as fault:
            raise CannotStart(f"{self.root / path}: {fault}") from None

    def check(self) -> None:
        """Refuse before anything is written, where files could not be given to their owners. Raises CannotStart."""
        if self._owners and os.geteuid() != 0:
            raise CannotStart(f"{self.root}: {HOW}")

    def ensure(self, file: SecretFile) -> Outcome:
        """Make a file that is absent; give one that is there its owner and mode. Raises CannotStart."""
        path = self.root / file.path
        try:
            self._make_folders(path.parent)
            if path.is_symlink() or (path.exists() and not path.is_file()):
                raise CannotStart(f"{path} is no file: remove it, and run this again")
            if not path.exists():
                self._write(path, file.make(), file.mode, file.owner if self._owners else None)
                return "made"
            return self._put_right(path, file)
        except OSError as fault:
            raise CannotStart(f"{path}: {fault.strerror}: {HOW}") from None

    def replace(self, path: str, content: str) -> None:
        """Replace the content of a file, of which owner and mode stay. Raises CannotStart."""
        self.add(path, content, like=path)

    def add(self, path: str, content: str, *, like: str) -> None:
        """Write a file with the owner and mode of another. Raises CannotStart."""
        present = self.root / like
        try:
            now = present.stat()
            self._write(self.root / path, content, stat.S_IMODE(now.st_mode), now.st_uid)
        except OSError as fault:
            raise CannotStart(f"{present}: {fault.strerror}: {HOW}") from None

    def _make_folders(self, folder: Path) -> None:
        for each in [*reversed(folder.relative_to(self.root).parents), folder.relative_to(self.root)]:
            if not (path := self.root / each).is_dir():
                path.mkdir(parents=True)
                path.chmod(FOLDER_MODE)  # whatever the umask

    def _write(self, path: Path, content: str, mode: int, owner: int | None) -> None:
        """Write beside it, and rename: a file is there whole, with owner and mode, or not at all."""
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "w", encoding="utf-8") as written:
                written.write(content)
                written.flush()
                os.fsync(descriptor)
                os.fchmod(descriptor, mode)
                if owner is not None:
                    os.fchown(descriptor, owner, owner)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    def _put_right(self, path: Path, file: SecretFile) -> Outcome:
        now = path.stat()
        changed = False
        if self._owners and (now.st_uid, now.st_gid) != (file.owner, file.owner):
            os.chown(path, file.owner, file.owner)
            changed = True
        if stat.S_IMODE(now.st_mode) != file.mode:
            path.chmod(file.mode)
            changed = True
        return "put right" if changed else "there"
