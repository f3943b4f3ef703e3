"""Voids of what text versions rest on, and of one of two registrations: numbers stay, and what is freed is free."""

from __future__ import annotations

from typing import Any

import pytest

from services.recommendations import commands as c
from services.recommendations.domain import rules, text_rules
from shared.domain.aggregate import Command
from shared.domain.correction_rules import VersionIsVoid
from shared.domain.rejections import Rejection
from shared.events import recommendations as r
from shared.store.correcting import CorrectRecord
from shared.store.voiding import VoidRecord
from tests.recommendations.synthetic import cited
from tests.recommendations.test_inverses import CITE, OWNS, R1, Office, an_office
from tests.recommendations.test_trace import a_trace

ADOPTED = r.RecommendationAdopted(status="unknown", note="Synthetic: silent.", adopted_on="2030-05", text_version=1)
REVISED = r.RecommendationRevised(text="Synthetic text, revised", on="2030-06")
ADOPTED_ANEW = ADOPTED.model_copy(update={"text_version": 4})
SENT = r.RecommendationTransmitted(session=3, text_version=4)
ADOPT = c.AdoptRecommendation(status="unknown", note="Synthetic: silent.")


def void(version: int) -> r.RecordVoided:
    """Return a void of a version."""
    return r.RecordVoided(voids=version, reason="Synthetic mistake")


def adopted_versions(trace: dict[str, Any]) -> list[int]:
    return [step["text_version"] for step in trace["work"] if step["role"] == "adoption"]


def test_a_void_revision_leaves_its_number_to_the_adoption_that_named_it():
    trace = a_trace(cited, ADOPTED, REVISED, ADOPTED_ANEW, SENT, void(4))
    assert adopted_versions(trace) == [1, 4]
    assert trace["transmission"][0]["text_version"] == 4
    assert "text" not in trace["recommendation"]
    assert "Version 4 of its text is not on record, and its adoption is." in trace["gaps"]
    assert "Version 4 of its text is not on record, and its transmission to session 3 is." in trace["gaps"]
    again = a_trace(cited, ADOPTED, REVISED, ADOPTED_ANEW, SENT, void(4), void(7))
    assert again["recommendation"]["text"] == "Synthetic text, revised"
    assert not [gap for gap in again["gaps"] if "not on record, and its" in gap]


def test_a_void_adoption_leaves_the_later_one_with_its_own_version():
    trace = a_trace(cited, ADOPTED, REVISED, ADOPTED_ANEW, void(3))
    assert adopted_versions(trace) == [4]
    assert trace["recommendation"]["standing"] == "adopted"
    neither = a_trace(cited, ADOPTED, REVISED, ADOPTED_ANEW, void(3), void(5))
    assert adopted_versions(neither) == []
    assert "Its adoption is not on record." in neither["gaps"]


async def adopted_twice() -> Office:
    """Return an office where R1 has versions 1 and 3 of its text, both adopted."""
    office = await an_office()
    revise = c.ReviseRecommendation(text="Synthetic text, revised")
    for command in (ADOPT, revise, ADOPT):
        assert not isinstance(await office.execute(OWNS[0], command), Rejection)
    return office


async def correct(office: Office, version: int, **data: Any) -> Any:
    return await office.execute(OWNS[0], CorrectRecord(corrects=version, data=data, reason="Synthetic"))


async def test_an_adopted_text_is_corrected_in_place_once_its_adoption_is_void():
    office = await adopted_twice()
    assert await correct(office, 3, text="Another text") == text_rules.AdoptedTextIsFixed(OWNS[0], 3)
    await office.void(OWNS[0], 4)
    assert not isinstance(await correct(office, 3, text="Another text"), Rejection)
    refused = await office.void(OWNS[0], 5)
    assert refused == text_rules.TextReadsOtherwiseNow(OWNS[0], 3, 4)
    assert "`adopt`" in refused.sentence()
    assert not isinstance(await office.execute(OWNS[0], ADOPT), Rejection)
    assert await correct(office, 3, text="A third text") == text_rules.AdoptedTextIsFixed(OWNS[0], 3)


DRAFT = {"reference": R1, "title": "Synthetic"}
REVISE = c.ReviseRecommendation(text="Synthetic text, revised")
RETITLE = c.ReviseRecommendation(title="Synthetic, another title")
CLERICAL = c.ReviseRecommendation(title="Synthetic, spelt right", clerical=True)
TRANSMIT = c.TransmitRecommendation(session=3)


def corrects(version: int, **data: Any) -> CorrectRecord:
    return CorrectRecord(corrects=version, data=data, reason="Synthetic slip of the pen")


def voids(version: int) -> VoidRecord:
    return VoidRecord(voids=version, reason="Synthetic mistake")


RETITLED = corrects(1, **DRAFT | {"title": "Synthetic, put right"})


async def an_office_after(*commands: Command) -> Office:
    """Return an office where R1 went through these commands, from its version 2 on."""
    office = await an_office()
    await office.execute("session/3", c.RecordCommitteeSession(session=3))
    for command in commands:
        done = await office.execute(OWNS[0], command)
        assert not isinstance(done, Rejection), done
    return office


@pytest.mark.parametrize(
    ("commands", "version", "text_version", "chosen_by"),
    [
        ((RETITLED, ADOPT), 2, 1, 3),
        ((REVISE, ADOPT), 2, 2, 3),
        ((REVISE, corrects(2, text="Put right"), ADOPT), 3, 2, 4),
        ((RETITLED, voids(2), ADOPT), 3, 1, 4),
        ((REVISE, RETITLE, ADOPT), 2, 3, 4),
        ((CITE, ADOPT, CLERICAL, TRANSMIT), 4, 4, 5),
        ((CITE, REVISE, ADOPT, TRANSMIT, voids(4)), 3, 3, 5),
    ],
    ids=[
        "a correction",
        "the version itself",
        "its correction",
        "a void of a correction",
        "a text that the adopted one kept",
        "a clerical version that was transmitted",
        "a transmission whose adoption is void",
    ],
)
async def test_an_adopted_text_does_not_change_by_a_void(
    commands: tuple[Command, ...], version: int, text_version: int, chosen_by: int
):
    office = await an_office_after(*commands)
    refused = await office.void(OWNS[0], version)
    assert refused == text_rules.AdoptedTextRestsOnIt(OWNS[0], version, text_version, chosen_by)
    assert f"`throughline void {OWNS[0]} {chosen_by}`" in refused.sentence()
    assert not isinstance(await office.void(OWNS[0], chosen_by), Rejection)
    assert not isinstance(await office.void(OWNS[0], version), Rejection)


@pytest.mark.parametrize(
    ("commands", "version"),
    [
        ((ADOPT, CLERICAL), 3),
        ((ADOPT, RETITLED.model_copy(update={"data": DRAFT | {"themes": ["Another"]}})), 3),
        ((REVISE, ADOPT.model_copy(update={"text_version": 1})), 2),
        ((ADOPT,), 2),
        ((RETITLED, ADOPT), 1),
        ((RETITLED, ADOPT, voids(1)), 4),
    ],
    ids=[
        "a clerical version",
        "a correction of themes",
        "a version that was not adopted",
        "the adoption",
        "the whole record",
        "the void of the whole record",
    ],
)
async def test_what_states_no_adopted_text_is_voided(commands: tuple[Command, ...], version: int):
    office = await an_office_after(*commands)
    assert not isinstance(await office.void(OWNS[0], version), Rejection)


async def test_a_text_in_a_void_record_is_not_corrected_in_place_either():
    office = await an_office_after(REVISE, ADOPT, voids(1))
    assert await correct(office, 2, text="Another text") == text_rules.AdoptedTextIsFixed(OWNS[0], 2)


async def test_an_adoption_of_a_version_that_is_void_by_now_does_not_hold_again():
    office = await an_office_after(REVISE, ADOPT, voids(3), voids(2))
    assert isinstance(await office.void(OWNS[0], 4), text_rules.TextVersionNotOnRecord)
    assert not isinstance(await office.void(OWNS[0], 5), Rejection)
    assert not isinstance(await office.void(OWNS[0], 4), Rejection)


async def test_a_correction_of_which_version_was_adopted_is_voided_like_any_other():
    adoption = ADOPT.model_dump(mode="json", exclude_none=True)
    office = await an_office_after(REVISE, ADOPT, corrects(3, **adoption, text_version=1))
    assert not isinstance(await office.void(OWNS[0], 4), Rejection)
    office = await an_office_after(REVISE, ADOPT, corrects(3, **adoption, text_version=1), corrects(2, text="Other"))
    assert await office.void(OWNS[0], 4) == text_rules.TextReadsOtherwiseNow(OWNS[0], 2, 3)
    office = await an_office_after(REVISE, ADOPT, corrects(3, **adoption, text_version=1), voids(2))
    assert isinstance(await office.void(OWNS[0], 4), text_rules.TextVersionNotOnRecord)


async def test_a_void_version_is_neither_adopted_nor_corrected():
    office = await adopted_twice()
    await office.void(OWNS[0], 4)
    await office.void(OWNS[0], 3)
    assert isinstance(await correct(office, 3, text="Another text"), VersionIsVoid)
    named = ADOPT.model_copy(update={"text_version": 3})
    assert isinstance(await office.execute(OWNS[0], named), text_rules.TextVersionNotOnRecord)
    await office.execute(OWNS[0], c.ReviseRecommendation(text="A text of its own"))
    adopted = await office.execute(OWNS[0], ADOPT)
    assert not isinstance(adopted, Rejection)
    [event] = adopted.recorded
    assert event.data.text_version == 7


def register(instrument: str, cite: str = "Synthetic resolution 7") -> c.RegisterInstrument:
    return c.RegisterInstrument(instrument=instrument, cite=cite, body="SYN", title="Synthetic")


async def test_a_void_instrument_frees_its_citation_and_not_its_id():
    office = await an_office()
    await office.execute("instrument/a", register("a"))
    refused = await office.execute("instrument/b", register("b", "SYNTHETIC resolution  7"))
    assert isinstance(refused, rules.InstrumentIsRegistered)
    await office.void("instrument/a", 1)
    assert not isinstance(await office.execute("instrument/b", register("b")), Rejection)
    assert isinstance(await office.execute("instrument/a", register("a", "Synthetic resolution 8")), Rejection)


@pytest.mark.parametrize("taken_back", ["registration", "correction"])
async def test_a_void_that_makes_one_thing_registered_twice_is_noted_in_both(taken_back: str):
    office = await an_office()
    await office.execute("instrument/a", register("a"))
    if taken_back == "registration":
        await office.void("instrument/a", 1)
    else:
        data = register("a", "Synthetic resolution 8").model_dump(mode="json", exclude_none=True)
        corrected = CorrectRecord(corrects=1, data=data, reason="Synthetic")
        assert not isinstance(await office.execute("instrument/a", corrected), Rejection)
    assert not isinstance(await office.execute("instrument/b", register("b")), Rejection)
    await office.run_policies()
    assert not (await office.state("instrument/b")).doubles
    await office.void("instrument/a", 2)
    for instrument, other in (("a", "b"), ("b", "a")):
        assert (await office.state(f"instrument/{instrument}")).is_double_of(other)


async def test_a_citation_of_a_void_instrument_is_free_for_a_correction_too():
    office = await an_office()
    await office.execute("instrument/a", register("a"))
    await office.execute("instrument/b", register("b", "Synthetic resolution 8"))
    data = register("b").model_dump(mode="json", exclude_none=True)
    corrected = CorrectRecord(corrects=1, data=data, reason="Synthetic")
    assert isinstance(await office.execute("instrument/b", corrected), rules.InstrumentIsRegistered)
    await office.void("instrument/a", 1)
    assert not isinstance(await office.execute("instrument/b", corrected), Rejection)
