"""The queries of the services on the command line: one record by its noun, and lists by their plural."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

import orjson
import typer

from tools.cli.callers import caller_arguments, connection_of, default_role, id_argument, path_of
from tools.cli.filters import filter_annotation, filter_argument, flag_of, read_filter
from tools.cli.making import REQUIRED, make_command
from tools.cli.options import chosen
from tools.client.api import Parameter, Query
from tools.client.connection import Connection
from tools.client.errors import Failure
from tools.client.services import Services
from tools.render.records import print_list, print_one
from tools.render.terminal import print_bytes, print_json, print_line, print_page

NDJSON, JSON = "application/x-ndjson", "application/json"
_PAGED = frozenset({"limit", "after"})
_PAGE = "Filters"
_PAGE_SIZE = 500
Limit = Annotated[
    int | None,
    typer.Option("--limit", metavar="N", min=1, help="At most so many.", show_default="all", rich_help_panel=_PAGE),
]


def query_of(queries: Sequence[Query]) -> Any:
    """Return the command that shows what a query answers; where there are several, each is another service's."""
    row = queries[0]
    return make_command(row.typed.split()[-1], _help(row), _arguments(queries), partial(_run, queries))


def _arguments(queries: Sequence[Query]) -> dict[str, tuple[Any, Any]]:
    row = queries[0]
    return {
        **({"ident": (id_argument(row), REQUIRED)} if row.one else {}),
        **{filter_argument(each): (filter_annotation(each, _PAGE), _default(each)) for each in _filters(queries)},
        **({"limit": (Limit, None)} if _is_paged(row) else {}),
        **({"service": (_service_option(queries), None)} if len(queries) > 1 else {}),
        **caller_arguments(queries),
    }


def _is_paged(row: Query) -> bool:
    return {each.name for each in row.filters} >= _PAGED


def _default(filter_: Parameter) -> Any:
    return REQUIRED if filter_.required else None


def _filters(queries: Sequence[Query]) -> list[Parameter]:
    """Return the filters that may be typed, each with the words that any of the services takes.

    The places of pages are none, for all pages are read.
    """
    by_name: dict[str, Parameter] = {}
    for each in (each for query in queries for each in query.filters if not (_is_paged(query) and each.name in _PAGED)):
        known = by_name.get(each.name, each)
        by_name[each.name] = replace(known, words=tuple(dict.fromkeys(known.words + each.words)))
    return list(by_name.values())


def _takes(query: Query, filters: Mapping[str, Any]) -> bool:
    """Tell whether a service takes the words of the filters, which may be those of another."""
    own = {each.name: each.words for each in query.filters}
    return all(not own.get(name) or word in own[name] for name, word in filters.items() if word is not None)


def _service_option(queries: Sequence[Query]) -> Any:
    reach = "each in turn" if queries[0].one else "all of them"
    says = f"One of {', '.join(query.service for query in queries)}; where none is named, {reach}."
    return Annotated[str | None, typer.Option("--service", help=says, show_default=False)]


def _help(row: Query) -> str:
    required = "".join(f" {flag_of(each)} {_example(each)}" for each in row.filters if each.required)
    example = f"throughline {row.typed}{' ID' if row.one else ''}{required} --format json"
    zero = "0 with it; 1 when it is not on record, or refused" if row.one else "0 with the list; 1 when refused"
    codes = f"Exit code: {zero}; 2 for bad input; 3 when a service does not answer."
    return f"{row.summary}\n\nExample: {example}\n\n{codes}"


def _example(filter_: Parameter) -> str:
    return str(next(iter((*filter_.examples, *filter_.words)), "TEXT"))


def _run(queries: Sequence[Query], given: Mapping[str, Any]) -> None:
    row = queries[0]
    path = path_of(row, given.get("ident"))
    filters = {each.name: read_filter(each, given[filter_argument(each)]) for each in _filters(queries)}
    if (name := given.get("service")) is not None:
        chosen("--service", name, [each.service for each in queries], "a service that answers it")
        queries = [each for each in queries if each.service == name]
    connection, role = connection_of(queries, given["role"], given["home"], given["token"])
    answers = _answers(queries, path, filters, given.get("limit"), connection, role)
    if row.one:
        record = next((answer for _, answer in answers if answer is not None), None)
        if record is None:
            raise Failure(f"{row.noun} {given['ident']} is not on record.")
        _print(row, record, given["shown_as"])
    elif "service" not in given:
        [(_, answer)] = answers
        _print(row, answer, given["shown_as"])
    else:
        _print_each(row, dict(answers), given["shown_as"])


def _answers(
    queries: Sequence[Query],
    path: str,
    filters: Mapping[str, Any],
    limit: int | None,
    connection: Connection,
    role: str | None,
) -> Iterator[tuple[str, Any]]:
    """Yield the answer of each service, None where it has none; a later one is not asked before it is needed."""
    for query in queries:
        if not _takes(query, filters):
            continue
        with Services(connection, role or default_role(query)) as services:
            if _is_paged(query):
                yield query.service, _paged(services, query, path, filters, limit)
            else:
                yield query.service, _content(services.content(query.service, path, **filters))


def _paged(services: Services, query: Query, path: str, filters: Mapping[str, Any], limit: int | None) -> Any:
    """Return all items of a list, or the first of them, beside whatever else its first page says."""
    largest = next(each.maximum for each in query.filters if each.name == "limit") or _PAGE_SIZE
    size = min(largest, _PAGE_SIZE, limit or _PAGE_SIZE)
    items: list[Any] = []
    others: dict[str, Any] = {}
    for page in services.whole_pages(query.service, path, size, **filters):
        others = others or {name: value for name, value in page.items() if name not in ("items", "next")}
        items += page["items"]
        if limit is not None and len(items) >= limit:
            break
    return {**others, "items": items[:limit]} if others else items[:limit]


def _content(answer: tuple[str, bytes] | None) -> Any:
    """Return the value of JSON, a list of JSON lines, a text, or the bytes of anything else."""
    match answer:
        case None:
            return None
        case (media_type, raw) if media_type == JSON:
            return orjson.loads(raw)
        case (media_type, raw) if media_type == NDJSON:
            return [orjson.loads(line) for line in raw.split(b"\n") if line]
        case (media_type, raw) if media_type.startswith("text/plain"):
            return raw.decode("utf-8", "replace")
        case (_, raw):
            return raw


def _print_each(row: Query, answers: Mapping[str, Any], shown_as: str) -> None:
    if shown_as == "json":
        print_json(answers)
        return
    for service, answer in answers.items():
        print_line(f"{service}:")
        _print(row, answer if answer is not None else [], shown_as)


def _print(row: Query, answer: Any, shown_as: str) -> None:
    match answer:
        case bytes():
            print_bytes(answer)
        case _ if shown_as == "json":
            print_json(answer)
        case str():
            print_page(answer)
        case list():
            print_list(answer, row.plural, [each.name for each in _filters([row])])
        case {"items": list(items), **others}:
            if others:
                print_one(others)
            print_list(items, row.plural, [each.name for each in _filters([row])])
        case _:
            print_one(answer)
