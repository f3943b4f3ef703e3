"""Commands of the command line that are made from a table of their arguments, each an annotation and a default."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
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
    command: Any = get_command(single)
    for option in command.params:
        variables = [option.envvar] if isinstance(option.envvar, str) else option.envvar or []
        option.resolve_envvar_value = partial(_given, variables, option.resolve_envvar_value)
    return command


def _given(variables: Sequence[str], of_environment: Callable[[Any], str | None], context: Any) -> str | None:
    """Return what the environment gives for an option, or a file in the folder of secrets (docs/settings.md)."""
    if (value := of_environment(context)) is not None or "THROUGHLINE_SECRETS_DIR" not in os.environ:
        return value
    from shared.runtime.configuration import CannotStart, secret_of

    try:
        return next((value for each in variables if (value := secret_of(each)) is not None), None)
    except CannotStart as fault:
        raise typer.BadParameter(str(fault)) from None
