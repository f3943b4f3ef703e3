"""The commands of the services on the command line: one for each row of `tools/client/api.json`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any
from uuid import uuid4

import typer

from tools.cli.bodies import (
    STANDARD_INPUT,
    Body,
    BodyOption,
    body_of,
    check_missing,
    options_of,
    read_file,
    with_personal,
)
from tools.cli.callers import caller_arguments, connection_of, default_role, id_argument, path_of
from tools.cli.filters import describe, filter_annotation, filter_argument, read_filter
from tools.cli.making import REQUIRED, make_command
from tools.cli.options import confirm
from tools.client.api import Command, Field
from tools.client.errors import BadInput, CommandRefused, Failure, OutcomeUnknown, Unreachable
from tools.client.printable import quoted
from tools.client.services import Services
from tools.render.terminal import print_json, print_line

FIELDS, SENDING = "Fields", "Sending"
CONFIRMED = {
    "erase": "Nobody will open {} again. Continue?",
    "void": "Void that event of {}?",
}
"""The words that ask before they send, with the question."""
_TYPES: dict[str, Any] = {"integer": int, "boolean": bool}
_COMMAND_ID = re.compile(r"[A-Za-z0-9._:-]{8,100}")
_IN_BODY = re.compile(r"\bbody((?:[.][a-z_]+)+)")

File = Annotated[
    str | None,
    typer.Option(
        "--json", metavar="FILE", rich_help_panel=SENDING, show_default=False,
        help="A JSON object with any of the fields; - is standard input.",
    ),
]  # fmt: skip
CommandId = Annotated[
    str | None,
    typer.Option(
        "--id", metavar="ID", rich_help_panel=SENDING, show_default="a new one",
        help="The command's id: sent again with it, the command happens once.",
    ),
]  # fmt: skip
IfVersion = Annotated[
    int | None,
    typer.Option(
        "--if-version", metavar="N", min=1, rich_help_panel=SENDING, show_default=False,
        help="Only if the record is at this version still.",
    ),
]  # fmt: skip
Yes = Annotated[bool, typer.Option("--yes", help="Skip the confirmation.", rich_help_panel=SENDING)]


def command_of(row: Command) -> Any:
    """Return the command that sends a row's command, its options made from the row's body."""
    options = options_of(row)
    ident = {} if row.is_new else {"ident": (id_argument(row), REQUIRED)}
    fields = {option.argument: (_annotation(option), None) for option in options}
    query = {filter_argument(each): (filter_annotation(each, SENDING), None) for each in row.filters}
    arguments = ident | fields | _sending(row) | query
    return make_command(row.word, _help(row, options), arguments, partial(_run, row, options))


def _sending(row: Command) -> dict[str, tuple[Any, Any]]:
    confirmation = {"yes": (Yes, False)} if row.word in CONFIRMED else {}
    return {
        "file": (File, None),
        "command_id": (CommandId, None),
        **({} if row.is_new else {"if_version": (IfVersion, None)}),
        **confirmation,
        **caller_arguments([row]),
    }


def _annotation(option: BodyOption) -> Any:
    field = option.field
    kind = _TYPES.get((field.item or field).type, str)
    words = (field.item or field).words
    shown = typer.Option(
        f"{option.flag}/--no-{option.flag[2:]}" if kind is bool else option.flag,
        help=describe(field),
        metavar=None if kind is bool else _metavar(field),
        show_default=False,
        rich_help_panel=FIELDS,
        autocompletion=lambda: list(words),
    )
    return Annotated[list[kind] | None if field.item else kind | None, shown]  # type: ignore[valid-type]


def _metavar(field: Field) -> str:
    inner = field.item or field
    if inner.type == "object":
        return "JSON"
    return "N" if inner.type == "integer" else "WORD" if inner.words else "TEXT"


def _help(row: Command, options: Sequence[BodyOption]) -> str:
    example = f"throughline {row.typed}{'' if row.is_new else ' ID'}{_required(options)}"
    return (
        f"{row.summary}\n\nExample: {example}\n\n{''.join(map(_personal_fields, row.fields))}"
        "Exit code: 0 when it is recorded, also by an earlier command of the same id; 1 when it was refused; 2 for bad "
        "input; 3 when the service does not answer: send it again with the id that is printed."
    )


def _personal_fields(field: Field) -> str:
    if not field.personal:
        return ""
    names = ", ".join(each.name for each in field.fields)
    return f"{field.name} ({names}): given by --json, or asked for, so that it does not lie in the shell's history.\n\n"


def _required(options: Sequence[BodyOption]) -> str:
    return "".join(f" {option.flag} {_example(option.field)}" for option in options if option.field.required)


def _example(field: Field) -> str:
    inner = field.item or field
    if inner.words:
        return inner.words[0]
    return str(inner.examples[0]) if inner.examples and inner.type != "object" else _metavar(field)


def _run(row: Command, options: Sequence[BodyOption], given: Mapping[str, Any]) -> None:
    path = path_of(row, given.get("ident"))
    command_id = _command_id(given["command_id"])
    body = body_of(options, given, read_file(given["file"]))
    check_missing(row, body)
    body = with_personal(row, body, from_input=given["file"] is not None)
    connection, role = connection_of([row], given["role"], given["home"], given["token"])
    if question := CONFIRMED.get(row.word):
        if given["file"] == STANDARD_INPUT and not given["yes"]:
            raise BadInput("--json -: standard input cannot answer the question too; give --yes.")
        confirm(question.format(f"{row.noun} {given['ident']}"), "sent", yes=given["yes"])
    headers = {"Idempotency-Key": command_id}
    if (version := given.get("if_version")) is not None:
        headers["If-Match"] = f'"{version}"'
    query = {each.name: read_filter(each, given[filter_argument(each)]) for each in row.filters}
    connection.url(row.service)
    with Services(connection, role or default_role(row)) as services:
        result = _sent(services, row, path, body, headers, query)
    if given["shown_as"] == "json":
        print_json(result)
    else:
        print_line(in_words(result))


def _command_id(given: str | None) -> str:
    if given is not None and _COMMAND_ID.fullmatch(given) is None:
        raise BadInput(f"--id {quoted(given)}: write 8 to 100 letters, digits, '.', '_', ':' and '-'.")
    return given or str(uuid4())


def _sent(
    services: Services, row: Command, path: str, body: Body, headers: Mapping[str, str], query: Mapping[str, Any]
) -> dict[str, Any]:
    again = f"Nobody knows whether it was recorded: send it again with --id {headers['Idempotency-Key']}."
    try:
        return services.execute(row.service, path, body, dict(headers), **query)
    except (OutcomeUnknown, Unreachable) as failure:
        raise type(failure)(f"{failure} {again}") from None
    except CommandRefused as refusal:
        if refusal.rule == "SchemaViolation":
            raise BadInput(by_options(row, refusal.says)) from None
        raise Failure(str(refusal)) from None


def by_options(row: Command, detail: str) -> str:
    """Return the detail of a refused body with options in place of its fields."""
    known = {option.place: option.flag for option in options_of(row)}

    def flag(field: re.Match[str]) -> str:
        place = tuple(field[1].strip(".").split("."))
        lengths = range(len(place), 0, -1)
        return next((known[place[:length]] for length in lengths if place[:length] in known), ".".join(place))

    return _IN_BODY.sub(flag, detail)


def in_words(result: Mapping[str, Any]) -> str:
    """Return what a command recorded, as a sentence."""
    names = ", ".join(event["type"].split(".")[2] for event in result["events"]) or "nothing new"
    if result.get("validated"):
        return f"{result['stream']} would be at version {result['version']}: {names}. Nothing was recorded."
    again = " It was recorded before, by a command of this id." if result["replayed"] else ""
    return f"{result['stream']} is at version {result['version']}: {names}.{again}"
