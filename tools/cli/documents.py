"""`throughline document put`: a document stored by the service that it belongs to, under the SHA-256 of its bytes."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from tools.cli.callers import caller_arguments, connection_of, default_role, path_of
from tools.cli.making import make_command
from tools.cli.options import chosen
from tools.client.api import Command
from tools.client.errors import BadInput
from tools.client.printable import printable, quoted
from tools.client.services import Services
from tools.render.terminal import print_json, print_line

_MEDIA_TYPE = re.compile("[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,100}")
_OF_NO_KIND = "application/octet-stream"
_HELP = """Store a document under the SHA-256 of its bytes, which commands name as its digest.

Example: throughline document put note-verbale.pdf --service nominations

Exit code: 0 when it is stored, also if it was before; 1 when it was refused; 2 for bad input; 3 when the service does
not answer: run it again.
"""
File = Annotated[str, typer.Argument(metavar="FILE", help="The file that holds it.")]
MediaType = Annotated[
    str | None, typer.Option("--media-type", help="As in application/pdf.", show_default="by the file's name")
]


def upload_of(rows: Sequence[Command]) -> Any:
    """Return the command that stores a document in one of the services that take any."""
    words = ", ".join(row.service for row in rows)
    service = Annotated[str, typer.Option("--service", help=f"One of {words}.")]
    arguments = {"file": (File, ...), "service": (service, ...), "media_type": (MediaType, None)}
    return make_command(rows[0].word, _HELP, arguments | caller_arguments(rows), partial(_run, rows))


def _run(rows: Sequence[Command], given: Mapping[str, Any]) -> None:
    service = chosen("--service", given["service"], [row.service for row in rows], "a service that stores documents")
    row = next(row for row in rows if row.service == service)
    media_type = given["media_type"] or mimetypes.guess_type(given["file"])[0] or _OF_NO_KIND
    if _MEDIA_TYPE.fullmatch(media_type) is None:
        raise BadInput(f"--media-type {quoted(media_type)}: write it in small letters, as in application/pdf.")
    content = _read(given["file"])
    digest = hashlib.sha256(content).hexdigest()
    connection, role = connection_of([row], given["role"], given["home"], given["token"])
    with Services(connection, role or default_role(row)) as services:
        answer = services.put(service, path_of(row, digest), content, media_type)
    if given["shown_as"] == "json":
        print_json(answer)
    else:
        print_line(f"{digest} is stored by {service}{'' if answer['stored'] else ', as it was before'}.")


def _read(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except (OSError, ValueError) as fault:
        raise BadInput(f"{printable(file)}: {type(fault).__name__}: name a file that can be read.") from None
