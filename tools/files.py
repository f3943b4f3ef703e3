"""Files: written atomically, private if they hold secrets; those of others read and written within bounds."""

import errno
import fcntl
import glob
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from shared.runtime.regular_file import read_text

CHECKOUT = Path(__file__).resolve().parents[1]


def write(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace a file atomically; it is on the disk when this returns."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with replacing(path, mode) as file:
        file.write(text.encode())


@contextmanager
def replacing(path: Path, mode: int = 0o600) -> Iterator[BinaryIO]:
    """Write a file beside another and put it in its place at the end; after a failure nothing is left of it."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)  # of a process that was killed: in a container all have the same number
    try:
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        sync_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, so that none is lost with the power."""
    descriptor = os.open(folder, _FOLDER)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, content: Any) -> None:
    """Replace a private JSON file atomically."""
    write(path, json.dumps(content, indent=2) + "\n")


class NotAFile(Exception):
    """A file that cannot be read or written as it must be; the message names it and says why."""


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; return {} if the file is absent. Raises NotAFile where it holds anything else."""
    try:
        content = json.loads(read_text(path))
    except FileNotFoundError:
        return {}
    except OSError as fault:
        raise NotAFile(sentence(path, "read", fault)) from None
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise NotAFile(f"{path} is spoilt: it holds no JSON object; restore it, or remove it if nothing rests on it")
    return content


class TooLarge(NotAFile):
    """A file with more bytes than one of its kind may have."""


def write_named(path: Path, text: str) -> None:
    """Replace a private file that a person named, atomically. Raises NotAFile."""
    try:
        write(path, text)
    except (OSError, ValueError) as fault:
        raise NotAFile(sentence(path, "written", fault)) from None


def make_folder(folder: Path) -> None:
    """Make a private folder where there is none. Raises NotAFile."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as fault:
        raise NotAFile(sentence(folder, "made", fault)) from None


def give_as(new: Path, present: Path) -> None:
    """Give a new file owner and mode of the present one, so that the same user reads it. Raises NotAFile."""
    try:
        owner, own = present.stat(), new.stat()
        if (owner.st_uid, owner.st_gid) != (own.st_uid, own.st_gid):
            os.chown(new, owner.st_uid, owner.st_gid)
        new.chmod(stat.S_IMODE(owner.st_mode))
    except OSError as fault:
        reason = f"{fault.strerror}: only root may give a file to the user that reads it"
        raise NotAFile(f"{new} cannot be given the owner of {present} ({reason})") from None


def replace_named(path: Path, text: str) -> None:
    """Replace a private file that a person named, atomically, for the same reader. Raises NotAFile."""
    new = path.with_name(f".{path.name}.new")
    write_named(new, text)
    try:
        give_as(new, path)
        new.replace(path)
    except OSError as fault:
        raise NotAFile(sentence(path, "written", fault)) from None
    finally:
        new.unlink(missing_ok=True)


def look_at_folder(folder: Path) -> None:
    """Check that a folder can be written, or be made, before any work is done for it. Raises NotAFile."""
    there = next((each for each in (folder, *folder.absolute().parents) if os.path.lexists(each)), folder)
    if not os.path.isdir(there):
        raise NotAFile(f"{there} is not a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise NotAFile(f"{there} cannot be written by you")


def look_at_file(path: Path) -> None:
    """Check that a file can be written, before any work is done for it. Raises NotAFile."""
    look_at_folder(path.parent)
    if os.path.isdir(path):
        raise NotAFile(f"{path} is a folder: name a file")


def read_named(path: Path, limit: int) -> bytes:
    """Read a regular file of at most `limit` bytes that a person named; it may be a link. Raises NotAFile."""
    try:
        return _content(os.open(path, _READ), path, limit)
    except (OSError, ValueError) as fault:
        raise NotAFile(sentence(path, "read", fault)) from None


def read_below(folder: Path, name: str, limit: int) -> bytes:
    """Read a regular file of at most `limit` bytes below a folder, without following a link. Raises NotAFile."""
    path = folder / name
    try:
        with _parent_of(folder, name) as (parent, last):
            return _content(os.open(last, _READ | os.O_NOFOLLOW, dir_fd=parent), path, limit)
    except (OSError, ValueError) as fault:
        raise NotAFile(sentence(path, "read", fault)) from None


def names_below(folder: Path, name: str) -> list[str]:
    """List the names in a folder below a folder, without following a link. Raises NotAFile."""
    try:
        with _parent_of(folder, f"{name}/.") as (descriptor, _):
            return os.listdir(descriptor)
    except (OSError, ValueError) as fault:
        raise NotAFile(sentence(folder / name, "read", fault)) from None


def write_below(folder: Path, name: str, content: bytes) -> None:
    """Replace a file below a folder atomically, making folders, without following a link. Raises NotAFile."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _parent_of(folder, name, make=True) as (parent, last):
            partial = f".{last}.{os.getpid()}"
            with suppress(FileNotFoundError):
                os.unlink(partial, dir_fd=parent)
            try:
                with open(os.open(partial, _CREATE, 0o666, dir_fd=parent), "wb") as file:
                    file.write(content)
                os.replace(partial, last, src_dir_fd=parent, dst_dir_fd=parent)
            except OSError:
                with suppress(OSError):
                    os.unlink(partial, dir_fd=parent)
                raise
    except (OSError, ValueError) as fault:
        raise NotAFile(sentence(folder / name, "written", fault)) from None


def remove_below(folder: Path, name: str) -> None:
    """Remove a file below a folder and its folder if it is then empty, following no link. Raises NotAFile."""
    try:
        with _parent_of(folder, name) as (parent, last):
            os.unlink(last, dir_fd=parent)
        above = name.rpartition("/")[0]
        with suppress(OSError), _parent_of(folder, above) as (parent, last):
            os.rmdir(last, dir_fd=parent)
    except FileNotFoundError:
        return
    except (OSError, ValueError) as fault:
        raise NotAFile(sentence(folder / name, "removed", fault)) from None


_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@contextmanager
def _parent_of(folder: Path, name: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
    """Open the folder of a file below another folder, step by step; yield its descriptor and the file's name."""
    *above, last = name.split("/")
    if not last or any(part in ("", ".", "..") for part in above) or last == "..":
        raise ValueError("the name leads out of its folder")
    descriptor = os.open(folder, _FOLDER)
    try:
        for part in above:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(part, dir_fd=descriptor)
            inner = os.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor, last
    finally:
        os.close(descriptor)


def _content(descriptor: int, path: Path, limit: int) -> bytes:
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise NotAFile(f"{path} is not a regular file")
        if status.st_size > limit:
            raise TooLarge(f"{path} has {status.st_size} bytes, and such a file has at most {limit}")
        return file.read(min(limit, status.st_size))


def sentence(path: Path, done: str, fault: OSError | ValueError) -> str:
    """Return in words that a file cannot be read, written or removed, and why."""
    if isinstance(fault, OSError):
        link = fault.errno in (errno.ELOOP, errno.ENOTDIR)
        why = "a symbolic link, or no folder where one must be" if link else fault.strerror or type(fault).__name__
    else:
        why = str(fault)
    return f"{path} cannot be {done} ({why})"


def remove_partials(path: Path) -> None:
    """Remove what killed processes left beside a file, for one that holds the lock of its folder. Raises OSError."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*"):
        left.unlink(missing_ok=True)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other process works in a folder, and keep others waiting; the lock leaves no file. Raises NotAFile.

    A file system without such locks, as some network ones are, goes without.
    """
    try:
        descriptor = os.open(folder, _FOLDER)
    except OSError as fault:
        raise NotAFile(sentence(folder, "read", fault)) from None
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class Locked(Exception):
    """A lock that another process holds."""


@contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[None]:
    """Hold a lock file; the system releases it when this process ends, however it ends. Raises Locked."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise Locked(path) from None
        yield
    finally:
        os.close(descriptor)
