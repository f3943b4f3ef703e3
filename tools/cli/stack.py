"""`throughline stack`: the whole platform on this machine."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from tools.client.stack_home import DEFAULT_HOME
from tools.local.memory import Memory
from tools.local.messages import CannotStart
from tools.local.stack import ALL_FOUR, AlreadyRunning, Stack
from tools.local.status import Status, stop_from_outside
from tools.render.console import Console

console = Console()
errors = Console(stderr=True)

Home = Annotated[Path, typer.Option(envvar="THROUGHLINE_HOME", help="Folder of the stack's data, ports and logs.")]
ServersOnly = Annotated[bool, typer.Option("--servers-only", help="Leave the four services out.")]


def up(home: Home = DEFAULT_HOME, servers_only: ServersOnly = False) -> None:
    """Start everything and keep it running until Ctrl-C, or `throughline stack down` from another terminal.

    Example: throughline stack up

    Exit code: 0 when it was stopped, or was already running; 1 when it could not start.
    """
    try:
        with Stack(home, () if servers_only else ALL_FOUR) as started:
            _show(started.status())
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


def down(home: Home = DEFAULT_HOME) -> None:
    """Stop the stack that another terminal runs, and processes that a crash left behind.

    Example: throughline stack down

    Exit code: 0 when nothing runs any more.
    """
    ran = stop_from_outside(Memory(home.resolve()))
    console.print("Stopped." if ran else "Nothing was running.")


def status(home: Home = DEFAULT_HOME) -> None:
    """Show what is up.

    Example: throughline stack status

    Exit code: 0 only when all of it is up.
    """
    try:
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
