"""`throughline refill`: a restored store and ledger, completed from the topic."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from aiokafka.errors import KafkaError

from shared.consumer.decoder import RecordDecoder, Rotations
from shared.events.services import SERVICES
from shared.ledger.refill import CannotRefill, Refill, Refilled
from shared.runtime.kafka_access import KafkaAccess
from tools.cli.audit.options import Keys
from tools.cli.named_mongodb import of_this_service, password_option, with_password_of
from tools.cli.options import service_named
from tools.client.connection import Connection, Home, Kafka
from tools.client.errors import BadInput, Failure, Unreachable, exits
from tools.client.kafka_faults import kafka_failure
from tools.client.log_keys import log_trust
from tools.client.mongodb_client import connect_async
from tools.client.mongodb_errors import mongodb_answers
from tools.client.progress import Advance, bar
from tools.client.stack_home import DEFAULT_HOME, StackHome, database, service_of_environment
from tools.render.console import Console

console = Console()


def refill(
    service: Annotated[str, typer.Argument(metavar="SERVICE", help=f"One of {', '.join(SERVICES)}.")],
    mongodb: Annotated[
        str | None,
        typer.Option(
            envvar="THROUGHLINE_REFILL_MONGODB",
            metavar="URI",
            help="MongoDB with the service's own user; else what the service's container has, else the local stack's.",
        ),
    ] = None,
    password_file: Annotated[Path | None, password_option("THROUGHLINE_REFILL_MONGODB")] = None,
    kafka: Kafka = None,
    key: Keys = None,
    home: Home = DEFAULT_HOME,
) -> None:
    """Fill a service's store and ledger up from its topic, after an older backup of its database was restored.

    Example: throughline refill recommendations

    It takes the events that the log's key signed, and no others, and verifies them all before it stores any: proofs,
    positions, the chain of every stream. It may be interrupted and run again. The service continues by itself
    afterwards. For an empty database, run `throughline indexes ensure SERVICE` first. Keys of persons are on no topic:
    restore the collection `keys` from its newest backup, or nobody can open what was sealed since. In the container of
    the service it logs in as that service.

    Exit code: 0 when store and ledger hold what the topic holds; 1 when the topic does not continue them, naming the
    position; 2 for bad input; 3 when MongoDB or Kafka does not answer.
    """
    with exits():
        service_named(service, "")
        uri = with_password_of(mongodb, password_file) if mongodb else _own(service, home)
        access, trust = Connection(home).kafka(kafka), log_trust(home, key)
        if not trust.keys(service):
            raise BadInput(f"No key of the log of {service} is given: without it none of its events is proven.")
        decoder = RecordDecoder(trust, Rotations(access, [service], trust))
        with bar(f"Refilling {service}") as advance:
            done = refilled(service, uri, access, decoder, advance)
        console.print(f"Refilled {service}: {done.commits} commits and {done.entries} ledger entries.")


def refilled(service: str, uri: str, kafka: KafkaAccess, decoder: RecordDecoder, advance: Advance) -> Refilled:
    """Refill a service and return the counts of added documents. Raises Failure, Unreachable."""
    try:
        with mongodb_answers():
            return asyncio.run(_refilled(service, uri, kafka, decoder, advance))
    except CannotRefill as reason:
        raise Failure(f"{reason}. Nothing was changed past what fitted.") from None
    except (KafkaError, OSError) as error:
        raise kafka_failure(error, kafka) from None


async def _refilled(service: str, uri: str, kafka: KafkaAccess, decoder: RecordDecoder, advance: Advance) -> Refilled:
    client = connect_async(uri)
    try:
        return await Refill(client[database(service)], kafka, service, decoder).run(advance)
    finally:
        client.close()


def _own(service: str, home: Path) -> str:
    if service_of_environment() == service:
        return of_this_service()
    try:
        return StackHome(home).mongodb_uri(service)
    except LookupError:
        raise Unreachable("Nothing says where MongoDB is: name it (--mongodb URI), or start a stack.") from None
