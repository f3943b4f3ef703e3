"""The document that stores a folded state, and the largest one that is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bson

from shared.domain import search
from shared.domain.aggregate import Aggregate
from shared.projection.fold import FoldedState
from shared.projection.natural_order import natural_order

STATE_LIMIT = 15 * 2**20
"""The most bytes of a state's document: a trace repeats the state of its recommendation, and MongoDB takes 16 MiB."""
SMALL_VERSIONS = 100
"""This many events of at most 60 KB are never too large for a document, so that documents of fewer are not measured."""


class TooLargeToStore(ValueError):
    """A document is larger than those that are stored."""

    def __init__(self, what: str, size: int, limit: int) -> None:
        super().__init__(f"{what} would take {size} bytes, and at most {limit} are stored")


def state_document(aggregate: Aggregate[Any], folded: FoldedState, shape: int) -> dict[str, Any]:
    """Return the document of a folded state. Raises TooLargeToStore, and what the aggregate's own code raises."""
    document: dict[str, Any] = {
        "_id": folded.stream,
        "kind": folded.stream.partition("/")[0],
        "order": natural_order(folded.stream),
        "version": folded.version,
        "hash": folded.hash,
        "state": aggregate.states.dump_json(folded.state, exclude_none=True).decode(),
        "depends_on": sorted(aggregate.depends_on(folded.state)) if folded.version else [],
        "facets": aggregate.facets(folded.state),
        "acted": folded.policy_version,
        "revision": folded.revision + 1,
        "shape": shape,
        "search_shape": search.SHAPE,
    }
    if entries := search.entries_of(aggregate, folded.stream, folded.state) if folded.version else ():
        lines = search.lines_of(entries)
        document |= {"terms": search.terms_of(lines), "lines": "\n".join(lines)}
    if folded.blocked:
        document["waits"] = True
    if folded.fault is not None:
        document["fault"] = folded.fault
    if folded.version > SMALL_VERSIONS:
        _fit(document)
    return document


def _fit(document: dict[str, Any]) -> None:
    """Leave out the terms of a document that is too large with them. Raises TooLargeToStore."""
    what = f"the state of {document['version']} events"
    try:
        check_size(document, STATE_LIMIT, what)
    except TooLargeToStore:
        if document.pop("terms", None) is None:
            raise
        del document["lines"]
        check_size(document, STATE_LIMIT, what)


def check_size(document: Mapping[str, Any], limit: int, what: str) -> None:
    """Raise TooLargeToStore for a document of more bytes than a limit."""
    if (size := len(bson.encode(document))) > limit:
        raise TooLargeToStore(what, size, limit)
