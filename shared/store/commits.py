"""The commit document: the events that one command appended to one stream, as MongoDB stores them.

`{_id: {s: stream, v: first version}, last, command_id, command_digest, actor, trace, events: [bytes, ...]}`. A refilled
commit has no digest. `trace` is the traceparent of the append, if its trace was sampled: never part of the bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bson.binary import Binary

from shared.tracing.traceparent import well_formed

DUPLICATE_KEY = 11000
"""MongoDB's error code of an insert under a key that exists."""
PAST_ANY_VERSION = 2**31


class StoredCommit(NamedTuple):
    """A commit as stored: its stream, the version of its first event, its events' bytes, its traceparent if any."""

    stream: str
    first: int
    events: tuple[bytes, ...]
    traceparent: str | None = None

    @property
    def last(self) -> int:
        """The version of the last event."""
        return self.first + len(self.events) - 1


def commit_key(stream: str, version: int) -> dict[str, Any]:
    """Return the `_id` of the commit that begins at a version of a stream."""
    return {"s": stream, "v": version}


def commit_span(stream: str, start: int = 0, end: int = PAST_ANY_VERSION) -> dict[str, Any]:
    """Return the filter for a stream's commits that begin at `start` or later, but before `end`."""
    return {"_id": {"$gte": commit_key(stream, start), "$lt": commit_key(stream, end)}}


def commit_document(
    stream: str,
    first: int,
    raws: Sequence[bytes],
    *,
    command_id: str,
    actor: str,
    command_digest: str | None = None,
    traceparent: str | None = None,
) -> dict[str, Any]:
    """Return the document of a commit."""
    return {
        "_id": commit_key(stream, first),
        "last": first + len(raws) - 1,
        "command_id": command_id,
        **({} if command_digest is None else {"command_digest": command_digest}),
        "actor": actor,
        **({} if traceparent is None else {"trace": traceparent}),
        "events": [Binary(raw) for raw in raws],
    }


def stored_commit(document: Mapping[str, Any]) -> StoredCommit:
    """Return the commit that a document holds."""
    key, raws = document["_id"], tuple(bytes(raw) for raw in document["events"])
    return StoredCommit(key["s"], key["v"], raws, well_formed(document.get("trace")))
