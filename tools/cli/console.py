"""`throughline console`: the web console."""

import os
from pathlib import Path
from typing import Annotated

import typer

from tools.client.errors import BadInput, exits
from tools.client.stack_home import DEFAULT_HOME
from tools.render.terminal import print_line

Home = Annotated[
    Path, typer.Option(envvar="THROUGHLINE_HOME", help="Folder of a local stack.", show_default=".throughline")
]


def console(home: Home = DEFAULT_HOME) -> None:
    """Run the web console alone: by THROUGHLINE_CONSOLE_… in the environment, else for a local stack.

    Example: throughline console

    Exit code: 0 when it was stopped; 2 where a setting is missing.
    """
    from tools.client.local_console import environment
    from tools.console.__main__ import main

    with exits():
        if "THROUGHLINE_CONSOLE_ADDRESS" not in os.environ:
            try:
                os.environ.update(environment(home))
            except LookupError as none:
                raise BadInput(f"THROUGHLINE_CONSOLE_ADDRESS is not set, and {none}") from None
            print_line(f"The console is on {os.environ['THROUGHLINE_CONSOLE_ADDRESS']}. Ctrl-C stops it.")
        main()
