"""The words by which a command and a query are named: a noun, and one word to do with it."""

from __future__ import annotations

import re

_CAPITAL = re.compile("(?<!^)(?=[A-Z])")
_REPLICA = "-heard"
_TRACE = "/traces/{committee}/{year}/{number}"
_DEAD_LETTER = "/dead-letters/{topic}/{partition}/{offset}"
WRITTEN = {
    "/traces": "traces",
    _TRACE: "trace",
    f"{_TRACE}/provenance": "trace",
    f"{_TRACE}/events": "audit prove",
    "/coverage": "coverage",
    "/dead-letters": "dead-letters list",
    _DEAD_LETTER: "dead-letters show",
    f"{_DEAD_LETTER}/replay": "dead-letters replay",
    f"{_DEAD_LETTER}/dismiss": "dead-letters dismiss",
    "/stalled": "stalled",
    "/stalled/reasons": "stalled",
    "/ahead": "ahead",
    "/journal/unsigned": "unsigned",
    "/experts/{person}": "privacy export",
    "/subscribers/{person}": "privacy export",
    "/operations/rebuild": "rebuild",
    "/operations/republish": "republish",
    "/staff/{actor}/erase": "privacy erase",
    "/staff/me": "",
}
"""The words for a path whose command on the command line was written by hand; none where nobody types it."""


def singular(plural: str) -> str:
    """Return the singular of a plural: `priorities` is `priority`, `instruments-heard` is `instrument-heard`."""
    stem = plural.removesuffix(_REPLICA)
    one = f"{stem[:-3]}y" if stem.endswith("ies") else stem.removesuffix("s")
    return one + plural[len(stem) :]


def word_of_command(name: str, noun: str, path: str) -> str:
    """Return a command's word: the end of its path after the id, or without an id the verb of its name.

    Where that end is a noun of the name, as in `meetings/{meeting}/agenda` and AddAgendaItem, its word is the whole
    name, without the noun of the record.
    """
    words = _CAPITAL.sub("-", name).lower()
    ending = ending_of(path)
    if not ending:
        return words.partition("-")[0]
    others = f"-{words.partition('-')[2]}-"
    is_noun = any(f"-{each}-" in others for each in (ending, singular(ending)))
    return f"-{words}-".replace(f"-{noun}-", "-").strip("-") if is_noun else ending


def plural_of(path: str) -> str:
    """Return what a path is about: its words before the first id."""
    return "-".join(path.partition("/{")[0].strip("/").split("/"))


def ending_of(path: str) -> str:
    """Return the words of a path after its last id; none where it has no id, or ends with it."""
    return "-".join(path.rpartition("}")[2].strip("/").split("/")) if "}" in path else ""


def summary_of_query(summary: str, service: str, plural: str) -> str:
    """Return a query's summary as a sentence for a reader who sees neither pages nor services.

    A replica names the service that holds it.
    """
    for part in (", in pages", ", as NDJSON", ", as this service knows it"):
        summary = summary.replace(part, "")
    holder = f", as the service {service} has consumed it" if plural.endswith(_REPLICA) else ""
    return f"{summary.removesuffix('.')}{holder}."
