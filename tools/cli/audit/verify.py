"""`throughline audit verify`: an export verified offline, from its files alone."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from tools.audit.bundle import Bundle, NotReadable
from tools.audit.report import as_json, as_text
from tools.audit.verifying import verify as verify_bundle
from tools.cli.audit.options import AcceptBreak, Folder, Keys, accepted_breaks, trusted
from tools.client.connection import Format
from tools.client.errors import REFUSED, BadInput, exits
from tools.client.progress import bar
from tools.render.terminal import print_json, print_line


def verify(
    folder: Folder,
    key: Keys = None,
    witness: Annotated[
        list[str] | None,
        typer.Option("--witness", metavar="VKEY", help="A witness's key; may be given more than once."),
    ] = None,
    since: Annotated[
        Path | None, typer.Option("--since", metavar="OLD_DIR", help="An earlier export that this one must continue.")
    ] = None,
    accept_break: AcceptBreak = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=64, help="Processes; default: chosen by the size of the export.")
    ] = None,
    shown_as: Format = "text",
) -> None:
    """Verify an export offline: signatures, trees, checkpoints, the chain of every stream, schemas, links.

    Example: throughline audit verify export --key "$KEY" --since export-2025

    It needs the folder and nothing else. Without --key the keys are those that the folder names; the answer says so.
    A log that was lost and restored goes on under another origin, after a declared break (docs/backup.md): give the key
    of the old log too. A break that no key of the old log signed is a fault, for anybody may declare one.

    Exit code: 0 when everything holds; 1 when anything does not, naming the first position, stream and version and what
    is wrong there; 2 when it is no bundle, a key is none, or no such break is in it.
    """
    with exits():
        bundle, keys = Bundle(folder), trusted(key, witness)
        keys = replace(keys, accepted_breaks=accepted_breaks(accept_break, bundle))
        try:
            with bar(f"Verifying {folder}") as advance:
                done = verify_bundle(bundle, keys, Bundle(since) if since else None, advance, jobs)
        except NotReadable as fault:
            raise BadInput(str(fault)) from None
    if shown_as == "json":
        print_json(as_json(done))
    else:
        for line in as_text(done):
            print_line(line)
    if not done.holds:
        raise typer.Exit(REFUSED)
