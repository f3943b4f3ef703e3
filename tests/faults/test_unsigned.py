"""G10: nothing is believed, folded or acted upon that its log's key did not sign; what is signed takes its place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from bson.binary import Binary

from services.recommendations.projection import AGGREGATES, STATES_SHAPE, Traces
from shared.consumer.dead_letters import DeadLetters
from shared.consumer.decoder import RecordDecoder
from shared.consumer.decoding import decode_record
from shared.consumer.record import ConsumedEvent, KafkaRecord
from shared.events import recommendations as r
from shared.events.catalogue import Recorded, decode
from shared.projection.journal import Journal
from shared.projection.projector import Projector
from shared.projection.rebuild import rebuild
from shared.projection.state_store import StateStore
from shared.store.commits import commit_document
from shared.store.event_store import EventStore
from shared.tlog.trust import LogTrust
from tests.faults.reading import Reading, a_reading, elsewhere
from tests.history import History, a_history
from tests.proofs import TRUST, a_decoder
from tools.local.stack import Stack
from tools.simulate.log_keys import KEYS

pytestmark = pytest.mark.servers
INSTRUMENT = "instrument/i1"
REFERENCE = "recommendation/SYN/2031/R1"


def unsigned(record: KafkaRecord) -> KafkaRecord:
    """Return a record as it was before records were signed, which anybody can make."""
    return replace(record, headers=tuple(pair for pair in record.headers if pair[0] != "proof"))


def a_withdrawal(history: History, version: int) -> KafkaRecord:
    """Return an unsigned record of a forged withdrawal of a recommendation."""
    stream = history.records[REFERENCE]
    raw = history.encoded(REFERENCE, version, r.RecommendationWithdrawn(reason="Synthetic forgery"))
    return elsewhere(unsigned(stream[0]), 900 + version, value=raw)


@pytest.mark.parametrize("ahead", [1, 2, 50])
async def test_an_unsigned_event_is_not_folded_whenever_it_comes_and_stalls_nothing(servers: Stack, ahead: int) -> None:
    history = a_history()
    forged = a_withdrawal(history, len(history.records[REFERENCE]) + ahead)
    for batches in ([[forged], history.all()], [history.all(), [forged]], [[forged, *history.all(), forged]]):
        async with a_reading(servers.mongodb_admin_uri) as reading:
            for batch in batches:
                await reading.projector.project(batch)
            assert await reading.stored() == history.traces()
            assert await reading.dead_letters() == {forged.origin: "unsigned"}
            assert await reading.projector.stalled() == {}
            assert [_ async for _ in rebuild(reading.projector)]
            assert await reading.stored() == history.traces()


async def test_an_unsigned_record_is_resolved_once_its_bytes_arrive_with_a_proof(servers: Stack) -> None:
    history = a_history()
    before = [elsewhere(unsigned(record), 1_000 + n) for n, record in enumerate(history.all())]
    async with a_reading(servers.mongodb_admin_uri) as reading:
        await reading.projector.project(before)
        assert await reading.stored() == {}
        assert set((await reading.dead_letters()).values()) == {"unsigned"}
        await reading.projector.project(history.all())
        assert await reading.stored() == history.traces()
        assert await reading.dead_letters() == {}


async def test_a_record_at_the_offset_of_one_in_a_lost_topic_replaces_its_dead_letter(servers: Stack) -> None:
    history = a_history()
    lost = elsewhere(unsigned(history.records[INSTRUMENT][0]), 900)
    later = elsewhere(unsigned(history.records["session/3"][0]), 900, topic=lost.topic)
    async with a_reading(servers.mongodb_admin_uri) as reading:
        await reading.take(lost, lost, later, later)
        stored = {row["_id"]: row async for row in reading.database.dead_letters.find()}
        assert bytes(stored.pop(later.origin)["value"]) == later.value
        (superseded,) = stored.values()
        assert (bytes(superseded["value"]), superseded["standing"]) == (lost.value, "superseded")


async def from_before(reading: Reading) -> None:
    """Take the proofs out of a journal, as it was before records were signed."""
    await reading.database.journal.update_many({}, {"$unset": {"proof": 1}})


async def test_a_journal_from_before_signatures_stays_and_is_proven_by_a_republication(servers: Stack) -> None:
    history = a_history()
    async with a_reading(servers.mongodb_admin_uri) as reading:
        await reading.projector.project(history.all())
        await from_before(reading)
        assert len(await reading.projector.journal.without_proof(1_000)) == len(history.all())
        assert [_ async for _ in rebuild(reading.projector)]
        assert await reading.stored() == history.traces()
        await reading.projector.project(history.all())
        assert await reading.projector.journal.without_proof(1_000) == []
        assert await reading.stored() == history.traces()


async def test_a_proven_event_takes_the_place_of_a_forgery_from_before_signatures(servers: Stack) -> None:
    history = a_history()
    first, true, *_ = history.records[INSTRUMENT]
    event = r.ProvisionRegistered(provision="i1/forged", summary="Synthetic forgery")
    previous = decode(true.value or b"").previoushash
    raw = history.encoded(INSTRUMENT, 2, event, previous)
    forged = history.record(INSTRUMENT, raw, "recommendations")
    async with a_reading(servers.mongodb_admin_uri) as reading:
        await reading.take(first, forged)
        await from_before(reading)
        await reading.projector.project(history.all())
        assert await reading.stored() == history.traces()
        assert await reading.dead_letters() == {forged.origin: "unsigned"}


async def test_a_rebuild_sets_aside_what_a_compromised_key_signed_until_it_is_proven_again(servers: Stack) -> None:
    history = a_history()
    async with a_reading(servers.mongodb_admin_uri) as reading:
        await reading.projector.project(history.all())
        stolen = KEYS["recommendations"].signer.verifier
        others = [keys.signer.verifier for keys in KEYS.values() if keys.signer.verifier != stolen]
        distrusting = projector_of(reading, RecordDecoder(LogTrust([*others, stolen], [stolen.key_id.hex()])))
        assert [_ async for _ in rebuild(distrusting)]
        assert await reading.stored() == {}
        assert set((await reading.dead_letters()).values()) == {"unsigned"}
        await reading.projector.project(history.all())
        assert await reading.stored() == history.traces()
        assert await reading.dead_letters() == {}


def projector_of(reading: Reading, decoder: RecordDecoder, **more: Any) -> Projector:
    """Return another projector on the same database."""
    states, journal = StateStore(reading.database, AGGREGATES, STATES_SHAPE), Journal(reading.database)
    traces = Traces(reading.database, states, journal)
    dead_letters = DeadLetters(reading.database, "recommendations")
    return Projector(journal, states, dead_letters, decoder, traces.compose_for, **more)


class Noting:
    """Policies that note the events on which they act."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, int, bytes]] = []

    def handles(self, event: Recorded) -> bool:
        return True

    async def react(self, event: Recorded) -> None:
        self.noted.append((event.subject, event.streamversion, event.data.model_dump_json().encode()))


async def store_events(reading: Reading, *records: KafkaRecord) -> None:
    """Store the events of records as commits, one each."""
    for record in records:
        event = decode(record.value or b"")
        document = commit_document(
            event.subject, event.streamversion, [record.value or b""], command_id=event.id, actor="synthetic"
        )
        await reading.database.commits.insert_one(document)


async def test_a_policy_acts_on_an_own_event_only_where_the_own_store_holds_the_same_bytes(servers: Stack) -> None:
    history = a_history()
    first, second, third, *_ = history.records[INSTRUMENT]
    meeting = history.records["meeting/m1"][0]
    async with a_reading(servers.mongodb_admin_uri) as reading:
        policies = Noting()
        projector = projector_of(reading, a_decoder(), policies=policies, store=EventStore(reading.database))
        await store_events(reading, first)
        await projector.project([first, second, third, meeting])
        assert sorted(each[:2] for each in policies.noted) == [(INSTRUMENT, 1), ("meeting/m1", 1)]
        await store_events(reading, second, third)
        await projector.project([third])
        assert [each[:2] for each in policies.noted][2:] == [(INSTRUMENT, 2), (INSTRUMENT, 3)]


async def test_policies_run_again_on_events_that_take_the_place_of_others(servers: Stack) -> None:
    history = a_history()
    first, true, third, *_ = history.records[INSTRUMENT]
    previous = decode(true.value or b"").previoushash
    raw = history.encoded(INSTRUMENT, 2, r.ProvisionRegistered(provision="i1/x", summary="Synthetic fork"), previous)
    fork = replace(history.record(INSTRUMENT, raw, "recommendations"), offset=901)
    async with a_reading(servers.mongodb_admin_uri) as reading:
        policies = Noting()
        projector = projector_of(reading, a_decoder(), policies=policies)
        for record in (first, fork, true, third):
            await projector.project([record])
        versions = [version for _, version, _ in policies.noted]
        assert versions == [1, 2, 1, 2, 3]
        assert policies.noted[0] == policies.noted[2]
        assert policies.noted[1][2] != policies.noted[3][2]


async def test_policies_do_not_run_again_where_states_are_folded_again(servers: Stack) -> None:
    history = a_history()
    async with a_reading(servers.mongodb_admin_uri) as reading:
        policies = Noting()
        await projector_of(reading, a_decoder(), policies=policies).project(history.all())
        noted = sorted(each[:2] for each in policies.noted)
        assert len(noted) == len(history.all())
        await reading.database.states.update_many({}, {"$set": {"shape": STATES_SHAPE - 1}})
        again = projector_of(reading, a_decoder(), policies=policies)
        await again.prepare()
        await again.resume()
        assert await reading.database.states.distinct("shape") == [STATES_SHAPE]
        assert sorted(each[:2] for each in policies.noted) == noted


async def test_a_journalled_proof_is_that_of_its_position(servers: Stack) -> None:
    history = a_history()
    async with a_reading(servers.mongodb_admin_uri) as reading:
        await reading.projector.project(history.all())
        async for document in reading.database.journal.find():
            assert isinstance(document["proof"], bytes | Binary)
        events = [event async for event in reading.projector.journal.all()]
        expected = {event.key: event for event in map(decoded, history.all())}
        assert {event.key: event.proof for event in events} == {key: each.proof for key, each in expected.items()}


def decoded(record: KafkaRecord) -> ConsumedEvent:
    event = decode_record(record, TRUST)
    assert isinstance(event, ConsumedEvent)
    return event
