"""`throughline audit verify-proof`: the proof of one trace, checked with nothing but its file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from services.recommendations.trace import SHAPE
from tools.audit.proof import PROOF_LIMIT, CheckedProof, NotProven, check
from tools.cli.audit.options import Keys, Witnesses, trusted
from tools.client.connection import Format
from tools.client.errors import BadInput, Failure, exits
from tools.files import NotAFile, read_named
from tools.render.terminal import print_json, print_line


def verify_proof(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A proof.")],
    key: Keys = None,
    witness: Witnesses = None,
    shown_as: Format = "text",
) -> None:
    """Check a proof with nothing but the file: signatures, inclusion of every event, chains, and the trace itself.

    Example: throughline audit verify-proof r1.proof.json --key "$KEY"

    A trace that code of an earlier shape made is not compared, and is said to be so: its events are proven.

    Only an export shows that nothing was recorded after these events: throughline audit verify.

    Exit code: 0 when it holds; 1 when it does not, naming where; 2 for bad input.
    """
    with exits():
        try:
            pinned = trusted(key, witness)
            proven = check(read_named(file, PROOF_LIMIT), pinned)
        except NotAFile as fault:
            raise BadInput(f"{fault}.") from None
        except NotProven as why:
            raise Failure(f"NOT PROVEN: {why}.") from None
    if shown_as == "json":
        print_json(_as_json(proven) | {"keys_given": bool(pinned.logs)})
        return
    for service, checkpoint in proven.checkpoints.items():
        vouching = "".join(f", {each.witness.name} vouches for it" for each in proven.vouching[service])
        by = f"{proven.keys[service].name}+{proven.keys[service].key_id.hex()}"
        covered = f"{proven.events.get(service, 0)} events under the checkpoint of size {checkpoint.size}"
        print_line(f"{service}: {covered}, signed with {by}{vouching}")
    if not pinned.logs:
        print_line(
            "These keys are the file's own word. Compare them with those that you have from elsewhere, or give --key:"
        )
        for each in proven.keys.values():
            print_line(f"    {each.vkey}")
    events = f"{sum(proven.events.values())} events of {proven.streams} streams"
    if proven.trace is None:
        print_line(
            f"the trace: made by shape {proven.made_by_shape}, not compared; this program composes shape {SHAPE}"
        )
        print_line(f"proven: {events} that the trace of {proven.reference} rests on")
        return
    for stream in proven.without:
        print_line(f"Nothing in it says that {stream} is on record, the session that a report was asked for.")
    statements = len(proven.trace["provenance"]["statements"])
    print_line(f"proven: {proven.reference}, {statements} statements from {events}")


def _as_json(proven: CheckedProof) -> dict[str, object]:
    return {
        "proven": True,
        "reference": proven.reference,
        "events": proven.events,
        "streams": proven.streams,
        "without": proven.without,
        "checkpoints": {
            service: {"origin": each.origin, "size": each.size, "root": each.root.hex()}
            for service, each in proven.checkpoints.items()
        },
        "keys": {service: each.vkey for service, each in proven.keys.items()},
        "witnesses": {service: [each.witness.name for each in names] for service, names in proven.vouching.items()},
        "compared": proven.trace is not None,
        "made_by_shape": proven.made_by_shape,
        "trace": proven.trace,
    }
