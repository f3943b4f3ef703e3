"""Synthetic histories for the measurements, generated once per run into its folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

from bson import BSON, decode_file_iter
from more_itertools import chunked

from benchmarks.servers import progress
from services.recommendations.commands import NoteLineage
from shared.events.canonical import leaf_hash
from shared.tlog.batches import MAX_BATCH
from tools.simulate import records
from tools.simulate.commits import SimulatedCommit
from tools.simulate.history import history

SEED = 2026
SERVICE = "recommendations"
CONSUMED = (SERVICE, "meetings")
"""The services whose events the recommendations service consumes."""
_SHARE_CONSUMED = 0.72
Document = dict[str, Any]


class Dataset:
    """Histories of several sizes, as files: records that the recommendations service consumes, and its own commits."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self, events: int) -> None:
        """Generate a history in which the recommendations service consumes so many events, unless it exists."""
        if self.consumed(events).exists():
            return
        progress(f"making a history of {events:,} events")
        simulated = history(int(events / _SHARE_CONSUMED) + 2_000, SEED)
        with ExitStack() as files:
            lineage = files.enter_context(self.lineage(events).open("wb"))
            commits = files.enter_context(self._commits(events).open("wb"))

            def noted() -> Iterator[SimulatedCommit]:
                for commit in simulated:
                    if commit.service == SERVICE:
                        document = BSON.encode(commit.document())
                        commits.write(document)
                        if isinstance(commit.command, NoteLineage):
                            lineage.write(document)
                    yield commit

            consumed = (record for record in records.records_of(noted()) if record.service in CONSUMED)
            count = records.write(self.consumed(events), islice(consumed, events))
        if count < events:
            raise ValueError(f"the history holds only {count} of {events} events")

    def consumed(self, events: int) -> Path:
        """Return the file of so many records of both consumed topics."""
        return self._folder / f"consumed-{events}.records"

    def lineage(self, events: int) -> Path:
        """Return the file of the commits that policies made in that history."""
        return self._folder / f"lineage-{events}.bson"

    def _commits(self, events: int) -> Path:
        return self._folder / f"commits-{events}.bson"

    def commits(self, events: int, start: int, count: int) -> list[Document]:
        """Return `count` commit documents of the recommendations service in that history, from the `start`th on."""
        with self._commits(events).open("rb") as file:
            documents = list(islice(decode_file_iter(file), start, start + count))
        if len(documents) < count:
            raise ValueError(f"the history of {events} events has too few commits")
        return documents


def as_records(documents: Sequence[Document]) -> Iterator[records.Record]:
    """Yield the events of commits as records that the relay would publish."""
    events = ((document["_id"]["s"].encode(), raw) for document in documents for raw in document["events"])
    unsigned = (records.Record(SERVICE, key, raw, n, leaf_hash(raw)) for n, (key, raw) in enumerate(events))
    for batch in chunked(unsigned, MAX_BATCH):
        yield from records.signed(batch)
