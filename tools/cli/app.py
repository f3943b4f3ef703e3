"""`throughline`: the platform from a terminal. A command's module is imported when the command is named."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException
from typer.main import get_command

from tools.cli.commands import COMMANDS, GROUPS, Row
from tools.client.printable import printable


class Commands(TyperGroup):
    """A group whose commands are rows of the table until one is named."""

    def __init__(self, rows: dict[str, Row] | None = None, **attributes: Any) -> None:
        super().__init__(**attributes)
        self._rows = rows or {}
        self.commands.update({name: TyperCommand(name, help=row.help) for name, row in self._rows.items()})

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Import the command that is named."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, load(self._rows[name]) if name in self._rows else command, rest


class Throughline(Commands):
    """The commands and groups of the whole table."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__({row.words[0]: row for row in COMMANDS if len(row.words) == 1}, **attributes)
        for group, says in GROUPS.items():
            rows = {row.words[1]: row for row in COMMANDS if row.words[0] == group}
            self.commands[group] = Commands(rows, name=group, help=says, no_args_is_help=True)
        order = list(dict.fromkeys(row.words[0] for row in COMMANDS))
        self.commands = {name: self.commands[name] for name in order}

    def invoke(self, ctx: Any) -> Any:
        """Run a command; what was typed is shown as it was typed, without the words of a library before it."""
        try:
            return super().invoke(ctx)
        except TyperException as fault:
            fault.message = printable(fault.message.replace("Value error, ", ""))
            raise


def load(row: Row) -> Any:
    """Import a row's function and return its command."""
    module, _, function = row.target.partition(":")
    single = typer.Typer(add_completion=False)
    single.command(row.words[-1])(getattr(import_module(module), function))
    return get_command(single)


app = typer.Typer(cls=Throughline, no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False)


@app.callback()
def throughline() -> None:
    """The thread from a mandate, through a technical expert group, to what the Committee did with it."""


if __name__ == "__main__":
    app()
