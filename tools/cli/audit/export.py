"""`throughline audit export`: the whole record as a bundle of files that an auditor verifies offline."""

from collections.abc import Sequence
from typing import Annotated, Literal

import typer

from shared.events.services import SERVICES
from shared.runtime.kafka_access import KafkaAccess
from shared.tlog.notes import Verifier
from tools.audit.bundle import NotReadable
from tools.audit.exporting import Source
from tools.audit.exporting import export as write_bundle
from tools.audit.http_source import HttpSource
from tools.audit.kafka_source import KafkaSource
from tools.audit.log_writer import CannotExport
from tools.cli.audit.options import Folder, Keys, trusted
from tools.cli.options import finite, service_named
from tools.client.connection import Connection, Home, Kafka, Token
from tools.client.errors import BadInput, Failure, exits
from tools.client.log_keys import log_trust
from tools.client.progress import bar
from tools.client.services import Services
from tools.client.stack_home import DEFAULT_HOME
from tools.render.console import Console

console = Console()


def export(
    folder: Folder,
    origin: Annotated[Literal["http", "kafka"], typer.Option("--from", help="The services, or Kafka.")] = "http",
    service: Annotated[
        list[str] | None, typer.Option("--service", help="Only this log; may be given more than once.")
    ] = None,
    key: Keys = None,
    kafka: Kafka = None,
    wait: Annotated[
        float,
        typer.Option(min=0, callback=finite, help="Seconds to wait for a checkpoint that covers all published events."),
    ] = 0,
    home: Home = DEFAULT_HOME,
    token: Token = None,
) -> None:
    """Write the record into a folder that is verified offline, or append what is new.

    Example: throughline audit export export-2026

    The export compares everything with the signed checkpoints as it writes; DIR/README.md tells an auditor what to do.
    From Kafka, the logs' keys are those given with --key, else those of THROUGHLINE_TRUSTED_KEYS (or its _FILE), else
    the local stack's; published rotations lead from one key to the next.

    Exit code: 0 when it is written; 1 when the events do not make the signed root, naming the position, or when a topic
    holds events that no checkpoint covers; 2 for bad input; 3 when a service or Kafka does not answer.
    """
    with exits():
        connection, access, keys = Connection(home, token), None, trusted(key).logs
        if origin == "kafka":
            access, keys = connection.kafka(kafka), tuple(log_trust(home, key).pinned)
        wanted = [service_named(name) for name in service or SERVICES]
        with Services(connection, "auditor") as services:
            source = _source(services, access, keys, wanted, wait)
            try:
                done = write_bundle(source, folder, wanted, bar)
            except CannotExport as fault:
                raise Failure(f"Not exported: {fault}.") from None
            except NotReadable as fault:
                raise BadInput(str(fault)) from None
        for name, checkpoint in done.checkpoints.items():
            console.print(f"{name}: {checkpoint.size} events, {done.new[name]} of them new", soft_wrap=True)
        console.print(f"{done.traces} traces; now: throughline audit verify {folder}", soft_wrap=True)
        if source.remarks:
            raise Failure("\n".join(["Exported; besides, this was found:", *source.remarks[:20]]))


def _source(
    services: Services, kafka: KafkaAccess | None, keys: Sequence[Verifier], wanted: Sequence[str], wait: float
) -> Source:
    if kafka is not None:
        return KafkaSource(kafka, keys)
    source = HttpSource(services, keys)
    if late := [name for name in wanted if wait and not source.wait_for_checkpoint(name, wait)]:
        raise Failure(f"{late[0]} signs no checkpoint over its newest events within {wait:.0f} s.")
    return source
