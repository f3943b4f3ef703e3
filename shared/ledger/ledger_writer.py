"""Enters commits into the ledger: dense positions, and each version as the successor of its stream's last one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shared.events.canonical import leaf_hash
from shared.ledger.commit_feed import CommitFeed, traceparents_of
from shared.ledger.ledger import Batch, Entry, Ledger, Token
from shared.store.commits import StoredCommit


class EnteredBatch(NamedTuple):
    """A batch in the ledger, the bytes of its events, and the traceparents of some of them by position."""

    batch: Batch
    raws: list[bytes]
    traceparents: Mapping[int, str]


class LedgerWriter:
    """The writer of one service's ledger, with the ledger's end and stream heads in memory.

    They are stale once another relay has entered a batch: the next `enter` then meets its key, and raises LedgerMoved.
    """

    def __init__(self, ledger: Ledger, feed: CommitFeed) -> None:
        self._ledger, self._feed = ledger, feed
        self.heads: dict[str, int] = {}
        self.end = 0

    async def load(self) -> Token | None:
        """Load end and heads from the ledger; return the change stream token of its last batch."""
        last = await self._ledger.last()
        self.heads = await self._ledger.heads()
        self.end = last.end if last else 0
        return last.token if last else None

    async def reload(self) -> None:
        """Load the batches that another relay entered."""
        async for batch in self._ledger.since(self.end):
            self._advance(batch)

    async def enter(self, commits: Sequence[StoredCommit], token: Token) -> EnteredBatch | None:
        """Enter the commits that the ledger lacks, in one batch; None if it lacks none. Raises LedgerMoved."""
        missing = await self._missing(commits)
        if not missing:
            return None
        events = [(commit.stream, commit.first + n, raw) for commit in missing for n, raw in enumerate(commit.events)]
        entries = tuple(Entry(stream, version, leaf_hash(raw)) for stream, version, raw in events)
        batch = Batch(self.end, entries, token)
        await self._ledger.enter(batch)
        self._advance(batch)
        return EnteredBatch(batch, [raw for _, _, raw in events], traceparents_of(batch, missing))

    async def _missing(self, commits: Sequence[StoredCommit]) -> list[StoredCommit]:
        """Return the commits that the ledger lacks, and those between its heads and them."""
        heads: dict[str, int] = {}
        missing: list[StoredCommit] = []
        for commit in commits:
            head = heads.get(commit.stream, self.heads.get(commit.stream, 0))
            if commit.last <= head:
                continue
            successors = [commit]
            if commit.first != head + 1:
                successors = [earlier async for earlier in self._feed.after({commit.stream: head})]
            missing += successors
            heads[commit.stream] = successors[-1].last
        return missing

    def _advance(self, batch: Batch) -> None:
        for entry in batch.entries:
            self.heads[entry.stream] = entry.version
        self.end = batch.end
