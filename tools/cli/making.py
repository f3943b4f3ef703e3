"""Commands of the command line that are made from a table of their arguments, each an annotation and a default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import Parameter as Argument
from inspect import Signature
from typing import Any

import typer
from typer.main import get_command

from tools.client.errors import exits

Arguments = Mapping[str, tuple[Any, Any]]
REQUIRED = Argument.empty


def make_command(word: str, says: str, arguments: Arguments, run: Callable[[Mapping[str, Any]], None]) -> Any:
    """Return a command that runs with what was typed."""

    def typed(**given: Any) -> None:
        with exits():
            run(given)

    typed.__doc__ = says
    typed.__annotations__ = {name: annotation for name, (annotation, _) in arguments.items()}
    typed.__signature__ = Signature(  # type: ignore[attr-defined]
        [
            Argument(name, Argument.KEYWORD_ONLY, annotation=annotation, default=default)
            for name, (annotation, default) in arguments.items()
        ]
    )
    return command_of_function(word, typed)


def command_of_function(word: str, function: Callable[..., None]) -> Any:
    """Return the command that a function describes by its signature."""
    single = typer.Typer(add_completion=False)
    single.command(word)(function)
    return get_command(single)
