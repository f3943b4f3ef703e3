"""G5: a poison record becomes a dead letter and stalls only its own stream; repair needs no edited bytes."""

from __future__ import annotations

from itertools import chain

import pytest
from structlog.testing import capture_logs

from services.recommendations.trace import trace_bytes
from shared.consumer.dead_letters import to_record
from shared.consumer.decoding import decode_record
from shared.consumer.record import POSITION, KafkaRecord
from shared.events import recommendations as r
from shared.events.catalogue import Recorded, Undecodable, decode
from shared.projection.rebuild import rebuild
from tests.faults.reading import a_reading, elsewhere, reading_of
from tests.history import History, a_history
from tests.proofs import TRUST, Headers, headers_by, signed_again
from tools.local.stack import Stack
from tools.replay.comparison import rebuilt_from
from tools.replay.history import History as CliHistory

pytestmark = pytest.mark.servers
INSTRUMENT = "instrument/i1"


def signed(raw: bytes) -> Headers:
    return headers_by("recommendations", raw, 990)


def poisons(good: KafkaRecord) -> dict[str, KafkaRecord]:
    """Return a poison record of each kind by its expected reason; trailing spaces make the keys differ."""
    raw = good.value or b""
    unknown_type = raw.replace(b"InstrumentRegistered.v1", b"InstrumentInvented.v1")
    wrong_schema = raw.replace(b'"cite":', b'"cited":')
    wrong_version = raw.replace(b'"streamversion":1', b'"streamversion":"1"')
    return {
        "undecodable": elsewhere(good, 901, value=b"\x00\xffgarbage", headers=signed(b"\x00\xffgarbage")),
        "unknown_type": elsewhere(good, 902, value=unknown_type, headers=signed(unknown_type)),
        "schema_violation": elsewhere(good, 903, value=wrong_schema, headers=signed(wrong_schema)),
        "undecodable ": elsewhere(good, 904, value=b"{not json", headers=signed(b"{not json")),
        "unsigned": elsewhere(good, 905, value=unknown_type),
        "unsigned ": elsewhere(good, 906, headers=()),
        "unsigned  ": elsewhere(good, 907, key=None),
        "unsigned   ": elsewhere(good, 908, headers=(("position", b"0"), good.headers[1])),
        "unsigned    ": elsewhere(good, 909, topic="throughline.meetings"),
        "too_large": elsewhere(good, 910, value=b"x" * 1_000_000, headers=signed(b"x" * 1_000_000)),
        "schema_violation ": elsewhere(good, 911, value=wrong_version, headers=signed(wrong_version)),
        "undecodable  ": elsewhere(good, 912, value=None, headers=signed(b"")),
    }


async def test_each_kind_of_poison_becomes_a_dead_letter_and_other_records_are_projected(servers: Stack):
    history = a_history()
    bad = poisons(history.records[INSTRUMENT][0])
    async with a_reading(servers.mongodb_admin_uri) as reading:
        await reading.projector.project([*bad.values(), *history.all()])
        await reading.projector.project(list(bad.values()))
        assert await reading.stored() == history.traces()
        by_origin = {row["_id"]: row async for row in reading.database.dead_letters.find()}
        assert {key: by_origin[record.origin]["reason"] for key, record in bad.items()} == {
            key: key.strip() for key in bad
        }
        assert all(bytes(by_origin[record.origin]["value"]) == (record.value or b"") for record in bad.values())


async def test_a_poisoned_stream_is_stalled_until_its_version_arrives_and_others_are_not(servers: Stack):
    history = a_history()
    first, second, third, *_ = history.records[INSTRUMENT]
    raw = (second.value or b"").replace(b"ProvisionRegistered.v1", b"ProvisionInvented.v1")
    unknown = elsewhere(second, 901, value=raw, headers=signed(raw))
    async with a_reading(servers.mongodb_admin_uri) as reading:
        await reading.take(first, unknown)
        assert await reading.projector.stalled() == {INSTRUMENT: 2}
        await reading.take(second, third)
        assert await reading.projector.stalled() == {}
        assert await reading.dead_letters("resolved") == {unknown.origin: "unknown_type"}


async def test_newer_code_decodes_the_dead_letters_of_older_code(servers: Stack, monkeypatch: pytest.MonkeyPatch):
    history = a_history()
    unknown = history.records[INSTRUMENT][1]

    def older(raw: bytes) -> Recorded:
        if raw == unknown.value:
            raise Undecodable("unknown_type", "not known to older code")
        return decode(raw)

    async with a_reading(servers.mongodb_admin_uri) as reading:
        with monkeypatch.context() as old:
            old.setattr("shared.consumer.decoding.decode", older)
            await reading.projector.project(history.all())
        assert await reading.dead_letters() == {unknown.origin: "unknown_type"}
        assert await reading.projector.stalled() == {INSTRUMENT: 2}
        dead_letter = await reading.projector.dead_letters.get(unknown.origin)
        assert dead_letter is not None
        event = decode_record(to_record(dead_letter), TRUST)
        await reading.projector.accept(event, "Synthetic: newer code", "operator-1")  # type: ignore[arg-type]
        await reading.projector.fold({INSTRUMENT})
        assert await reading.dead_letters("resolved") == {unknown.origin: "unknown_type"}
        assert await reading.projector.stalled() == {}
        assert await reading.stored() == history.traces()


@pytest.mark.parametrize("unknown", [[1], [1, 2], [0]], ids=["one", "two in turn", "the first"])
async def test_a_restart_with_newer_code_takes_the_dead_letters_of_older_code_again(
    servers: Stack, monkeypatch: pytest.MonkeyPatch, unknown: list[int]
):
    history = a_history()
    records = [history.records[INSTRUMENT][number] for number in unknown]
    never = elsewhere(records[0], 901, value=b"{not json", headers=signed(b"{not json"))

    def older(raw: bytes) -> Recorded:
        if raw in [record.value for record in records]:
            raise Undecodable("schema_violation" if raw == records[-1].value else "unknown_type", "Synthetic")
        return decode(raw)

    async with a_reading(servers.mongodb_admin_uri) as reading:
        with monkeypatch.context() as old:
            old.setattr("shared.consumer.decoding.decode", older)
            await reading.projector.project([*history.all(), never])
            reading = await reading.restarted()
            assert (await reading.dead_letters()).keys() == {record.origin for record in [*records, never]}
        reacted: list[int] = []
        counts: list[int] = []

        class Noted:
            def handles(self, event: Recorded) -> bool:
                return event.subject == INSTRUMENT

            async def react(self, event: Recorded) -> None:
                reacted.append(event.streamversion)

        for _ in range(2):
            reading = reading_of(reading.database)
            reading.projector.policies = Noted()
            await reading.projector.prepare()
            with capture_logs() as logs:
                await reading.projector.resume()
            counts += [entry["count"] for entry in logs if entry["event"] == "dead_letters_taken_again"]
        assert counts == [len(records)]
        assert await reading.projector.stalled() == {}
        assert (await reading.dead_letters("resolved")).keys() == {record.origin for record in records}
        assert (await reading.dead_letters()).keys() == {never.origin}
        assert await reading.stored() == history.traces()
        assert reacted == [1, 2, 3, 4]


async def test_a_stream_with_a_poisoned_first_event_is_stalled_and_garbage_starts_no_stream(servers: Stack):
    history = a_history()
    first, *later = history.records[INSTRUMENT]
    raw = (first.value or b"").replace(b"InstrumentRegistered.v1", b"InstrumentInvented.v1")
    unknown = elsewhere(first, 901, value=raw, headers=signed(raw))
    garbage = elsewhere(first, 902, key=b"instrument/invented", value=b"garbage", headers=signed(b"garbage"))
    other_subject = elsewhere(first, 903, key=b"instrument/invented")
    async with a_reading(servers.mongodb_admin_uri) as reading:
        await reading.take(unknown, garbage, other_subject)
        assert len(await reading.dead_letters()) == 3
        assert await reading.projector.stalled() == {INSTRUMENT: 1}
        await reading.take(first, *later)
        assert await reading.projector.stalled() == {}
        assert await reading.dead_letters("resolved") == {
            unknown.origin: "unknown_type",
            other_subject.origin: "unsigned",
        }


async def test_a_gap_stalls_its_stream_until_the_missing_version_arrives(servers: Stack):
    history = a_history()
    first, second, *later = history.records[INSTRUMENT]
    others = [record for record in history.all() if record not in (first, second, *later)]
    async with a_reading(servers.mongodb_admin_uri) as reading:
        await reading.take(first, *later)
        assert await reading.projector.stalled() == {INSTRUMENT: 2}
        await reading.take(*others, second)
        assert await reading.projector.stalled() == {}
        assert await reading.stored() == history.traces()


def a_forgery(history: History, stream: str, version: int, previous: str | None) -> KafkaRecord:
    """Return a well-formed record of a forged event at a version of a stream."""
    event = r.ProvisionRegistered(provision="i1/forged", summary="Synthetic forgery")
    raw = history.encoded(stream, version, event, previous)
    return KafkaRecord("throughline.recommendations", 0, 901, stream.encode(), raw, signed(raw))


def previous_hash_of(record: KafkaRecord) -> str:
    event = decode_record(record, TRUST)
    return event.recorded.previoushash  # type: ignore[union-attr]


async def test_a_forgery_delivered_first_is_refused_once_the_next_version_names_the_true_event(servers: Stack):
    history = a_history()
    first, second, third, *later = history.records[INSTRUMENT]
    forged = a_forgery(history, INSTRUMENT, 2, previous_hash_of(second))
    async with a_reading(servers.mongodb_admin_uri) as reading:
        await reading.take(first, forged)
        await reading.take(second)
        assert await reading.dead_letters() == {
            forged.origin: "conflicting_bytes",
            second.origin: "conflicting_bytes",
        }
        assert await reading.projector.stalled() == {INSTRUMENT: 2}
        await reading.take(third, *later)
        await reading.projector.project(history.all())
        assert await reading.stored() == history.traces()
        assert await reading.dead_letters("refused") == {forged.origin: "conflicting_bytes"}
        assert await reading.projector.stalled() == {}


async def test_a_forgery_of_a_version_whose_successor_is_known_changes_nothing(servers: Stack):
    history = a_history()
    forged = a_forgery(history, INSTRUMENT, 2, previous_hash_of(history.records[INSTRUMENT][1]))
    async with a_reading(servers.mongodb_admin_uri) as reading:
        await reading.projector.project(history.all())
        await reading.take(forged)
        assert await reading.stored() == history.traces()
        assert await reading.dead_letters() == {forged.origin: "conflicting_bytes"}
        assert await reading.projector.stalled() == {}


async def test_the_true_event_takes_the_place_of_a_forgery_with_a_broken_chain(servers: Stack):
    history = a_history()
    first, second, *later = history.records[INSTRUMENT]
    forged = a_forgery(history, INSTRUMENT, 2, "f" * 64)
    async with a_reading(servers.mongodb_admin_uri) as reading:
        await reading.take(first, forged)
        assert await reading.dead_letters() == {forged.origin: "broken_chain"}
        assert await reading.projector.stalled() == {INSTRUMENT: 2}
        await reading.take(second, *later)
        await reading.projector.project(history.all())
        assert await reading.stored() == history.traces()


async def test_an_operator_accepts_the_true_one_of_two_candidates(servers: Stack):
    history = a_history()
    stream = "session/3"
    (true,) = history.records[stream]
    raw = history.encoded(stream, 1, r.CommitteeSessionRecorded(session=3, starts_on="1999"), "0" * 64)
    forged = KafkaRecord(true.topic, 0, 901, stream.encode(), raw, signed(raw))
    async with a_reading(servers.mongodb_admin_uri) as reading:
        await reading.take(forged, true)
        assert await reading.projector.stalled() == {stream: 1}
        event = decode_record(true, TRUST)
        await reading.projector.accept(event, "Synthetic: read in the store", "operator-1")  # type: ignore[arg-type]
        await reading.projector.fold({stream})
        await reading.projector.project([*history.all(), forged])
        assert await reading.stored() == history.traces()
        assert await reading.projector.stalled() == {}


async def test_a_forgery_with_a_broken_chain_is_no_candidate_in_any_order_of_delivery(servers: Stack):
    history = a_history()
    first, second, *_ = history.records[INSTRUMENT]
    forged = a_forgery(history, INSTRUMENT, 2, "f" * 64)
    for batches in ([[first, forged, second]], [[first, second, forged]], [[first], [second], [forged]]):
        async with a_reading(servers.mongodb_admin_uri) as reading:
            for batch in batches:
                await reading.projector.project(batch)
            assert await reading.dead_letters(None) == {forged.origin: "broken_chain"}
            assert await reading.version(INSTRUMENT) == 2


async def test_a_dismissed_forgery_leaves_its_stream_current_also_when_redelivered(servers: Stack):
    history = a_history()
    first, *_ = history.records[INSTRUMENT]
    forged = a_forgery(history, INSTRUMENT, 2, "f" * 64)
    async with a_reading(servers.mongodb_admin_uri) as reading:
        await reading.take(first, forged)
        assert await reading.projector.stalled() == {INSTRUMENT: 2}
        await reading.projector.dead_letters.close(forged.origin, "dismissed", "Synthetic")
        assert await reading.projector.stalled() == {}
        await reading.forget()
        await reading.take(first, forged)
        assert await reading.projector.stalled() == {}


@pytest.mark.parametrize("in_one_batch", [True, False])
async def test_decisions_on_dead_letters_survive_a_redelivery_of_everything(servers: Stack, in_one_batch: bool):
    history = a_history()
    first, second, *later = history.records[INSTRUMENT]
    forged = a_forgery(history, INSTRUMENT, 2, previous_hash_of(second))
    everything = [first, forged, second, *later, *history.all()]
    async with a_reading(servers.mongodb_admin_uri) as reading:
        await reading.take(*everything)
        assert await reading.stored() == history.traces()
        await reading.forget()
        for batch in [everything] if in_one_batch else [[record] for record in everything]:
            await reading.projector.project(batch)
        assert await reading.stored() == history.traces()
        assert await reading.projector.stalled() == {}
        assert await reading.dead_letters("refused") == {forged.origin: "conflicting_bytes"}


@pytest.mark.parametrize("claimed", [0, 990])
@pytest.mark.parametrize("delivered", ["before", "after", "in one batch"])
async def test_true_bytes_at_another_position_are_projected_as_in_a_replay_in_any_order(
    servers: Stack, delivered: str, claimed: int
):
    history = a_history()
    true, *after = history.records[INSTRUMENT][1:]
    forged = signed_again(elsewhere(true, 901), claimed)
    others = [record for record in history.all() if record not in (true, *after)]
    batches = {"before": [[forged], [true]], "after": [[true], [forged]], "in one batch": [[true, forged]]}[delivered]
    replayed = CliHistory()
    for record in [*others, *chain(*batches), *after]:
        replayed.take(record, TRUST)
    expected = {reference: trace_bytes(trace) for reference, trace in rebuilt_from(replayed).traces.items()}
    assert expected == history.traces()
    async with a_reading(servers.mongodb_admin_uri) as reading:
        for batch in (others, *batches, after):
            await reading.projector.project(batch)
        assert await reading.stored() == expected
        [place] = await reading.projector.journal.places({INSTRUMENT: [2]})
        assert place.position == min(claimed, int(dict(true.headers)[POSITION]))
        assert [_ async for _ in rebuild(reading.projector)]
        assert await reading.stored() == expected
    assert replayed.disputed == []
