"""Waiting until the platform has nothing more to do, so that what is then missing is missing for good."""

from __future__ import annotations

import time
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import PyMongoError

from tests.faults.rig.platform import Platform
from tests.faults.rig.reckoning.notified import OPEN
from tests.faults.rig.reckoning.projected import hears
from tools.local import grants
from tools.local.stack import ALL_FOUR

Documents = Database[dict[str, Any]]
_ROUNDS = 3


def settled(platform: Platform, seconds: float) -> bool:
    """Wait until nothing is on its way, seen several times running; False if that does not come about."""
    until, quiet = time.monotonic() + seconds, 0
    with MongoClient[dict[str, Any]](platform.stack.mongodb_admin_uri) as client:
        databases = {service: client[grants.database(service)] for service in ALL_FOUR}
        while time.monotonic() < until:
            try:
                quiet = quiet + 1 if _nothing_on_its_way(databases) else 0
            except PyMongoError:
                quiet = 0
            if quiet == _ROUNDS:
                return True
            time.sleep(0.4)
    return False


def _nothing_on_its_way(databases: dict[str, Documents]) -> bool:
    heads = {service: heads_of(database) for service, database in databases.items()}
    for service, database in databases.items():
        if published_of(database) != sum(heads[service].values()):
            return False
        due = {stream: head for heard in hears(service) for stream, head in heads[heard].items()}
        if not acted_on(due, database):
            return False
    return databases["notifications"]["states"].count_documents({"facets.standing": {"$in": sorted(OPEN)}}) == 0


def heads_of(database: Documents) -> dict[str, int]:
    """Return the last stored version of each stream."""
    grouped = database["commits"].aggregate([{"$group": {"_id": "$_id.s", "last": {"$max": "$last"}}}])
    return {row["_id"]: row["last"] for row in grouped}


def published_of(database: Documents) -> int:
    """Return the published position."""
    found = database["relay"].find_one({"_id": "published"})
    return int(found["position"]) if found else 0


def acted_on(due: dict[str, int], database: Documents) -> bool:
    """Tell whether every stream is read up to these versions."""
    shown = {row["_id"]: row["version"] for row in database["states"].find({}, {"version": 1})}
    return all(shown.get(stream, 0) >= head for stream, head in due.items())
