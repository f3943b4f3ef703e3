"""`throughline audit witness`: cosignatures on the checkpoints of an export."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from shared.tlog.notes import COSIGNATURE, NotAKey, Signer
from tools.audit.bundle import SMALL_LIMIT, Bundle, NotReadable
from tools.audit.witness import WillNotVouch, Witness
from tools.cli.audit.options import AcceptBreak, Folder, Keys, accepted_breaks, trusted
from tools.client.errors import BadInput, Failure, exits
from tools.files import NotAFile, read_named
from tools.render.console import Console

console = Console()


def witness(
    folder: Folder,
    signing: Annotated[Path, typer.Option("--with", metavar="FILE", help="The witness's private key.")],
    memory: Annotated[
        Path,
        typer.Option(
            "--memory",
            metavar="FILE",
            help="File of the checkpoints that this witness has cosigned; created if absent.",
        ),
    ],
    key: Keys = None,
    accept_break: AcceptBreak = None,
) -> None:
    """Cosign the newest checkpoints of an export, each where it continues what this witness saw before.

    Example: throughline audit witness export --with witness.key --memory witness.json

    A log that was lost and restored goes on under another origin: it is cosigned if the old log's key signed the
    declared break, and if what this witness saw is not called lost. The old log is never cosigned again.

    The cosignatures are written into the export; keep key and memory in another office than the platform's.

    Exit code: 0 when every log was cosigned; 1 when one does not continue what was seen, and then none was; 2 for bad
    input.
    """
    with exits():
        try:
            signer = Signer.parse(read_named(signing, SMALL_LIMIT).decode(errors="replace"))
            if signer.kind != COSIGNATURE:
                raise NotAKey("it is not a witness's key")
            bundle = Bundle(folder)
            office = Witness(signer, memory, trusted(key).logs, accepted_breaks(accept_break, bundle))
            vouched = office.vouch(bundle, datetime.now(UTC))
        except (NotAFile, NotAKey, NotReadable) as fault:
            raise BadInput(f"{signing}: {fault}" if isinstance(fault, NotAKey) else str(fault)) from None
        except WillNotVouch as refusal:
            raise Failure(f"Not cosigned. {refusal}") from None
        for each in vouched:
            seen = (
                f", of which {each.before} were seen before" if each.before is not None else ", seen for the first time"
            )
            if each.continues is not None:
                seen = f"{seen}, in {each.continues}, which it continues after a declared break"
            console.print(f"{each.checkpoint.origin}: {each.checkpoint.size} events{seen}: cosigned", soft_wrap=True)
