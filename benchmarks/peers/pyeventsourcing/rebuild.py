"""Rebuild one document per recommendation from pyeventsourcing's event store on PostgreSQL.

    python rebuild.py RECORDS BIN   (a file of `throughline simulate`, the folder of PostgreSQL's programs)

Prints a line of JSON: events, seconds, documents.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson
from eventsourcing.application import Application
from eventsourcing.domain import DomainEvent
from eventsourcing.persistence import StoredEvent, Transcoder
from eventsourcing.utils import get_topic
from psycopg import Connection
from psycopg.types.json import Jsonb, set_json_dumps

sys.path.insert(0, str(Path(__file__).parent.parent))
import plain

PORT = "54329"
CHUNK = 5_000
OWNER = "postgres"


class Recorded(DomainEvent):
    """An event of ours, as its bytes give it."""


class OurBytes(Transcoder):
    """The stored state is our event's own bytes, read by orjson: faster than the library's own JSON."""

    def encode(self, obj: Any) -> bytes:
        """Return bytes."""
        return orjson.dumps(obj)

    def decode(self, data: bytes) -> dict[str, Any]:
        """Return the event's attributes."""
        return {"event": orjson.loads(data)}


class Rebuilding(Application[UUID]):
    """An application whose aggregates are the plain states."""

    def construct_transcoder(self) -> Transcoder:
        """Read our bytes."""
        return OurBytes()


class FoldedState:
    """An aggregate as the repository returns it."""

    def __init__(self, state: plain.State) -> None:
        self.state = state
        self.version = state["version"]


def projected(_initial: FoldedState | None, events: Iterator[Any]) -> FoldedState | None:
    """Fold a stream, as the library's repository asks for it."""
    state = None
    for event in events:
        state = plain.evolve(state, event.event)
    return FoldedState(state) if state else None


@contextmanager
def postgres(programs: Path) -> Iterator[None]:
    """Run a server with its default durability on a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="throughline-postgres-"))
    owner = {"user": OWNER, "group": OWNER, "extra_groups": []} if os.geteuid() == 0 else {}
    if owner:
        shutil.chown(folder, OWNER, OWNER)
    data = str(folder / "data")

    def run(*command: str) -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, **owner)

    run(str(programs / "initdb"), "-D", data, "-A", "trust", "-U", "bench")
    options = f"-p {PORT} -k {folder} -c listen_addresses=127.0.0.1 -c shared_buffers=512MB -c max_wal_size=4GB"
    run(str(programs / "pg_ctl"), "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        run(str(programs / "createdb"), "-h", "127.0.0.1", "-p", PORT, "-U", "bench", "bench")
        yield
    finally:
        run(str(programs / "pg_ctl"), "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def load(app: Rebuilding, file: Path) -> dict[UUID, str]:
    """Store every event; this is not measured."""
    topic = get_topic(Recorded)
    streams: dict[str, int] = {}
    chunk: list[StoredEvent] = []
    with file.open("rb", buffering=1024 * 1024) as source:
        for _service, stream, raw in plain.records(source):
            streams[stream] = streams.get(stream, 0) + 1
            chunk.append(StoredEvent(uuid5(NAMESPACE_URL, stream), streams[stream], topic, raw))
            if len(chunk) == CHUNK:
                app.recorder.insert_events(chunk)
                chunk = []
    if chunk:
        app.recorder.insert_events(chunk)
    return {uuid5(NAMESPACE_URL, stream): stream for stream in streams}


def rebuild(app: Rebuilding, streams: dict[UUID, str], connection: Connection[Any]) -> int:
    """Read every aggregate through the repository, compose the documents, and write them in bulk."""
    states: dict[str, plain.State] = {}
    for originator, stream in streams.items():
        states[stream] = app.repository.get(originator, projector_func=projected).state
    references = [stream.partition("/")[2] for stream in states if stream.startswith("recommendation/")]
    with connection.cursor() as cursor, cursor.copy("COPY traces (reference, document) FROM STDIN") as copy:
        for reference in references:
            copy.write_row((reference, Jsonb(plain.compose(states, reference))))
    connection.commit()
    return len(references)


def main() -> None:
    """Load, rebuild, and say how long the rebuild took."""
    file, programs = Path(sys.argv[1]), Path(sys.argv[2])
    set_json_dumps(orjson.dumps)
    os.environ |= {
        "PERSISTENCE_MODULE": "eventsourcing.postgres", "POSTGRES_DBNAME": "bench", "POSTGRES_HOST": "127.0.0.1",
        "POSTGRES_PORT": PORT, "POSTGRES_USER": "bench", "POSTGRES_PASSWORD": "trusted",
    }  # fmt: skip
    with postgres(programs):
        app = Rebuilding()
        streams = load(app, file)
        with Connection.connect(f"host=127.0.0.1 port={PORT} user=bench dbname=bench") as connection:
            connection.execute("CREATE TABLE traces (reference text PRIMARY KEY, document jsonb NOT NULL)")
            connection.execute("ANALYZE")
            connection.commit()
            events = connection.execute("SELECT count(*) FROM rebuilding_events").fetchone()
            begun = time.perf_counter()
            documents = rebuild(app, streams, connection)
            seconds = time.perf_counter() - begun
        app.close()
    print(json.dumps({"count": events[0] if events else 0, "seconds": seconds, "documents": documents}))


if __name__ == "__main__":
    main()
