"""Options and keys that the audit commands share."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from shared.tlog.notes import NotAKey, NotANote, Verifier
from tools.audit.breaks import declared_breaks
from tools.audit.bundle import Bundle, NotReadable
from tools.audit.signatures import TrustedKeys
from tools.client.errors import BadInput
from tools.client.printable import printable

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of an export bundle.")]
Keys = Annotated[
    list[str] | None,
    typer.Option(
        "--key", metavar="VKEY", help="A log's key that you have from elsewhere; may be given more than once."
    ),
]
Witnesses = Annotated[
    list[str] | None,
    typer.Option(
        "--witness", metavar="VKEY", help="A witness's key: its cosignature is asked for; may be given more than once."
    ),
]
AcceptBreak = Annotated[
    list[str] | None,
    typer.Option(
        "--accept-break",
        metavar="ORIGIN",
        help="Accept the declared break of this lost log although no key of it signed that.",
    ),
]


def trusted(keys: Sequence[str] | None, witnesses: Sequence[str] | None = None) -> TrustedKeys:
    """Parse verifier keys of logs and of witnesses. Raises BadInput."""
    try:
        logs = TrustedKeys.of(Verifier.parse(key) for key in keys or ())
        vouching = TrustedKeys.of(Verifier.parse(key) for key in witnesses or ())
    except NotAKey as fault:
        raise BadInput(f"--key, --witness: {fault}") from None
    if logs.witnesses or vouching.logs:
        raise BadInput("A log's key is given with --key, a witness's with --witness.")
    return TrustedKeys(logs.logs, vouching.witnesses)


def accepted_breaks(origins: Sequence[str] | None, bundle: Bundle) -> tuple[str, ...]:
    """Return the lost logs whose breaks are accepted. Raises BadInput for one of which the bundle declares no break."""
    try:
        declared = declared_breaks(bundle) if origins else []
    except (NotReadable, NotANote):
        return tuple(origins or ())  # whoever checks the bundle says what is wrong with it
    for origin in origins or ():
        if origin not in declared:
            raise BadInput(
                f"--accept-break {printable(origin)}: the export declares no break of that log; "
                f"those of which it does: {', '.join(map(printable, declared)) or 'none'}."
            )
    return tuple(origins or ())
