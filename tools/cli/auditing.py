"""`throughline audit`: the record exported, and verified by people who trust neither its keeper nor this platform."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import orjson
import typer
from rich.console import Console

from shared.events.catalogue import SERVICES
from shared.tlog.keys import LogKeys, origin_of
from shared.tlog.notes import COSIGNATURE, NotAKey, Signer, Verifier
from tools.audit.bundle import Bundle, NotReadable
from tools.audit.exporting import Source
from tools.audit.exporting import export as write_bundle
from tools.audit.http_source import HttpSource
from tools.audit.kafka_source import KafkaSource
from tools.audit.log_writer import CannotExport
from tools.audit.report import as_json, as_text
from tools.audit.signatures import TrustedKeys
from tools.audit.verifying import verify as verify_bundle
from tools.audit.witness import WillNotVouch, Witness
from tools.client.connection import Connection, Format, Home, Token
from tools.client.errors import REFUSED, BadInput, Failure, exits
from tools.client.progress import bar
from tools.client.services import Services
from tools.local.files import write
from tools.local.stack import DEFAULT_HOME

audit = typer.Typer(help="Export the record, and verify it offline.", no_args_is_help=True)
console = Console()
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of an export bundle.")]
Keys = Annotated[
    list[str] | None,
    typer.Option(
        "--key", metavar="VKEY", help="A log's key that you have from elsewhere; may be given more than once."
    ),
]


@audit.command()
def keygen(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="Where the private key is written, mode 0600.")],
    service: Annotated[str | None, typer.Option(help=f"Whose log: {', '.join(SERVICES)}.")] = None,
    deployment: Annotated[str, typer.Option(help="The deployment's name, part of each log's origin.")] = "local",
    witness: Annotated[
        str | None, typer.Option(metavar="NAME", help="A witness's key instead, under this name.")
    ] = None,
    rotate: Annotated[bool, typer.Option("--rotate", help="Replace the key in FILE; its public part is kept.")] = False,
) -> None:
    """Make a key that signs the checkpoints of a log, or that a witness vouches with; print its public part.

    Example: throughline audit keygen meetings.key --service meetings --deployment escap

    Exit code: 0; 2 for bad input, an existing file without --rotate included.
    """
    with exits():
        if (service is None) == (witness is None) or (service is not None and service not in SERVICES):
            raise BadInput(f"Give --service (one of {', '.join(SERVICES)}) or --witness NAME.")
        if out.exists() != rotate:
            raise BadInput(
                f"{out} exists: give --rotate to replace its key." if out.exists() else f"{out} is not there."
            )
        try:
            if witness is not None:
                if rotate:
                    raise BadInput("A witness's key is not rotated: make another one.")
                signer = Signer.generate(witness, COSIGNATURE)
                text = f"{signer.skey}\n"
            else:
                origin = origin_of(deployment, str(service))
                keys = LogKeys.parse(out.read_text(), origin).rotated() if rotate else LogKeys(Signer.generate(origin))
                signer, text = keys.signer, keys.text()
        except NotAKey as fault:
            raise BadInput(f"{out}: {fault}") from None
        write(out, text)
        typer.echo(signer.verifier.vkey)


@audit.command()
def export(
    folder: Folder,
    origin: Annotated[Literal["http", "kafka"], typer.Option("--from", help="The services, or Kafka.")] = "http",
    service: Annotated[
        list[str] | None, typer.Option("--service", help="Only this log; may be given more than once.")
    ] = None,
    key: Keys = None,
    kafka: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Kafka; the local stack's where none is named.")
    ] = None,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait until what is published is signed.")] = 0,
    home: Home = DEFAULT_HOME,
    token: Token = None,
) -> None:
    """Write the record into a folder that is verified offline, or add to it what is new.

    Example: throughline audit export export-2026

    Everything is compared with the signed checkpoints while it is written; DIR/README.md tells an auditor what to do.
    From Kafka the logs' keys are given with --key, the retired ones too.

    Exit code: 0 when it is written; 1 when what was read does not make what was signed, naming the position, or when a
    topic holds what no checkpoint covers; 2 for bad input; 3 when a service or Kafka does not answer.
    """
    with exits():
        connection, keys = Connection(home, token), _trusted(key, None).logs
        kafka = kafka or (connection.kafka() if origin == "kafka" else None)
        if unknown := set(service or ()) - set(SERVICES):
            raise BadInput(f"{unknown.pop()}: is not a service; they are {', '.join(SERVICES)}.")
        with Services(connection, "auditor") as services:
            source = _source(services, origin, kafka or "", keys, service or SERVICES, wait)
            try:
                done = write_bundle(source, folder, service or SERVICES, bar)
            except CannotExport as fault:
                raise Failure(f"Not exported: {fault}.") from None
            except NotReadable as fault:
                raise BadInput(str(fault)) from None
        for name, checkpoint in done.checkpoints.items():
            console.print(f"{name}: {checkpoint.size} events, {done.new[name]} of them new", soft_wrap=True)
        console.print(f"{done.traces} traces; now: throughline audit verify {folder}", soft_wrap=True)
        if source.remarks:
            raise Failure("\n".join(["Exported; besides, this was found:", *source.remarks[:20]]))


@audit.command()
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
    jobs: Annotated[int | None, typer.Option(min=1, max=64, help="Processes; by default as the size asks.")] = None,
    shown_as: Format = "text",
) -> None:
    """Verify an export offline: signatures, trees, checkpoints, the chain of every stream, schemas, links.

    Example: throughline audit verify export --key "$KEY" --since export-2025

    It needs the folder and nothing else. Without --key the keys are those that the folder names; the answer says so.

    Exit code: 0 when everything holds; 1 when anything does not, naming the first position, stream and version and what
    is wrong there; 2 when it is no bundle, or a key is none.
    """
    with exits():
        trusted = _trusted(key, witness)
        try:
            with bar(f"Verifying {folder}") as advance:
                done = verify_bundle(Bundle(folder), trusted, Bundle(since) if since else None, advance, jobs)
        except NotReadable as fault:
            raise BadInput(str(fault)) from None
    if shown_as == "json":
        typer.echo(orjson.dumps(as_json(done), option=orjson.OPT_INDENT_2).decode())
    else:
        for line in as_text(done):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    if not done.holds:
        raise typer.Exit(REFUSED)


@audit.command()
def witness(
    folder: Folder,
    signing: Annotated[Path, typer.Option("--with", metavar="FILE", help="The witness's private key.")],
    memory: Annotated[
        Path, typer.Option("--memory", metavar="FILE", help="What this witness has seen; made at first.")
    ],
    key: Keys = None,
) -> None:
    """Vouch for the newest checkpoints of an export: each is cosigned where it continues what this witness saw before.

    Example: throughline audit witness export --with witness.key --memory witness.json

    The cosignatures are written into the export; keep key and memory in another office than the platform's.

    Exit code: 0 when every log was cosigned; 1 when one does not continue what was seen, and then none was; 2 for bad
    input.
    """
    with exits():
        try:
            signer = Signer.parse(signing.read_text())
            if signer.kind != COSIGNATURE:
                raise NotAKey("it is not a witness's key")
            office = Witness(signer, memory, _trusted(key, None).logs)
            vouched = office.vouch(Bundle(folder), datetime.now(UTC))
        except (NotAKey, NotReadable, OSError) as fault:
            raise BadInput(str(fault) if isinstance(fault, NotReadable) else f"{signing}: {fault}") from None
        except WillNotVouch as refusal:
            raise Failure(f"Not cosigned. {refusal}") from None
        for each in vouched:
            seen = (
                f", of which {each.before} were seen before" if each.before is not None else ", seen for the first time"
            )
            console.print(f"{each.checkpoint.origin}: {each.checkpoint.size} events{seen}: cosigned", soft_wrap=True)


def _source(
    services: Services, origin: str, kafka: str, keys: Sequence[Verifier], wanted: Sequence[str], wait: float
) -> Source:
    if origin == "kafka":
        return KafkaSource(kafka, keys)
    source = HttpSource(services, keys)
    if late := [name for name in wanted if wait and not source.wait_for_checkpoint(name, wait)]:
        raise Failure(f"{late[0]} signs no checkpoint over its newest events within {wait:.0f} s.")
    return source


def _trusted(keys: list[str] | None, witnesses: list[str] | None) -> TrustedKeys:
    try:
        given = TrustedKeys.of(Verifier.parse(key) for key in keys or ())
        vouching = TrustedKeys.of(Verifier.parse(key) for key in witnesses or ())
    except NotAKey as fault:
        raise BadInput(f"--key, --witness: {fault}") from None
    if given.witnesses or vouching.logs:
        raise BadInput("A log's key is given with --key, a witness's with --witness.")
    return TrustedKeys(given.logs, vouching.witnesses)
