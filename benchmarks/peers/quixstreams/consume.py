"""Fold both topics with Quix Streams, one document per recommendation into MongoDB by its own sink.

    python consume.py BROKER KAFKA_USER KAFKA_PASSWORD MONGODB_HOST PORT USER PASSWORD DATABASE COUNT

An empty user of Kafka does not authenticate; another does so by PLAIN.

Prints a line of JSON: events, seconds, documents.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from quixstreams import Application
from quixstreams.kafka.configuration import ConnectionConfig
from quixstreams.sinks.base import SinkBatch
from quixstreams.sinks.community.mongodb import MongoDBSink

sys.path.insert(0, str(Path(__file__).parent.parent))
import plain

TOPICS = ("throughline.recommendations", "throughline.meetings")
COMMIT_EVERY = 10_000
IDLE_SECONDS = 3.0


class Grouped:
    """The folded streams, and which recommendations each of them is in."""

    def __init__(self) -> None:
        self.states: dict[str, plain.State] = {}
        self.named_by: dict[str, set[str]] = defaultdict(set)
        self.count = 0
        self.first = 0.0
        self.last = 0.0

    def fold(self, event: plain.State, state: Any) -> list[str]:
        """Fold an event into the state that Quix keeps of its key; return the recommendations that it concerns."""
        self.first = self.first or time.perf_counter()
        stream = event["subject"]
        folded = plain.evolve(state.get("folded"), event)
        state.set("folded", folded)
        self.states[stream] = folded
        self.count += 1
        self.last = time.perf_counter()
        if not stream.startswith("recommendation/"):
            return list(self.named_by[stream])
        for named in plain.depends_on(folded):
            self.named_by[named].add(stream)
        return [stream]


class Documents(MongoDBSink):
    """The library's sink; each document is composed once per batch, as it then stands."""

    def __init__(self, grouped: Grouped, **more: Any) -> None:
        super().__init__(update_method="ReplaceOne", **more)
        self._grouped = grouped
        self.spent_last = 0.0

    def write(self, batch: SinkBatch) -> None:
        """Write the documents of the recommendations that a batch names."""
        begun = time.perf_counter()
        documents = SinkBatch(batch.topic, batch.partition)
        latest = {item.value: item for item in batch}
        for stream, item in latest.items():
            reference = stream.partition("/")[2]
            document = plain.compose(self._grouped.states, reference)
            documents.append(document, reference, item.timestamp, item.headers, item.offset)
        super().write(documents)
        self.spent_last = time.perf_counter() - begun
        self.written_at = time.perf_counter()


def main() -> None:
    """Consume what is there, and say how long it took from the first event to the last write."""
    broker, kafka_user, kafka_password, host, port, user, password, database, count = sys.argv[1:10]
    login = {
        "security_protocol": "sasl_plaintext", "sasl_mechanism": "PLAIN",
        "sasl_username": kafka_user, "sasl_password": kafka_password,
    }  # fmt: skip
    grouped = Grouped()
    with tempfile.TemporaryDirectory(prefix="throughline-quix-") as folder:
        app = Application(
            broker_address=ConnectionConfig(bootstrap_servers=broker, **(login if kafka_user else {})),
            consumer_group=f"quix-{database}", auto_offset_reset="earliest",
            state_dir=folder, use_changelog_topics=False, commit_every=COMMIT_EVERY, loglevel="WARNING",
            auto_create_topics=False,
        )  # fmt: skip
        sink = Documents(
            grouped, host=host, port=int(port), username=user, password=password, db=database, collection="traces",
            authSource="admin", replicaSet="throughline", w="majority",
        )  # fmt: skip
        for name in TOPICS:
            topic = app.topic(name, value_deserializer="json", key_deserializer="str")
            app.dataframe(topic).apply(grouped.fold, stateful=True, expand=True).sink(sink)
        app.run(timeout=IDLE_SECONDS)
    idle = max(0.0, sink.written_at - grouped.last - sink.spent_last)
    seconds = sink.written_at - grouped.first - (idle if idle > 1.0 else 0.0)
    documents = sum(stream.startswith("recommendation/") for stream in grouped.states)
    if grouped.count != int(count):
        raise SystemExit(f"read {grouped.count} of {count}")
    print(json.dumps({"count": grouped.count, "seconds": seconds, "documents": documents}))


if __name__ == "__main__":
    main()
