"""`throughline audit keygen`: a signing key of a log or of a witness."""

import os
from pathlib import Path
from typing import Annotated

import typer

from shared.events.services import SERVICES
from shared.tlog.keys import LogKeys, origin_of
from shared.tlog.notes import COSIGNATURE, NotAKey, Signer
from tools.audit.bundle import SMALL_LIMIT
from tools.cli.options import service_named
from tools.client.errors import BadInput, exits
from tools.client.stack_home import PUBLIC_KEYS
from tools.files import NotAFile, look_at_file, read_named, replace_named, write_named
from tools.render.terminal import print_line


def keygen(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="File to write the private key to, mode 0600.")],
    service: Annotated[str | None, typer.Option(help=f"Service whose log it signs: {', '.join(SERVICES)}.")] = None,
    deployment: Annotated[str, typer.Option(help="The deployment's name, part of each log's origin.")] = "local",
    witness: Annotated[
        str | None, typer.Option(metavar="NAME", help="A witness's key instead, under this name.")
    ] = None,
    rotate: Annotated[bool, typer.Option("--rotate", help="Replace the key in FILE.")] = False,
    drop_retired: Annotated[
        bool,
        typer.Option("--drop-retired", help="Drop the replaced private key, after key_rotated in the service's log."),
    ] = False,
) -> None:
    """Make a key that signs a log, or that a witness vouches with; print its public part.

    Example: throughline audit keygen meetings.key --service meetings --deployment escap

    A log's key is replaced in three steps: --rotate writes a new key and keeps the old one beside it; the service,
    restarted with that file, publishes the rotation, signed by both, and logs key_rotated; --drop-retired drops the old
    private key, without which nobody can sign that rotation. Readers follow a rotation by themselves. A replaced file
    has the owner and mode of the old one. A file public.vkeys beside FILE that has the old public key gets the new one
    too: with it an export is verified.

    Exit code: 0; 2 for bad input, an existing file without --rotate included.
    """
    with exits():
        if service is not None:
            service_named(service)
        if (service is None) == (witness is None):
            raise BadInput(f"Give --service (one of {', '.join(SERVICES)}) or --witness NAME.")
        if rotate and drop_retired:
            raise BadInput("Give --rotate, then restart the service, then --drop-retired.")
        there = os.path.lexists(out)
        if not there:
            look_at_file(out)
        if there != (rotate or drop_retired):
            raise BadInput(f"{out} exists: give --rotate to replace its key." if there else f"{out} is not there.")
        try:
            if witness is not None:
                if rotate or drop_retired:
                    raise BadInput("A witness's key is not rotated: make another one.")
                signer = Signer.generate(witness, COSIGNATURE)
                text = f"{signer.skey}\n"
            else:
                origin = origin_of(deployment, str(service))
                keys = _changed(out, origin, rotate) if there else LogKeys(Signer.generate(origin))
                signer, text = keys.signer, keys.text()
                if rotate:
                    _add_public_key(out.with_name(Path(PUBLIC_KEYS).name), keys)
        except NotAKey as fault:
            raise BadInput(f"{out}: {fault}") from None
        except NotAFile as fault:
            raise BadInput(f"{fault}.") from None
        (replace_named if there else write_named)(out, text)
        print_line(signer.verifier.vkey)


def _add_public_key(file: Path, keys: LogKeys) -> None:
    """Add the signing key before the one that it replaces, in a file that has that one."""
    if not file.is_file():
        return
    text = read_named(file, SMALL_LIMIT).decode(errors="replace")
    replaced = keys.retired[0].vkey
    if replaced in text.split():
        replace_named(file, text.replace(replaced, f"{keys.signer.verifier.vkey}\n{replaced}"))


def _changed(file: Path, origin: str, rotate: bool) -> LogKeys:
    """Return the keys of a file with a new one, or without the replaced private one. Raises NotAKey, BadInput."""
    keys = LogKeys.parse(read_named(file, SMALL_LIMIT).decode(errors="replace"), origin)
    if not rotate:
        return keys.without_retiring()
    if keys.retiring is not None:
        raise BadInput(
            f"{file}: the last rotation is not finished: restart the service, wait for key_rotated in its log, "
            "then --drop-retired."
        )
    return keys.rotated()
