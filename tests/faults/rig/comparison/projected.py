"""G3, G4: each service's read model equals, byte for byte, its replay from Kafka up to the last stored version."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient

from services.meetings import projection as meetings
from services.nominations import projection as nominations
from services.notifications import projection as notifications
from services.recommendations import projection as recommendations
from services.recommendations.trace import trace_bytes
from shared.domain.aggregate import Aggregate
from shared.projection.fold import UNFOLDED, FoldedState, fold_on
from shared.projection.state_store import StateStore
from tests.faults.rig.comparison.evidence import Evidence
from tests.faults.rig.comparison.findings import Findings
from tests.faults.rig.platform import Platform
from tools.deployment import grants
from tools.replay.comparison import rebuilt_from
from tools.replay.history import History, streams_of

Reads = tuple[Mapping[str, Aggregate[Any]], int, tuple[str, ...]]
READERS: dict[str, Reads] = {
    "nominations": (nominations.AGGREGATES, nominations.SHAPE, nominations.TOPICS),
    "meetings": (meetings.AGGREGATES, meetings.SHAPE, meetings.TOPICS),
    "recommendations": (recommendations.AGGREGATES, recommendations.STATES_SHAPE, recommendations.TOPICS),
    "notifications": (notifications.OWN, notifications.SHAPE, notifications.TOPICS),
}


def sources_of(service: str) -> list[str]:
    """Return the services whose events a service consumes."""
    return [topic.removeprefix("throughline.") for topic in READERS[service][2]]


def consumers_of(service: str) -> list[str]:
    """Return the services that consume a service's events."""
    return [consumer for consumer in READERS if service in sources_of(consumer)]


def compare(platform: Platform, evidence: Evidence, findings: Findings) -> None:
    """Compare the read models with the topics and with the commits."""
    asyncio.run(_compare(platform, evidence, findings))


async def _compare(platform: Platform, evidence: Evidence, findings: Findings) -> None:
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(platform.stack.mongodb_admin_uri)
    try:
        for service, (aggregates, shape, _) in READERS.items():
            history = _history(evidence, service)
            database = client[grants.database(service)]
            heads = {stream: head for source in sources_of(service) for stream, head in evidence.heads(source).items()}
            live = await StateStore(database, dict(aggregates), shape).read(heads)
            _check_current(service, heads, live.values(), findings)
            _check_equal(service, dict(_folded(history, aggregates)), live, findings)
            await _check_no_others(service, heads, database, findings)
            if others := await database["states"].count_documents({"shape": {"$ne": shape}}):
                findings.stick(f"{service} holds {others} states of another shape")
            if service == "recommendations":
                traces = {row["_id"]: row async for row in database["traces"].find()}
                _check_traces(history, traces, findings)
    finally:
        client.close()


def _history(evidence: Evidence, service: str) -> History:
    history = History()
    for source in sources_of(service):
        for record in evidence.topic[source]:
            history.take(record, evidence.trust)
    return history


def _check_current(service: str, heads: Mapping[str, int], live: Iterable[FoldedState], findings: Findings) -> None:
    """Check that each stored version, and so each acknowledged one, is visible in each consuming service."""
    count = 0
    for state in live:
        count += 1
        if state.version < heads[state.stream]:
            findings.stick(f"{service} shows {state.stream} at version {state.version} of {heads[state.stream]}")
        elif state.blocked:
            findings.stick(f"{service} shows {state.stream} as blocked, and has all its versions")
    findings.count("streams read", service, count)


def _folded(history: History, aggregates: Mapping[str, Aggregate[Any]]) -> Iterable[tuple[str, FoldedState]]:
    for stream, events in streams_of(history):
        aggregate = aggregates.get(stream.partition("/")[0], UNFOLDED)
        outcome = fold_on(aggregate, FoldedState(stream, aggregate.initial), events)
        assert outcome is not None, "a fold from version 1 takes corrections"
        yield stream, outcome.folded


def _check_equal(
    service: str, replayed: Mapping[str, FoldedState], live: Mapping[str, FoldedState], findings: Findings
) -> None:
    for stream, state in live.items():
        if state._replace(revision=0, policy_version=0, blocked=False) != replayed[stream]._replace(blocked=False):
            findings.lose(f"{service}: the state of {stream} differs from its replay from Kafka")


async def _check_no_others(service: str, heads: Mapping[str, int], database: Any, findings: Findings) -> None:
    async for row in database["states"].find({"version": {"$gt": 0}}, {"_id": 1}):
        if row["_id"] not in heads:
            findings.lose(f"{service} shows {row['_id']}, of which no event is stored")


def _check_traces(history: History, live: Mapping[str, dict[str, Any]], findings: Findings) -> None:
    rebuilt = rebuilt_from(history).traces
    findings.count("traces", "recommendations", len(live))
    for reference in sorted(rebuilt.keys() | live.keys()):
        replayed, stored = rebuilt.get(reference), live.get(reference)
        if stored is None:
            findings.stick(f"the trace of {reference} is missing")
        elif replayed is None or trace_bytes(replayed) != trace_bytes(stored):
            findings.lose(f"the trace of {reference} differs from its replay from Kafka")
