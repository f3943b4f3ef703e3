"""`throughline simulate`: a synthetic history of any length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from pymongo.errors import PyMongoError
from rich.table import Table

from shared.domain.spelling import suggestion
from shared.events.services import SERVICES
from tools.client.connection import Connection, Home
from tools.client.errors import BadInput, CommandRefused, Failure, Refused, Unreachable, exits
from tools.client.progress import bar
from tools.client.services import Services
from tools.client.stack_home import DEFAULT_HOME, StackHome, database
from tools.render.console import Console
from tools.simulate import records
from tools.simulate.commits import SimulatedCommit
from tools.simulate.history import history
from tools.simulate.http_loader import send
from tools.simulate.store_loader import AlreadyStored, databases_of, store

After = Callable[[int], None]
_console = Console()


def simulate(
    events: Annotated[int, typer.Option(min=1, max=5_000_000, help="How many events, or one or two more.")] = 10_000,
    seed: Annotated[int, typer.Option(help="The same seed and number give the same history, byte for byte.")] = 1,
    into: Annotated[
        str | None,
        typer.Option(
            metavar="services|store|FILE",
            help="The running services, by their HTTP commands (slow); the event stores of a local stack, directly; "
            "or a file of records as the relay would publish them. Left out: it is only counted.",
        ),
    ] = None,
    home: Home = DEFAULT_HOME,
) -> None:
    """Make a synthetic history, through the services' own decisions, and load it. Nothing in it is a fact.

    Example: throughline simulate --events 2000 --into services

    Exit code: 0; 1 when something of it is there already, or was refused; 2 for bad input; 3 when nothing answers.
    """
    counted: Counter[str] = Counter()
    with exits(), bar("Simulating") as advance:
        commits = _counting(history(events, seed), counted)
        _load(commits, into, home, lambda done: advance(done, events))
    _show(counted, into)


def _load(commits: Iterator[SimulatedCommit], into: str | None, home: Path, after: After) -> None:
    match into:
        case None:
            for _ in commits:
                continue
        case "services":
            _through_services(commits, home, after)
        case "store":
            _into_store(commits, home, after)
        case _:
            _check_file(into)
            try:
                records.write(Path(into), records.records_of(commits))
            except OSError as error:
                raise BadInput(f"--into {into}: {error.strerror}") from None


def _check_file(into: str) -> None:
    """Check that a word is meant as a file, and is no misspelt place. Raises BadInput."""
    near = suggestion(into, ("services", "store"))
    if near and into.isalpha() and not Path(into).exists():
        raise BadInput(f"--into {into}: {near} A file of that name is written ./{into}.")


def _through_services(commits: Iterator[SimulatedCommit], home: Path, after: After) -> None:
    connection = Connection(home)
    with Services(connection, "secretariat") as secretariat, Services(connection, "chair") as chair:
        try:
            send(commits, secretariat, chair, after)
        except CommandRefused as refusal:
            raise Refused(f"{refusal}: is there another history in these services?") from None


def _into_store(commits: Iterator[SimulatedCommit], home: Path, after: After) -> None:
    stack = StackHome(home)
    try:
        uris = {name: stack.mongodb_uri(name) for name in SERVICES}
    except LookupError as never:
        raise Unreachable(f"{never}: throughline stack up") from None
    databases = databases_of(uris, {name: database(name) for name in SERVICES})
    try:
        store(commits, databases, after)
    except AlreadyStored as there:
        raise Failure(f"{there}: another seed gives another history, another home an empty stack.") from None
    except PyMongoError as error:
        raise Unreachable(f"MongoDB does not answer ({type(error).__name__}): throughline stack status") from None
    finally:
        for each in databases.values():
            each.client.close()


def _counting(commits: Iterator[SimulatedCommit], counted: Counter[str]) -> Iterator[SimulatedCommit]:
    for commit in commits:
        counted["commits"] += 1
        counted[commit.service] += len(commit.raws)
        counted["bytes"] += sum(map(len, commit.raws))
        counted["recommendations drafted"] += commit.first == 1 and commit.stream.startswith("recommendation/")
        yield commit


def _show(counted: Counter[str], into: str | None) -> None:
    events = sum(counted[service] for service in SERVICES)
    table = Table("", "", title="A synthetic history", show_header=False)
    table.add_row("events", f"{events:,} in {counted['commits']:,} commits")
    for service in SERVICES:
        table.add_row(f"of {service}", f"{counted[service]:,}")
    table.add_row("recommendations", f"{counted['recommendations drafted']:,}")
    table.add_row("bytes of an event", f"{counted['bytes'] / max(1, events):.0f} on average")
    table.add_row("went into", into or "nothing: name a place with --into")
    _console.print(table)
