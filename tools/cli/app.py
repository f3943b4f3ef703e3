"""`throughline`: the platform from a terminal. A command's module is imported when the command is named."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from tools.cli.commands import COMMANDS, GROUPS, Row
from tools.cli.making import command_of_function
from tools.cli.words import RECORDS, Load, lists, nouns
from tools.client.errors import Failure, exits
from tools.client.printable import printable

OWN = ("services", "shared", "tools")


class Commands(TyperGroup):
    """A group whose commands are loaded when one is named; until then it knows their help."""

    def __init__(self, loads: dict[str, Load] | None = None, **attributes: Any) -> None:
        super().__init__(**attributes)
        self._loads = loads or {}
        self.commands.update(
            {name: TyperCommand(name, help=load.help, rich_help_panel=load.panel) for name, load in self._loads.items()}
        )

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Load the command that is named."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, self._loads[name].load() if name in self._loads else command, rest


class Throughline(Commands):
    """The commands and groups of the whole table, and the words that are made from the services' own table."""

    def __init__(self, **attributes: Any) -> None:
        listed = lists()
        written = {row.words[0]: Load(row.help, partial(load, row)) for row in COMMANDS if len(row.words) == 1}
        super().__init__({**written, **listed}, **attributes)
        for group, says in GROUPS.items():
            loads = {row.words[1]: Load(row.help, partial(load, row)) for row in COMMANDS if row.words[0] == group}
            self.commands[group] = Commands(loads, name=group, help=says, no_args_is_help=True)
        order = list(dict.fromkeys(row.words[0] for row in COMMANDS))
        for noun, words in nouns().items():
            says = f"{', '.join(words)}."
            self.commands[noun] = Commands(words, name=noun, help=says, no_args_is_help=True, rich_help_panel=RECORDS)
            order.append(noun)
        self.commands = {name: self.commands[name] for name in [*order, *listed]}

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
    try:
        return command_of_function(row.words[-1], getattr(import_module(module), function))
    except ModuleNotFoundError as missing:
        name = str(missing.name)
        if name.startswith("tools.local"):
            with exits():
                raise Failure("There is no local stack in this image: it runs from a clone (make up).") from None
        if (package := name.partition(".")[0]) in OWN:
            raise
        needs = f"`throughline {' '.join(row.words)}` needs {package}, of throughline[local], which is for one machine."
        with exits():
            raise Failure(needs) from None


app = typer.Typer(cls=Throughline, no_args_is_help=True, pretty_exceptions_show_locals=False)


@app.callback()
def throughline() -> None:
    """The thread from a mandate, through a technical expert group, to what the Committee did with it."""


if __name__ == "__main__":
    app()
