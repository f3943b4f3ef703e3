"""G3, G4: what every service reads equals what is replayed from Kafka, byte for byte, up to the last stored version."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient

from services.meetings import projection as meetings
from services.nominations import projection as nominations
from services.notifications import projection as notifications
from services.recommendations import projection as recommendations
from services.recommendations.trace import SHAPE as TRACE_SHAPE
from services.recommendations.trace import trace_bytes
from shared.domain.aggregate import Aggregate
from shared.projection.fold import UNFOLDED, FoldedState, fold_on
from shared.projection.state_store import StateStore
from tests.faults.rig.platform import Platform
from tests.faults.rig.reckoning.evidence import Evidence
from tests.faults.rig.reckoning.findings import Findings
from tools.local import grants
from tools.replay.comparison import rebuilt_from
from tools.replay.history import History, streams_of

Reads = tuple[Mapping[str, Aggregate[Any]], int, tuple[str, ...]]
READERS: dict[str, Reads] = {
    "nominations": (nominations.AGGREGATES, nominations.SHAPE, nominations.TOPICS),
    "meetings": (meetings.AGGREGATES, meetings.SHAPE, meetings.TOPICS),
    "recommendations": (recommendations.AGGREGATES, TRACE_SHAPE, recommendations.TOPICS),
    "notifications": (notifications.OWN, notifications.SHAPE, notifications.TOPICS),
}


def hears(service: str) -> list[str]:
    """Return the services whose events a service hears."""
    return [topic.removeprefix("throughline.") for topic in READERS[service][2]]


def hearers_of(service: str) -> list[str]:
    """Return the services that hear a service's events."""
    return [hearer for hearer in READERS if service in hears(hearer)]


def reckon(platform: Platform, evidence: Evidence, findings: Findings) -> None:
    """Set the read models against the topics, and against the commits."""
    asyncio.run(_reckon(platform, evidence, findings))


async def _reckon(platform: Platform, evidence: Evidence, findings: Findings) -> None:
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(platform.stack.mongodb_admin_uri)
    try:
        for service, (aggregates, shape, _) in READERS.items():
            history = _history(evidence, service)
            database = client[grants.database(service)]
            heads = {stream: head for heard in hears(service) for stream, head in evidence.heads(heard).items()}
            live = await StateStore(database, dict(aggregates), shape).read(heads)
            _current(service, heads, live.values(), findings)
            _equal(service, dict(_folded(history, aggregates)), live, findings)
            await _nobody_else(service, heads, database, findings)
            if service == "recommendations":
                traces = {row["_id"]: row async for row in database["traces"].find()}
                _traces(history, traces, findings)
    finally:
        client.close()


def _history(evidence: Evidence, service: str) -> History:
    history = History()
    for heard in hears(service):
        for arrival in evidence.topic[heard]:
            history.take(arrival)
    return history


def _current(service: str, heads: Mapping[str, int], live: Iterable[FoldedState], findings: Findings) -> None:
    """Every stored version, and so every acknowledged one, is visible in every service that hears it."""
    count = 0
    for state in live:
        count += 1
        if state.version < heads[state.stream]:
            findings.stick(f"{service} shows {state.stream} at version {state.version} of {heads[state.stream]}")
        elif state.blocked:
            findings.stick(f"{service} waits for a version of {state.stream}, of which it has all")
    findings.count("streams read", service, count)


def _folded(history: History, aggregates: Mapping[str, Aggregate[Any]]) -> Iterable[tuple[str, FoldedState]]:
    for stream, events in streams_of(history):
        aggregate = aggregates.get(stream.partition("/")[0], UNFOLDED)
        outcome = fold_on(aggregate, FoldedState(stream, aggregate.initial), events)
        assert outcome is not None, "a fold from version 1 takes corrections"
        yield stream, outcome.folded


def _equal(
    service: str, replayed: Mapping[str, FoldedState], live: Mapping[str, FoldedState], findings: Findings
) -> None:
    for stream, state in live.items():
        if state._replace(revision=0, policy_version=0, blocked=False) != replayed[stream]._replace(blocked=False):
            findings.lose(f"{service}: the state of {stream} is not what its history replayed from Kafka comes to")


async def _nobody_else(service: str, heads: Mapping[str, int], database: Any, findings: Findings) -> None:
    async for row in database["states"].find({"version": {"$gt": 0}}, {"_id": 1}):
        if row["_id"] not in heads:
            findings.lose(f"{service} shows {row['_id']}, of which no event is stored")


def _traces(history: History, live: Mapping[str, dict[str, Any]], findings: Findings) -> None:
    rebuilt = rebuilt_from(history).traces
    findings.count("traces", "recommendations", len(live))
    for reference in sorted(rebuilt.keys() | live.keys()):
        here, there = rebuilt.get(reference), live.get(reference)
        if there is None:
            findings.stick(f"the trace of {reference} is not there")
        elif here is None or trace_bytes(here) != trace_bytes(there):
            findings.lose(f"the trace of {reference} is not what its history replayed from Kafka comes to")
