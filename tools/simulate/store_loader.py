"""The loader of a history into the event stores, as the services would store it; their relays publish it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pymongo import MongoClient, WriteConcern
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from shared.events.catalogue import SERVICES
from shared.store.commits import DUPLICATE_KEY
from tools.simulate.commits import SimulatedCommit

BATCH = 1_000


class AlreadyStored(Exception):
    """The store already holds a stream or a command of this history."""


def store(
    commits: Iterable[SimulatedCommit], databases: Mapping[str, Database[dict[str, Any]]], after: Callable[[int], None]
) -> int:
    """Insert commits in order, and report the number of stored events to `after`. Raises AlreadyStored."""
    durable = WriteConcern(w="majority", j=True)
    stores = {name: database.get_collection("commits", write_concern=durable) for name, database in databases.items()}
    pending: dict[str, list[dict[str, Any]]] = {name: [] for name in databases}
    events = 0

    def flush(service: str) -> None:
        if batch := pending[service]:
            try:
                stores[service].insert_many(batch, ordered=True)
            except BulkWriteError as error:
                fault = error.details["writeErrors"][0]
                if fault["code"] != DUPLICATE_KEY:
                    raise
                raise AlreadyStored(f"{service} holds {fault['keyValue']} already") from None
            pending[service] = []

    for commit in commits:
        pending[commit.service].append(commit.document())
        events += len(commit.raws)
        if len(pending[commit.service]) >= BATCH:
            flush(commit.service)
            after(events)
    for service in databases:
        flush(service)
    after(events)
    return events


def databases_of(uris: Mapping[str, str], names: Mapping[str, str]) -> dict[str, Database[dict[str, Any]]]:
    """Return the database of each service, connected as the service's own user."""
    return {service: MongoClient[dict[str, Any]](uris[service])[names[service]] for service in SERVICES}
