"""`throughline backup`: MongoDB's files copied while nothing changes them, and what is in no export saved apart."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from shared.events.services import SERVICES
from tools.cli.named_mongodb import ADMIN_MONGODB, password_option, uri_option, with_password_of
from tools.client.connection import Home
from tools.client.errors import BadInput, Failure, Unreachable, exits, say
from tools.client.mongodb_errors import mongodb_answers
from tools.client.stack_home import DEFAULT_HOME, StackHome
from tools.deployment import persons_backup
from tools.deployment.persons_backup import COLLECTIONS
from tools.deployment.standstill import LockedAlready, ReleasedMeanwhile, Stopped, held_still
from tools.deployment.standstill import release as unlock
from tools.files import NotAFile
from tools.render.terminal import print_line

What = Literal["persons", "documents"]
Server = Annotated[
    str | None,
    uri_option(
        "THROUGHLINE_BACKUP_MONGODB",
        "MongoDB, as a user with the roles hostManager and readWriteAnyDatabase; else the local stack's.",
    ),
]
PasswordFile = Annotated[Path | None, password_option("THROUGHLINE_BACKUP_MONGODB", ADMIN_MONGODB)]
Apart = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of its own, apart from other backups.")]


def hold(
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="The command that copies the files.")],
    mongodb: Server = None,
    password_file: PasswordFile = None,
    home: Home = DEFAULT_HOME,
) -> None:
    """Hold MongoDB still while a command copies its data folder, or snapshots its volume.

    Example: throughline backup hold -- cp -a .throughline/mongodb/data /backup/2026-11-29

    Reads go on; commands wait, and are taken once it is released: so copy fast, by a snapshot of the volume or from a
    secondary (its URI with directConnection=true). It is released however the command ends.

    Exit code: 0 when the command ended with 0 and nothing was written meanwhile; 1 when it failed, or the server is
    held already, or was released meanwhile; 2 for bad input; 3 when MongoDB does not answer; 143 when it was ended by
    SIGTERM, 129 by SIGHUP.
    """
    with exits(), _answering():
        try:
            with held_still(_uri(mongodb, password_file, home)):
                began = time.monotonic()
                ended = subprocess.run(command, check=False).returncode
                seconds = time.monotonic() - began
        except LockedAlready:
            raise Failure(
                "MongoDB is held already: another backup runs, or one was killed (throughline backup release)."
            ) from None
        except ReleasedMeanwhile:
            raise Failure(
                "No backup: MongoDB was released or started again while its files were copied, so that the copy may "
                "be torn. Remove it, and run this again."
            ) from None
        except Stopped as stopped:
            say(f"No backup: stopped by {stopped}. MongoDB was released.")
            raise typer.Exit(128 + stopped.number) from None
        except OSError as fault:
            raise BadInput(f"{command[0]}: {fault.strerror}.") from None
        if ended:
            raise Failure(f"No backup: {command[0]} ended with {ended}. MongoDB was released.")
        print_line(f"Copied: MongoDB was held still for {seconds:.1f} s.")


def release(mongodb: Server = None, password_file: PasswordFile = None, home: Home = DEFAULT_HOME) -> None:
    """Release a MongoDB that a killed backup left held.

    Example: throughline backup release

    Exit code: 0 when it is not held any more; 3 when MongoDB does not answer.
    """
    with exits(), _answering():
        print_line("Released." if unlock(_uri(mongodb, password_file, home)) else "It was not held.")


def save(
    folder: Apart,
    what: Annotated[What, typer.Option(help="Keys of persons and the list of staff, or uploaded documents.")],
    mongodb: Server = None,
    password_file: PasswordFile = None,
    home: Home = DEFAULT_HOME,
) -> None:
    """Save what no export and no topic holds: the keys of persons and the list of staff, or uploaded documents.

    Example: throughline backup save /backup-of-keys --what persons

    The files are as mongodump writes them. Keys open every name in every other backup: keep them apart, for at most 35
    days, and replace them after each erasure (docs/privacy.md). A file that holds what the database lacks is never
    replaced: after a loss the folder may be the only copy.

    Exit code: 0 when it is saved; 2 for bad input; 3 when MongoDB does not answer.
    """
    with exits(), _answering():
        _print(persons_backup.save(_uri(mongodb, password_file, home), SERVICES, COLLECTIONS[what], folder), "saved")


def load(folder: Apart, mongodb: Server = None, password_file: PasswordFile = None, home: Home = DEFAULT_HOME) -> None:
    """Load what was saved apart, into databases that lack it: before any service starts.

    Example: throughline backup load /backup-of-keys

    Nothing that is there is changed, but that a person who was erased, here or when it was saved, is erased. So it may
    be run again, and several backups may be loaded in any order.

    Exit code: 0 when it is loaded; 1 when a person has another key than the saved one; 2 for bad input; 3 when MongoDB
    does not answer.
    """
    with exits(), _answering():
        loaded = persons_backup.load(_uri(mongodb, password_file, home), SERVICES, folder)
        _print({name: each.added for name, each in loaded.items()}, "added")
        _print({name: each.erased for name, each in loaded.items() if each.erased}, "erased, as they were when saved")
        _print({name: each.differing for name, each in loaded.items() if each.differing}, "there, and left as they are")
        if lost := sum(
            each.differing for name, each in loaded.items() if name.endswith(f".{persons_backup.KEYS}.bson")
        ):
            raise Failure(
                f"{lost} persons have another key than the saved one: a service ran before this command and made new "
                "ones, or this is the backup of another deployment. What was encrypted with the saved keys stays "
                "closed. If nothing was recorded of them since: stop the services, remove these persons from the "
                "collections keys, and run this again (docs/backup.md, drill 3)."
            )


def _print(counts: dict[str, int], done: str) -> None:
    for name, count in counts.items():
        print_line(f"{name}: {count} {done}")


@contextmanager
def _answering() -> Iterator[None]:
    try:
        with mongodb_answers():
            yield
    except NotAFile as fault:
        raise BadInput(f"{fault}.") from None


def _uri(mongodb: str | None, password_file: Path | None, home: Path) -> str:
    try:
        return with_password_of(mongodb, password_file) if mongodb else StackHome(home).servers()[1]
    except LookupError:
        raise Unreachable("Nothing says where MongoDB is: name it (--mongodb URI), or start a stack.") from None
