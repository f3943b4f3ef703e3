"""`throughline stack`: the whole platform on this machine."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tools.local.memory import Memory
from tools.local.messages import CannotStart
from tools.local.stack import ALL_FOUR, DEFAULT_HOME, AlreadyRunning, Stack
from tools.local.status import Status, stop_from_outside

stack = typer.Typer(help="Run the platform on this machine: Kafka, MongoDB, mail, four services.", no_args_is_help=True)
console = Console()
errors = Console(stderr=True)

Home = Annotated[Path, typer.Option(envvar="THROUGHLINE_HOME", help="Folder of the stack's data, ports and logs.")]
ServersOnly = Annotated[bool, typer.Option("--servers-only", help="Leave the four services out.")]


@stack.command()
def up(home: Home = DEFAULT_HOME, servers_only: ServersOnly = False) -> None:
    """Start everything and keep it running until Ctrl-C, or `throughline stack down` from another terminal.

    Example: throughline stack up

    Exit code: 0 when it was stopped, or was already running; 1 when it could not start.
    """
    try:
        with Stack(home, () if servers_only else ALL_FOUR) as running:
            _show(running.status())
            console.print("\nA token for the services: throughline token --role secretariat")
            console.print(f"Logs: {running.home / 'logs'}. Mail: {running.mail}. Ctrl-C stops it all.")
            running.watch()
    except AlreadyRunning as there:
        console.print(str(there), markup=False, highlight=False)
    except CannotStart as failure:
        errors.print(str(failure), markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    except (KeyboardInterrupt, SystemExit):
        console.print("\nStopped.")


@stack.command()
def down(home: Home = DEFAULT_HOME) -> None:
    """Stop the stack that another terminal runs, and whatever a crash left behind.

    Example: throughline stack down

    Exit code: 0 when nothing runs any more.
    """
    ran = stop_from_outside(Memory(home.resolve()))
    console.print("Stopped." if ran else "Nothing was running.")


@stack.command()
def status(home: Home = DEFAULT_HOME) -> None:
    """Show what is up.

    Example: throughline stack status

    Exit code: 0 only when all of it is up.
    """
    try:
        found = Stack(home).status()
    except LookupError as never:
        errors.print(f"{never}: throughline stack up", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    _show(found)
    if any(each.state != "up" for each in found.values()):
        raise typer.Exit(1)


def _show(found: dict[str, Status]) -> None:
    table = Table("name", "state", "where", "process")
    for name, each in found.items():
        colour = {"up": "green", "not ready": "yellow", "down": "red"}[each.state]
        table.add_row(name, f"[{colour}]{each.state}[/]", each.where, str(each.pid or ""))
    console.print(table)
