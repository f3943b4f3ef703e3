"""Two registrations of one instrument, relations that form a circle, and discharges of no duty."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from services.recommendations.commands import (
    CarryInstrument,
    DischargeReportingDuty,
    MergeRecommendation,
    NoteDoubleRegistration,
    RegisterInstrument,
    SplitRecommendation,
    SupersedeInstrument,
    SupersedeRecommendation,
)
from services.recommendations.domain.instrument import INSTRUMENT
from services.recommendations.domain.instrument_keys import keys
from services.recommendations.domain.recommendation import RECOMMENDATION
from services.recommendations.domain.rules import (
    InstrumentIsRegistered,
    InstrumentRelatesToItself,
    ProvisionHasNoReportingDuty,
    RelationsFormACircle,
)
from services.recommendations.subscribers import Policies
from shared.domain.aggregate import Command, Context, Known
from shared.domain.rejections import OutOfOrder, Rejection
from shared.events import recommendations as r
from shared.events.event import Event
from shared.store.event_store import Commit
from tests.given import NOW, given, known, recorded
from tests.history import History, composed
from tests.record.synthetic import a_record, faults_of

DECISION = {"body": "SYN", "title": "Synthetic"}


def registered(instrument: str, cite: str, **more: Any) -> r.InstrumentRegistered:
    return r.InstrumentRegistered(instrument=instrument, cite=cite, **DECISION, **more)


def on_record(instrument: str, *events: Event, cite: str | None = None) -> dict[str, Known]:
    """Return an instrument that is on record."""
    first = registered(instrument, cite or f"Synthetic {instrument}")
    return known(INSTRUMENT, f"instrument/{instrument}", first, *events)


def decided(stream: str, command: Command, facts: dict[str, Known], *history: Event) -> Any:
    """Return the decision on a command with all facts that it leads to."""
    aggregate = RECOMMENDATION if stream.startswith("recommendation/") else INSTRUMENT
    state = aggregate.fold(recorded(stream, *history))
    context = Context(NOW, "synthetic", "secretariat", "synthetic-command", "synthetic")
    return aggregate.decided(state, command, stream=stream, facts=facts, context=context)


SAME = [
    ("Décision 1", {"cite": "De\u0301cision 1"}),
    ("Synthetic resolution 1", {"cite": "SYNTHETIC  RESOLUTION 1"}),
    ("Synthetic resolution 1", {"cite": "Syntheticresolution\u00a01"}),
    ("Straße 1", {"cite": "STRASSE 1"}),
    ("Synthetic resolution 1", {"cite": "Synthetic\u200b reso\u00adlution\u202e 1\ufeff"}),
    ("SYN/RES/1", {"cite": "Another", "symbol": "syn/res/1"}),
]


@pytest.mark.parametrize(("cite", "again"), SAME)
def test_a_citation_or_symbol_on_record_is_not_registered_again(cite: str, again: dict[str, str]) -> None:
    command = RegisterInstrument(instrument="b", **DECISION, **again)
    refused = decided("instrument/b", command, on_record("a", cite=cite))
    assert isinstance(refused, InstrumentIsRegistered)
    assert (refused.field, refused.other) == ("symbol" if "symbol" in again else "cite", "a")
    assert "instrument/a" in refused.sentence()
    assert keys(command) & keys(registered("a", cite))


def test_a_correction_does_not_take_the_citation_of_another() -> None:
    facts = on_record("a", cite="Synthetic resolution 1")
    again = registered("b", "synthetic resolution 1")
    refused = INSTRUMENT.refusal_of(INSTRUMENT.initial, again, stream="instrument/b", facts=facts, now=NOW)
    assert isinstance(refused, InstrumentIsRegistered)
    own = INSTRUMENT.refusal_of(INSTRUMENT.initial, again, stream="instrument/a", facts=facts, now=NOW)
    assert own is None


def test_a_file_does_not_register_one_instrument_twice(tmp_path: Path) -> None:
    record = a_record()
    record["instruments"].append({"id": "third", "cite": "SYNTHETIC resolution one  1", "body": "SYN", "title": "T"})
    [fault] = faults_of(tmp_path, record)
    assert (fault.rule, fault.row) == ("InstrumentIsRegistered", "instruments[2]")
    assert "instrument/one-old" in fault.says


class OfficeInMemory:
    """Command handlers over instruments in memory."""

    def __init__(self, facts: dict[str, Known]) -> None:
        self.facts = facts
        self.commands: list[tuple[str, Command]] = []

    async def known(self, stream: str) -> Known | None:
        return self.facts.get(stream)

    async def handle(self, stream: str, command: Command, _context: Context) -> Commit | Rejection:
        self.commands.append((stream, command))
        return Commit(stream, 1, 1, ())

    async def namesakes(self, _kind: str, wanted: Any) -> set[str]:
        return {s for s, known in self.facts.items() if keys(known.state.registered.data) & set(wanted)}


async def test_a_race_of_two_registrations_is_noted_in_both() -> None:
    facts = on_record("a", cite="Synthetic 1") | on_record("b", cite="SYNTHETIC 1") | on_record("c")
    office = OfficeInMemory(facts)
    policies = Policies(office, office.namesakes)  # type: ignore[arg-type]
    [event] = recorded("instrument/b", registered("b", "SYNTHETIC 1"))
    assert policies.handles(event)
    await policies.react(event)
    noted = [
        (stream, command.other) for stream, command in office.commands if isinstance(command, NoteDoubleRegistration)
    ]
    assert noted == [("instrument/b", "a"), ("instrument/a", "b")]


async def test_what_is_noted_already_is_not_noted_again() -> None:
    note = r.DoubleRegistrationNoted
    facts = on_record("a", note(other="b"), cite="Synthetic 1") | on_record("b", note(other="a"), cite="Synthetic 1")
    office = OfficeInMemory(facts)
    [event] = recorded("instrument/b", registered("b", "Synthetic 1"))
    await Policies(office, office.namesakes).react(event)  # type: ignore[arg-type]
    assert office.commands == []
    given(INSTRUMENT, "instrument/a", registered("a", "Synthetic 1"), note(other="b")).when(
        NoteDoubleRegistration(other="b")
    ).then_refused(OutOfOrder)


def traced(*of_a: Event, cite_of_b: str = "SYNTHETIC 1", of_b: Iterable[Event] = ()) -> dict[str, Any]:
    """Compose the trace of a recommendation that cites instrument `a` and was carried by it."""
    history = History()
    history.add(
        "instrument/a", registered("a", "Synthetic 1"), r.ProvisionRegistered(provision="p", summary="S"), *of_a
    )
    history.add("instrument/b", registered("b", cite_of_b), r.InstrumentSuperseded(by="a"), *of_b)
    history.add(
        "recommendation/SYN/2031/R1",
        r.RecommendationDrafted(reference="SYN/2031/R1", title="Synthetic"),
        r.MandateCited(instrument="a", provision="p"),
        r.RecommendationCarried(instrument="a"),
    )
    return composed(history.all())["SYN/2031/R1"]


TWICE = "Synthetic 1 is on record twice, as a and b: what rests on the one does not show for the other."
MUTUAL = "Synthetic 1 and SYNTHETIC 1 are on record as superseding each other."


def test_two_registrations_are_one_gap_on_the_trace_until_one_is_corrected() -> None:
    trace = traced(r.DoubleRegistrationNoted(other="b"))
    assert trace["gaps"].count(TWICE) == 1
    assert trace["mandates"][0]["also_registered_as"] == [{"instrument": "b"}]
    assert ["instrument/b", 2] in [each[:2] for each in trace["based_on"]]
    assert TWICE not in traced(r.DoubleRegistrationNoted(other="b"), cite_of_b="Synthetic 2")["gaps"]


def test_a_void_double_is_no_gap_and_the_double_is_none() -> None:
    void = r.RecordVoided(voids=1, reason="Synthetic mistake")
    gaps = traced(r.DoubleRegistrationNoted(other="b"), of_b=[void])["gaps"]
    assert not [gap for gap in gaps if "b" in gap.split() or "void" in gap]
    assert TWICE not in gaps


def test_fold_and_compose_end_on_a_circle_and_name_it() -> None:
    assert traced(r.InstrumentSuperseded(by="b"))["gaps"].count(MUTUAL) == 1
    itself = traced(r.InstrumentSuperseded(by="a"))
    assert "Synthetic 1 and Synthetic 1 are on record as superseding each other." in itself["gaps"]


def test_an_instrument_is_not_related_to_itself() -> None:
    given(INSTRUMENT, "instrument/a", registered("a", "A")).when(CarryInstrument(by="a")).then_refused(
        InstrumentRelatesToItself
    )


@pytest.mark.parametrize(
    "facts",
    [
        on_record("b", r.InstrumentSuperseded(by="a")),
        on_record("b", r.InstrumentSuperseded(by="c")) | on_record("c", r.InstrumentSuperseded(by="a")),
    ],
    ids=["at once", "through a third"],
)
def test_no_circle_of_supersessions_is_recorded(facts: dict[str, Known]) -> None:
    history, command = registered("a", "Synthetic a"), SupersedeInstrument(by="b")
    assert isinstance(decided("instrument/a", command, facts, history), RelationsFormACircle)
    assert INSTRUMENT.leads_to(command, on_record("b", r.InstrumentSuperseded(by="c"))) == {"instrument/c"}
    assert not isinstance(decided("instrument/a", CarryInstrument(by="b"), facts, history), Rejection)


def test_a_circle_of_others_does_not_hold_a_decision_up() -> None:
    facts = on_record("b", r.InstrumentSuperseded(by="c")) | on_record("c", r.InstrumentSuperseded(by="b"))
    command = SupersedeInstrument(by="b")
    assert not isinstance(decided("instrument/a", command, facts, registered("a", "Synthetic a")), Rejection)


def a_recommendation(number: int, *events: Event) -> dict[str, Known]:
    reference = f"SYN/2030/R{number}"
    drafted = r.RecommendationDrafted(reference=reference, title="Synthetic")
    return known(RECOMMENDATION, f"recommendation/{reference}", drafted, *events)


@pytest.mark.parametrize(
    "command",
    [
        SupersedeRecommendation(by="SYN/2030/R2"),
        MergeRecommendation(into="SYN/2030/R2"),
        SplitRecommendation(into=("SYN/2030/R4", "SYN/2030/R2")),
    ],
    ids=lambda command: type(command).__name__,
)
def test_no_recommendation_is_closed_in_favour_of_one_that_was_closed_in_its_favour(command: Command) -> None:
    facts = (
        a_recommendation(2, r.RecommendationMerged(into="SYN/2030/R3"))
        | a_recommendation(3, r.RecommendationSplit(into=("SYN/2030/R1", "SYN/2030/R5")))
        | a_recommendation(4)
    )
    drafted = r.RecommendationDrafted(reference="SYN/2030/R1", title="Synthetic")
    assert isinstance(decided("recommendation/SYN/2030/R1", command, facts, drafted), RelationsFormACircle)
    assert "recommendation/SYN/2030/R3" in RECOMMENDATION.leads_to(command, facts)


def test_a_file_with_a_circle_is_refused(tmp_path: Path) -> None:
    record = a_record()
    record["relations"].append({"kind": "superseded_by", "from": "one-new", "to": "one-old"})
    assert "RelationsFormACircle" in [fault.rule for fault in faults_of(tmp_path, record)]


def test_a_discharge_names_a_duty() -> None:
    provision = r.ProvisionRegistered(provision="p", summary="Synthetic")
    duty = provision.model_copy(update={"reporting_duty": r.ReportingDuty(body="SYN")})
    command = DischargeReportingDuty(provision="p", document_symbol="SYN/1")
    discharged = r.ReportingDutyDischarged(provision="p", document_symbol="SYN/1")
    given(INSTRUMENT, "instrument/a", registered("a", "A"), duty).when(command).then(discharged)
    without = given(INSTRUMENT, "instrument/a", registered("a", "A"), provision)
    without.when(command).then_refused(ProvisionHasNoReportingDuty)
    refused = INSTRUMENT.refusal_of(without.state, discharged, stream="instrument/a", facts={}, now=NOW)
    assert isinstance(refused, ProvisionHasNoReportingDuty)
    assert given(INSTRUMENT, "instrument/a", registered("a", "A"), provision, discharged).state.discharged
