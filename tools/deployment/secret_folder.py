"""A folder of files with the owner and mode that their readers need: made once, completed later, never overwritten."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from shared.runtime.regular_file import read_text
from tools.deployment.messages import CannotStart
from tools.files import NotAFile, alone_in, remove_partials, replacing

Outcome = Literal["made", "put right", "there"]
FOLDER_MODE = 0o755
HOW = (
    "only root may give files to the users that read them. Run it in the image, which needs no root here: docker "
    "compose -f deploy/compose.yaml run --rm init; or, where another system hands the files out, with --no-owners"
)
RESTORE = "restore it from the backup of the secrets; if nothing was started with it yet, remove it, and run this again"


def _is_not_empty(content: str) -> None:
    if not content.strip():
        raise ValueError("is empty")


class SecretFile(NamedTuple):
    """A file: its path in the folder, the user that reads it, its mode, what makes its content, and what checks it."""

    path: str
    owner: int
    make: Callable[[], str]
    mode: int = 0o400
    check: Callable[[str], object] = _is_not_empty
    """Raises ValueError for content that cannot be used, in words that go on after the file's name."""
    cure: str = RESTORE
    """The remedy for such content."""


class SecretFolder:
    """The folder; without owners, files belong to whoever runs this, with the modes that their readers need."""

    def __init__(self, root: Path, *, owners: bool = True) -> None:
        self.root, self._owners = root, owners

    def read(self, path: str, check: Callable[[str], object] | None = None, cure: str = RESTORE) -> str:
        """Read a file of the folder; with a check, its content is there and can be used. Raises CannotStart."""
        try:
            content = read_text(self.root / path)
        except UnicodeDecodeError:
            raise CannotStart(f"{self.root / path} is no text in UTF-8: {RESTORE}") from None
        except OSError as fault:
            raise CannotStart(_why(self.root / path, fault)) from None
        if check is not None:
            try:
                _is_not_empty(content)
                check(content)
            except ValueError as fault:
                raise CannotStart(f"{self.root / path} {fault}: {cure}") from None
        return content

    def check(self) -> None:
        """Refuse before anything is written, where files could not be given to their owners. Raises CannotStart."""
        if self._owners and os.geteuid() != 0:
            raise CannotStart(f"{self.root}: {HOW}")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Make the folder, and keep others who complete it waiting. Raises CannotStart."""
        try:
            self._make_folders(self.root)
            with alone_in(self.root):
                yield
        except NotAFile as fault:
            raise CannotStart(str(fault)) from None
        except OSError as fault:
            raise CannotStart(_why(self.root, fault)) from None

    def ensure(self, file: SecretFile) -> Outcome:
        """Make a file that is absent; give one that is there its owner and mode. Raises CannotStart."""
        path = self.root / file.path
        try:
            self._make_folders(path.parent)
            if path.is_symlink() or (path.exists() and not path.is_file()):
                raise CannotStart(f"{path} is no file: remove it, and run this again")
            if not path.exists():
                self._write(path, file.make(), file.mode, (file.owner, file.owner) if self._owners else None)
                return "made"
            self.read(file.path, file.check, file.cure)
            return self._put_right(path, file)
        except OSError as fault:
            raise CannotStart(_why(path, fault)) from None

    def replace(self, path: str, content: str) -> None:
        """Replace the content of a file, of which owner and mode stay. Raises CannotStart."""
        self.add(path, content, like=path)

    def add(self, path: str, content: str, *, like: str) -> None:
        """Write a file with the owner, group and mode of another. Raises CannotStart."""
        present = self.root / like
        try:
            now = present.stat()
            self._write(self.root / path, content, stat.S_IMODE(now.st_mode), (now.st_uid, now.st_gid))
        except OSError as fault:
            raise CannotStart(_why(present, fault)) from None

    def _make_folders(self, folder: Path) -> None:
        for each in [*reversed(folder.relative_to(self.root).parents), folder.relative_to(self.root)]:
            if not (path := self.root / each).is_dir():
                path.mkdir(parents=True, exist_ok=True)
                path.chmod(FOLDER_MODE)  # whatever the umask

    def _write(self, path: Path, content: str, mode: int, owner: tuple[int, int] | None) -> None:
        """Write beside it, and put it in its place: a file is there whole, with owner and mode, or not at all."""
        remove_partials(path)
        with replacing(path) as written:
            written.write(content.encode())
            os.fchmod(written.fileno(), mode)
            if owner is not None:
                os.fchown(written.fileno(), *owner)

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


def _why(path: Path, fault: OSError) -> str:
    """Return why a file cannot be made, and what to do: only rights are a question of who runs this."""
    forbidden = fault.errno in (errno.EPERM, errno.EACCES)
    cure = HOW if forbidden else "mend that, and run this again: what is made already stays"
    return f"{path}: {fault.strerror}: {cure}"
