"""`throughline audit prove` and `verify-proof`: one trace, in one file that is checked alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from shared.tlog.notes import NotAKey, NotANote, Verifier
from tools.audit.bundle import Bundle, NotReadable
from tools.audit.proof import CheckedProof, NotProven, check
from tools.audit.proof_builder import CannotProve, from_bundle, from_services
from tools.audit.signatures import TrustedKeys
from tools.cli.reading import REFERENCE
from tools.client.connection import Connection, Format, Home, Token
from tools.client.errors import BadInput, Failure, exits
from tools.client.progress import bar
from tools.client.services import Services
from tools.local.stack import DEFAULT_HOME

console = Console()
Keys = Annotated[list[str] | None, typer.Option("--key", metavar="VKEY", help="A log's key, from elsewhere.")]
Witnesses = Annotated[
    list[str] | None, typer.Option("--witness", metavar="VKEY", help="A witness's key: its cosignature is asked for.")
]


def prove(
    reference: Annotated[str, typer.Argument(help="As in CED/2022/R1.")],
    bundle: Annotated[Path | None, typer.Option("--from", metavar="DIR", help="An export; else the services.")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Where the proof is written.")] = None,
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
        if REFERENCE.match(reference) is None:
            raise BadInput(f"{reference}: is not a reference; write it as in CED/2022/R1.")
        try:
            raw = _offline(bundle, reference) if bundle else _live(Connection(home, token), reference)
        except CannotProve as why:
            raise Failure(f"Not proven: {why}.") from None
        except (NotReadable, NotANote) as fault:
            raise BadInput(f"{fault}.") from None
        file = out or Path(f"{reference.replace('/', '-')}.proof.json")
        file.write_bytes(raw)
        events = len(orjson.loads(raw)["events"])
        _say(f"{file}: {reference} and the {events} events that it rests on, {len(raw)} bytes.")


def verify_proof(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A proof.")],
    key: Keys = None,
    witness: Witnesses = None,
    shown_as: Format = "text",
) -> None:
    """Check a proof with nothing but the file: signatures, inclusion of every event, chains, and the trace itself.

    Example: throughline audit verify-proof r1.proof.json --key "$KEY"

    That nothing was recorded after these events, only an export shows: throughline audit verify.

    Exit code: 0 when it holds; 1 when it does not, naming where; 2 for bad input.
    """
    with exits():
        try:
            given = TrustedKeys.of(Verifier.parse(each) for each in (*(key or ()), *(witness or ())))
            proven = check(file.read_bytes(), given)
        except (NotAKey, OSError) as fault:
            raise BadInput(f"{fault if isinstance(fault, NotAKey) else file}: cannot be used.") from None
        except NotProven as why:
            raise Failure(f"NOT PROVEN: {why}.") from None
    if shown_as == "json":
        typer.echo(orjson.dumps(_as_json(proven), option=orjson.OPT_INDENT_2).decode())
        return
    for service, checkpoint in proven.checkpoints.items():
        vouching = "".join(f", {each.witness.name} vouches for it" for each in proven.vouching[service])
        by = proven.keys[service].vkey.rpartition("+")[0]
        held = f"{proven.events.get(service, 0)} events under the checkpoint of size {checkpoint.size}"
        _say(f"{service}: {held}, signed with {by}{vouching}")
    if not given.logs:
        _say("These keys are the file's own word. Compare them with those that you have from elsewhere, or give --key:")
        for each in proven.keys.values():
            _say(f"    {each.vkey}")
    statements = len(proven.trace["provenance"]["statements"])
    events = sum(proven.events.values())
    _say(f"proven: {proven.reference}, {statements} statements from {events} events of {proven.streams} streams")


def _offline(bundle: Path, reference: str) -> bytes:
    with bar("Replaying") as advance:
        return from_bundle(Bundle(bundle), reference, advance)


def _live(connection: Connection, reference: str) -> bytes:
    with Services(connection, "auditor") as services:
        return from_services(services, reference)


def _as_json(proven: CheckedProof) -> dict[str, object]:
    return {
        "proven": True,
        "reference": proven.reference,
        "events": proven.events,
        "streams": proven.streams,
        "checkpoints": {
            service: {"origin": each.origin, "size": each.size, "root": each.root.hex()}
            for service, each in proven.checkpoints.items()
        },
        "keys": {service: each.vkey for service, each in proven.keys.items()},
        "witnesses": {service: [each.witness.name for each in names] for service, names in proven.vouching.items()},
        "trace": proven.trace,
    }


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
