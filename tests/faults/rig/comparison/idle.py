"""The wait until the platform is idle: an event that is missing then never arrives."""

from __future__ import annotations

import time
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import PyMongoError

from tests.faults.rig.comparison.notified import OPEN
from tests.faults.rig.comparison.projected import sources_of
from tests.faults.rig.platform import Platform
from tools.deployment import grants
from tools.local.stack import ALL_FOUR

Documents = Database[dict[str, Any]]
_CHECKS = 3


def wait_until_idle(platform: Platform, seconds: float) -> bool:
    """Wait until the platform is idle in several checks in a row; return False at the time limit."""
    until, checks = time.monotonic() + seconds, 0
    with MongoClient[dict[str, Any]](platform.stack.mongodb_admin_uri) as client:
        databases = {service: client[grants.database(service)] for service in ALL_FOUR}
        while time.monotonic() < until:
            try:
                checks = checks + 1 if _is_idle(databases) else 0
            except PyMongoError:
                checks = 0
            if checks == _CHECKS:
                return True
            time.sleep(0.4)
    return False


def _is_idle(databases: dict[str, Documents]) -> bool:
    heads = {service: heads_of(database) for service, database in databases.items()}
    for service, database in databases.items():
        if published_of(database) != sum(heads[service].values()):
            return False
        due = {stream: head for source in sources_of(service) for stream, head in heads[source].items()}
        if not consumed_up_to(due, database):
            return False
    return databases["notifications"]["states"].count_documents({"facets.standing": {"$in": sorted(OPEN)}}) == 0


def heads_of(database: Documents) -> dict[str, int]:
    """Return the last stored version by stream."""
    grouped = database["commits"].aggregate([{"$group": {"_id": "$_id.s", "last": {"$max": "$last"}}}])
    return {row["_id"]: row["last"] for row in grouped}


def published_of(database: Documents) -> int:
    """Return the published position."""
    published = database["relay"].find_one({"_id": "published"})
    return int(published["position"]) if published else 0


def consumed_up_to(due: dict[str, int], database: Documents) -> bool:
    """Tell whether a service's states are at these versions or later."""
    shown = {row["_id"]: row["version"] for row in database["states"].find({}, {"version": 1})}
    return all(shown.get(stream, 0) >= head for stream, head in due.items())
