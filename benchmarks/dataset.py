"""The synthetic histories that are measured, made once for a run and kept in its folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

from bson import BSON, decode_file_iter

from benchmarks.servers import progress
from services.recommendations.commands import NoteLineage
from shared.events.canonical import leaf_hash
from tools.simulate import records
from tools.simulate.commits import SimulatedCommit
from tools.simulate.history import history

SEED = 2026
SERVICE = "recommendations"
HEARD = (SERVICE, "meetings")
"""The services whose events make traces."""
_SHARE_HEARD = 0.72
Document = dict[str, Any]


class Dataset:
    """Histories of several sizes, as files: records that the recommendations service hears, and commits of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self, events: int) -> None:
        """Make a history in which the recommendations service hears so many events, if it was not made before."""
        if self.heard(events).exists():
            return
        progress(f"making a history of {events:,} events")
        made = history(int(events / _SHARE_HEARD) + 2_000, SEED)
        with ExitStack() as files:
            lineage = files.enter_context(self.lineage(events).open("wb"))
            commits = files.enter_context(self._commits(events).open("wb"))

            def noted() -> Iterator[SimulatedCommit]:
                for commit in made:
                    if commit.service == SERVICE:
                        document = BSON.encode(commit.document())
                        commits.write(document)
                        if isinstance(commit.command, NoteLineage):
                            lineage.write(document)
                    yield commit

            heard = (record for record in records.records_of(noted()) if record.service in HEARD)
            count = records.write(self.heard(events), islice(heard, events))
        if count < events:
            raise ValueError(f"the history holds only {count} of {events} events")

    def heard(self, events: int) -> Path:
        """Return the file of so many records of both topics."""
        return self._folder / f"heard-{events}.records"

    def lineage(self, events: int) -> Path:
        """Return the file of the commits that policies had made in that history."""
        return self._folder / f"lineage-{events}.bson"

    def _commits(self, events: int) -> Path:
        return self._folder / f"commits-{events}.bson"

    def commits(self, events: int, start: int, count: int) -> list[Document]:
        """Return commit documents of the recommendations service in that history, from one on."""
        with self._commits(events).open("rb") as file:
            found = list(islice(decode_file_iter(file), start, start + count))
        if len(found) < count:
            raise ValueError(f"the history of {events} events has too few commits")
        return found


def as_records(documents: Sequence[Document]) -> Iterator[records.Record]:
    """Return the events of commits as the relay would publish them."""
    position = 0
    for document in documents:
        for raw in document["events"]:
            yield records.Record(SERVICE, document["_id"]["s"].encode(), raw, position, leaf_hash(raw))
            position += 1
