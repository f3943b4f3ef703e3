"""Corrections, voids, voids of voids and lineage policies, interleaved: live as replayed, and no note is left over."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.recommendations import commands as c
from services.recommendations.composing import subset
from services.recommendations.domain.state import Recommendation
from services.recommendations.domain.texts import number_of, texts_of
from services.recommendations.projection import OWN
from services.recommendations.subscribers import Policies
from services.recommendations.trace import compose, trace_bytes
from shared.consumer.decoding import decode_record
from shared.consumer.record import ConsumedEvent
from shared.domain.aggregate import Command
from shared.domain.correction_rules import NamesVoid, RecordIsVoid, VersionIsVoid
from shared.domain.rejections import OutOfOrder, Rejection
from shared.events.catalogue import Recorded
from shared.projection.fold import FoldedState, fold_on
from shared.projection.policies import PolicyRunner
from shared.store.correcting import CorrectRecord
from shared.store.voiding import VoidRecord
from tests.history import History, _filled, replayed
from tests.proofs import TRUST
from tests.recommendations.synthetic import old_asks, old_registered
from tests.shared.memory import MemoryService

pytestmark = pytest.mark.slow

R1, R2, R3 = (f"SYN/2030/R{number}" for number in (1, 2, 3))
OWNS = [f"recommendation/{reference}" for reference in (R1, R2, R3)]
CITE = c.CiteMandate(instrument="old", provision="old/ask")


class Office(MemoryService):
    """The recommendations service in memory, with a live fold beside it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.history, self.consumed = History(), dict[str, list[ConsumedEvent]]()
        self.live: dict[str, FoldedState] = {}

    async def run_policies(self) -> None:
        """Let the policies run until nothing follows any more, and consume all that was recorded."""
        await self.run(Policies(self, self.namesakes), "recommendations")  # type: ignore[arg-type]
        for stream, raws in self.store.raws.items():
            events = self.consumed.setdefault(stream, [])
            for raw in raws[len(events) :]:
                record = self.history.record(stream, raw, "recommendations")
                self.history.records.setdefault(stream, []).append(record)
                event = decode_record(record, TRUST)
                assert isinstance(event, ConsumedEvent)
                events.append(event)
            self._fold(stream, events)

    def _fold(self, stream: str, events: list[ConsumedEvent]) -> None:
        aggregate = OWN[stream.partition("/")[0]]
        initial = FoldedState(stream, aggregate.initial)
        before = self.live.get(stream, initial)
        outcome = fold_on(aggregate, before, events[before.version :]) or fold_on(aggregate, initial, events)
        assert outcome is not None
        self.live[stream] = outcome.folded

    def traces(self) -> dict[str, bytes]:
        """Return the compared bytes of the traces of the live states."""
        states = _filled(dict(self.live))
        composed = {key: compose(key, subset(key, states, {})) for key in (R1, R2, R3)}
        return {key: trace_bytes(trace) for key, trace in composed.items() if trace is not None}

    async def void(self, stream: str, version: int) -> Any:
        outcome = await self.execute(stream, VoidRecord(voids=version, reason="Synthetic mistake"))
        await self.run_policies()
        return outcome


async def an_office() -> Office:
    office = Office(dict(OWN))
    await office.execute("instrument/old", c.RegisterInstrument.model_validate(old_registered.model_dump()))
    await office.execute("instrument/old", c.RegisterProvision.model_validate(old_asks.model_dump()))
    for stream in OWNS:
        draft = c.DraftRecommendation(reference=stream.partition("/")[2], title="Synthetic")
        assert not isinstance(await office.execute(stream, draft), Rejection)
    return office


def _sent_back(outcome: str) -> tuple[Command, ...]:
    """Return the commands by which the Committee sends a text back or defers it, and it is adopted and sent anew."""
    disposed = c.RecordDisposition.model_validate({"session": 3, "outcome": outcome})
    return (*SENT, disposed, c.ReviseRecommendation(text=f"Revised after it was {outcome}"), ADOPT, TRANSMIT)


CLOSING: list[Command] = [
    c.SupersedeRecommendation(by=R2),
    c.MergeRecommendation(into=R2),
    c.SplitRecommendation(into=(R2, R3)),
]


@pytest.mark.parametrize("closing", CLOSING, ids=lambda command: type(command).__name__)
async def test_a_void_closing_takes_the_notes_in_the_others_back(closing: Command) -> None:
    office = await an_office()
    await office.execute(OWNS[0], closing)
    await office.run_policies()
    closed = office.traces()
    await office.void(OWNS[0], 2)
    assert b'"lineage":{}' in office.traces()[R1]
    assert b'"lineage":{}' in office.traces()[R2]
    await office.void(OWNS[0], 3)
    lineages = [trace.partition(b'"lineage"')[2].partition(b"}")[0] for trace in office.traces().values()]
    assert lineages == [trace.partition(b'"lineage"')[2].partition(b"}")[0] for trace in closed.values()]


async def test_a_void_recommendation_takes_its_notes_back() -> None:
    office = await an_office()
    await office.execute(OWNS[0], CLOSING[0])
    await office.run_policies()
    await office.void(OWNS[0], 1)
    assert b'"lineage":{}' in office.traces()[R2]


@pytest.mark.parametrize("versions", [(1, 2, 3), (2, 1, 3)])
async def test_voids_in_a_void_recommendation_leave_no_note_over(versions: tuple[int, ...]) -> None:
    office = await an_office()
    await office.execute(OWNS[0], CLOSING[0])
    await office.run_policies()
    refused = [version for version in versions if isinstance(await office.void(OWNS[0], version), RecordIsVoid)]
    assert len(refused) == 1
    notes, closed = len((await office.state(OWNS[1])).superseded), await office.state(OWNS[0])
    assert notes == len(getattr(closed, "superseded", ()))


async def test_a_void_record_is_not_named_and_is_not_there_for_its_commands() -> None:
    office = await an_office()
    await office.void("instrument/old", 1)
    assert await office.execute(OWNS[0], CITE) == NamesVoid("instrument/old")
    await office.void(OWNS[1], 1)
    assert await office.execute(OWNS[0], CLOSING[0]) == NamesVoid(OWNS[1])
    revised = await office.execute(OWNS[1], c.ReviseRecommendation(title="Late"))
    assert revised == OutOfOrder("ReviseRecommendation", OWNS[1], "void")
    draft = await office.execute(OWNS[1], c.DraftRecommendation(reference=R2, title="Anew"))
    assert draft == OutOfOrder("DraftRecommendation", OWNS[1], "void")


async def test_a_citation_of_a_void_instrument_is_taken_back_and_not_reconfirmed() -> None:
    office = await an_office()
    await office.execute(OWNS[0], CITE)
    await office.void("instrument/old", 1)
    reconfirm = c.ReconfirmCitation(instrument="old", provision="old/ask", superseded_by="new")
    assert await office.execute(OWNS[0], reconfirm) == NamesVoid("instrument/old")
    uncite = c.UnciteMandate(instrument="old", provision="old/ask", reason="Synthetic")
    assert not isinstance(await office.execute(OWNS[0], uncite), Rejection)


async def test_a_void_event_is_not_corrected() -> None:
    office = await an_office()
    await office.execute(OWNS[0], c.ReviseRecommendation(title="Synthetic, revised"))
    await office.void(OWNS[0], 2)
    command = CorrectRecord(corrects=2, data={"title": "Put right"}, reason="Synthetic")
    assert await office.execute(OWNS[0], command) == VersionIsVoid(OWNS[0], 2, 3)


@pytest.mark.parametrize(
    ("command", "data", "field"),
    [
        (CITE, {"instrument": "other", "provision": "old/ask"}, "instrument"),
        (c.ReviseRecommendation(priority="p1"), {"priority": "p2"}, "priority"),
        (
            c.ReportFollowUp.model_validate({"progress": "implemented", "evidence": {"session": 3}}),
            {"progress": "implemented", "evidence": {"session": 4}},
            "evidence",
        ),
    ],
    ids=["an id", "a stream", "a stream within a field"],
)
async def test_a_correction_changes_no_id_and_no_stream_that_the_event_names(
    command: Command, data: dict[str, Any], field: str
) -> None:
    office = await an_office()
    await office.execute("session/3", c.RecordCommitteeSession(session=3))
    selected = c.SelectPriority(priority="p1", title="P", outcome="O", timeline_to="2031")
    await office.execute("priority/p1", selected)
    assert not isinstance(await office.execute(OWNS[0], command), Rejection)
    refused = await office.execute(OWNS[0], CorrectRecord(corrects=2, data=data, reason="Synthetic"))
    assert isinstance(refused, Rejection)
    assert refused.rule == "CorrectionChangesIdentity"
    assert f"may not change {field}," in refused.sentence()
    assert f"throughline void {OWNS[0]} 2" in refused.sentence()
    same = command.model_dump(mode="json", exclude_none=True) | {"note": "Synthetic"}
    corrected = await office.execute(OWNS[0], CorrectRecord(corrects=2, data=same, reason="Synthetic"))
    assert not isinstance(corrected, Rejection)


ADOPT = c.AdoptRecommendation(status="unknown", note="Synthetic: silent.")
TRANSMIT = c.TransmitRecommendation(session=3)
SENT = (CITE, ADOPT, TRANSMIT)
LIFE: list[Command] = [
    CITE,
    ADOPT,
    ADOPT.model_copy(update={"text_version": 1}),
    TRANSMIT,
    TRANSMIT.model_copy(update={"session": 4}),
    c.ReviseRecommendation(title="Revised"),
    c.ReviseRecommendation(text="Revised"),
    c.ReviseRecommendation(title="Spelt right", clerical=True),
    c.ReportFollowUp(progress="unknown"),
]
DISPOSITIONS = [
    c.RecordDisposition.model_validate({"session": session, "outcome": outcome})
    for session in (3, 4)
    for outcome in ("returned", "deferred", "endorsed")
]
CORRECTED: list[dict[str, Any]] = [
    {"title": "Put right", "reference": R1},
    {"title": "Put right"},
    {"text": "Put right again"},
    {"session": 3, "outcome": "noted"},
    *({"status": "unknown", "note": "Synthetic: silent.", "text_version": number} for number in (1, 5, 6)),
]
STEPS = st.lists(
    st.one_of(
        st.just("policies"),
        st.sampled_from([*CLOSING, *LIFE, *DISPOSITIONS]).map(lambda command: (command,)),
        st.just(SENT),
        st.sampled_from(["returned", "deferred"]).map(_sent_back),
        st.tuples(st.just("void"), st.sampled_from([OWNS[0], *OWNS[:2], "instrument/old"]), st.integers(1, 16)),
        st.tuples(st.just("correct"), st.integers(1, 12), st.sampled_from(CORRECTED)),
    ),
    max_size=14,
)


async def _take(office: Office, step: Any) -> None:
    match step:
        case "policies":
            await office.run_policies()
        case ("void", stream, version):
            await office.execute(stream, VoidRecord(voids=version, reason="Synthetic mistake"))
        case ("correct", version, data):
            await office.execute(OWNS[0], CorrectRecord(corrects=version, data=data, reason="Synthetic"))
        case commands:
            for command in commands:
                await office.execute(OWNS[0], command)


def _adopted_words(state: Any) -> dict[tuple[int, ...], Any]:
    """Return the words that each adoption and transmission concerns, by the versions behind it."""
    if not isinstance(state, Recommendation):
        return {}
    texts = texts_of(state)
    chosen = {fact.versions: texts.get(number_of(fact, texts)) for fact in (*state.adoptions, *state.transmitted)}
    return {versions: text and (text.number, text.title, text.text) for versions, text in chosen.items()}


async def _end(steps: list[Any]) -> Office:
    """Take the steps; the words of an adoption or transmission are the same whenever it holds."""
    office, words = await an_office(), dict[tuple[int, ...], Any]()
    for session in (3, 4):
        await office.execute(f"session/{session}", c.RecordCommitteeSession(session=session))
    for step in steps:
        await _take(office, step)
        now = _adopted_words(await office.state(OWNS[0]))
        assert now == {versions: words.setdefault(versions, text) for versions, text in now.items()}, steps
        assert None not in now.values(), steps
    await office.run_policies()
    return office


READOPTED: list[Any] = [_sent_back("returned"), ("void", OWNS[0], 7), "policies", ("void", OWNS[0], 9), "policies"]
CLOSED: list[Any] = [_sent_back("deferred"), (CLOSING[0],), "policies", ("void", OWNS[0], 8), ("void", OWNS[0], 9)]


async def test_what_was_returned_and_adopted_anew_is_so_again_by_the_void_of_a_void() -> None:
    one = await (await _end(READOPTED[:1])).state(OWNS[0])
    again = await (await _end(READOPTED)).state(OWNS[0])
    assert one == again
    assert [item.data.text_version for item in one.adoptions] == [1, 6]
    assert [item.versions[0] for item in one.transmitted] == [4, 8]


@example(steps=READOPTED)
@example(steps=READOPTED[:3])
@example(steps=CLOSED)
@example(steps=CLOSED[:4])
@settings(max_examples=100, deadline=None)
@given(steps=STEPS)
def test_any_interleaving_is_live_as_replayed_from_nothing_and_leaves_no_note_over(steps: list[Any]) -> None:
    office = asyncio.run(_end(steps))
    assert office.traces() == replayed(office.history.all())
    one, two = (office.live[stream].state for stream in OWNS[:2])
    for kind in ("superseded", "merged", "split"):
        closings = [item.data for item in getattr(one, kind, ())]
        notes = [item.data for item in getattr(two, kind, ())]
        if two.stage != "void":
            assert len(notes) == len(closings), steps


async def test_an_effect_of_an_instance_that_looked_before_the_void_is_taken_back() -> None:
    office = await an_office()
    await office.execute(OWNS[0], CLOSING[0])
    looked, go_on = asyncio.Event(), asyncio.Event()

    class Slow(Policies):
        async def react(self, event: Recorded) -> None:
            looked.set()
            await go_on.wait()
            await super().react(event)

    def runs(policies: Policies, version: int) -> Coroutine[Any, Any, None]:
        parts = cast(Any, office)
        runner = PolicyRunner(policies, parts, parts, "recommendations", cast(Any, office.store))
        return runner.run({OWNS[0]: FoldedState(OWNS[0], None, version, policy_version=1)})

    one = asyncio.create_task(runs(Slow(cast(Any, office), office.namesakes), 2))
    await looked.wait()
    await office.execute(OWNS[0], VoidRecord(voids=2, reason="Synthetic mistake"))
    await runs(Policies(cast(Any, office), office.namesakes), 3)
    go_on.set()
    await one
    office.reacted[OWNS[0]] = 3
    await office.run_policies()
    states = [office.live[stream].state for stream in OWNS[:2]]
    assert [state.superseded for state in states] == [(), ()]
