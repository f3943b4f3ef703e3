"""`throughline stack`: the whole platform on this machine."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from tools.client import local_console
from tools.client.errors import exits
from tools.client.stack_home import DEFAULT_HOME
from tools.files import look_at_folder
from tools.local.memory import Memory
from tools.local.messages import CannotStart
from tools.local.running import AlreadyRunning
from tools.local.stack import ALL_FOUR, Stack
from tools.local.status import Status, stop_from_outside
from tools.render.console import Console

console = Console()
errors = Console(stderr=True)

Home = Annotated[Path, typer.Option(envvar="THROUGHLINE_HOME", help="Folder of the stack's data, ports and logs.")]
ServersOnly = Annotated[bool, typer.Option("--servers-only", help="Leave the four services out.")]
NoRights = Annotated[
    bool,
    typer.Option(
        "--no-rights",
        envvar="THROUGHLINE_NO_RIGHTS",
        help="Let whoever reaches Kafka write anything to it: no users, no rights.",
    ),
]


def up(home: Home = DEFAULT_HOME, servers_only: ServersOnly = False, no_rights: NoRights = False) -> None:
    """Start everything and keep it running until Ctrl-C, or `throughline stack down` from another terminal.

    Example: throughline stack up

    Kafka admits only the users of deploy/kafka.yaml, which are made at each start, and lets each do only what is
    declared there. On a Kafka of your own (THROUGHLINE_KAFKA) they are made by the user of THROUGHLINE_KAFKA_USER and
    THROUGHLINE_KAFKA_PASSWORD.

    Exit code: 0 when it was stopped, or was already running; 1 when it could not start.
    """
    try:
        with exits():
            look_at_folder(home)
        with exits(), _stack(home, servers_only=servers_only, with_rights=not no_rights) as started:
            _show(started.status())
            if not servers_only:
                console.print(
                    f"\nThe console: {local_console.address(started.home)} (sign in as anybody)", soft_wrap=True
                )
            console.print("\nA token for the services: throughline token --role secretariat")
            console.print(f"Logs: {started.home / 'logs'}. Mail: {started.mail}. Ctrl-C stops it all.")
            started.watch()
    except AlreadyRunning as running:
        console.print(str(running), markup=False, highlight=False)
    except CannotStart as failure:
        errors.print(str(failure), markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    except (KeyboardInterrupt, SystemExit):
        console.print("\nStopped.")


def _stack(home: Path, *, servers_only: bool, with_rights: bool) -> Stack:
    services = () if servers_only else ALL_FOUR
    return Stack(home, services, with_rights=with_rights, with_console=not servers_only)


def down(home: Home = DEFAULT_HOME) -> None:
    """Stop the stack that another terminal runs, and processes that a crash left behind.

    Example: throughline stack down

    Exit code: 0 when nothing runs any more.
    """
    with exits():
        look_at_folder(home)
        ran = stop_from_outside(Memory(home.resolve()))
        console.print("Stopped." if ran else "Nothing was running.")


def status(home: Home = DEFAULT_HOME) -> None:
    """Show what is up.

    Example: throughline stack status

    Exit code: 0 only when all of it is up.
    """
    try:
        with exits():
            statuses = Stack(home).status()
    except LookupError as error:
        errors.print(f"{error}: throughline stack up", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    _show(statuses)
    if any(status.state != "up" for status in statuses.values()):
        raise typer.Exit(1)


def _show(statuses: dict[str, Status]) -> None:
    table = Table("name", "state", "where", "process")
    for name, each in statuses.items():
        colour = {"up": "green", "not ready": "yellow", "down": "red"}[each.state]
        table.add_row(name, Text(each.state, style=colour), each.where, str(each.pid or ""))
    console.print(table)
