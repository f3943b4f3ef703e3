"""The words of the command line that are made from `tools/client/api.json`: nouns with their words, and lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tools.cli.commands import COMMANDS
from tools.client import api
from tools.client.api import Command, Query

RECORDS, LISTS = "Records: a noun, then what is done with it", "Lists"


class Load(NamedTuple):
    """A command that is not loaded yet: its help, and the function that loads it."""

    help: str
    load: Callable[[], Any]
    panel: str | None = None


def nouns() -> dict[str, dict[str, Load]]:
    """Return the words of each noun, by noun: those that record, then those that show."""
    by_noun: dict[str, dict[str, Load]] = {}
    for command in api.commands():
        by_noun.setdefault(command.noun, {})[command.word] = Load(command.summary, _recording(command))
    if uploads := [row for row in api.operations() if row.typed == "document put"]:
        by_noun[uploads[0].noun] = {uploads[0].word: Load(f"{uploads[0].summary}.", _storing(uploads))}
    for typed, queries in _queries(one=True).items():
        noun, word = typed.split()
        by_noun.setdefault(noun, {})[word] = Load(queries[0].summary, _reading(queries))
    return by_noun


def lists() -> dict[str, Load]:
    """Return the lists, by their plural."""
    return {typed: Load(queries[0].summary, _reading(queries), LISTS) for typed, queries in _queries(one=False).items()}


def _queries(*, one: bool) -> dict[str, list[Query]]:
    """Return the queries by what is typed for them, one for each service; those written by hand are left out."""
    written = {row.command for row in COMMANDS}
    by_words: dict[str, list[Query]] = {}
    for query in api.queries():
        if query.one == one and query.typed not in written:
            by_words.setdefault(query.typed, []).append(query)
    return by_words


def _recording(command: Command) -> Callable[[], Any]:
    def load() -> Any:
        from tools.cli.record_commands import command_of

        return command_of(command)

    return load


def _reading(queries: Sequence[Query]) -> Callable[[], Any]:
    def load() -> Any:
        from tools.cli.record_queries import query_of

        return query_of(queries)

    return load


def _storing(rows: Sequence[Command]) -> Callable[[], Any]:
    def load() -> Any:
        from tools.cli.documents import upload_of

        return upload_of(rows)

    return load
