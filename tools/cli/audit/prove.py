"""`throughline audit prove`: the proof of one trace, in one file that is checked alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer

from shared.tlog.notes import NotANote
from tools.audit.bundle import Bundle, NotReadable
from tools.audit.proof_builder import CannotProve, from_bundle, from_services
from tools.cli.options import read_reference
from tools.client.connection import Connection, Home, Token
from tools.client.errors import BadInput, Failure, exits
from tools.client.progress import bar
from tools.client.services import Services
from tools.client.stack_home import DEFAULT_HOME
from tools.files import NotAFile, look_at_file, write_below
from tools.render.terminal import print_line


def prove(
    reference: Annotated[str, typer.Argument(help="As in CED/2022/R1.")],
    bundle: Annotated[Path | None, typer.Option("--from", metavar="DIR", help="An export; else the services.")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="File to write the proof to.")] = None,
    home: Home = DEFAULT_HOME,
    token: Token = None,
) -> None:
    """Prove one trace: every event that it rests on, with the proof that it lies under a signed checkpoint.

    Example: throughline audit prove CED/2022/R1 --out r1.proof.json

    The file holds the trace, its events, the checkpoints and the hashes between them; `throughline audit verify-proof`
    checks it alone. Without --out it is named after the reference.

    Exit code: 0 with the file; 1 when the trace is not on record, or not yet under a checkpoint; 2 for bad input; 3
    when a service does not answer.
    """
    with exits():
        read_reference(reference)
        file = out or Path(f"{reference.replace('/', '-')}.proof.json")
        look_at_file(file)
        try:
            raw = _offline(bundle, reference) if bundle else _live(Connection(home, token), reference)
        except CannotProve as why:
            raise Failure(f"Not proven: {why}.") from None
        except (NotReadable, NotANote) as fault:
            raise BadInput(f"{fault}.") from None
        try:
            write_below(file.parent, file.name, raw)
        except NotAFile as fault:
            raise BadInput(f"{fault}.") from None
        events = len(orjson.loads(raw)["events"])
        print_line(f"{file}: {reference} and the {events} events that it rests on, {len(raw)} bytes.")


def _offline(bundle: Path, reference: str) -> bytes:
    with bar("Replaying") as advance:
        return from_bundle(Bundle(bundle), reference, advance)


def _live(connection: Connection, reference: str) -> bytes:
    with Services(connection, "auditor") as services:
        return from_services(services, reference)
