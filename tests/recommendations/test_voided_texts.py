"""Voids of what text versions rest on, and of one of two registrations: numbers stay, and what is freed is free."""

from __future__ import annotations

from typing import Any

import pytest

from services.recommendations import commands as c
from services.recommendations.domain import rules
from shared.domain.rejections import Rejection, VersionIsVoid
from shared.events import recommendations as r
from shared.store.correcting import CorrectRecord
from tests.recommendations.synthetic import cited
from tests.recommendations.test_inverses import OWNS, Office, an_office
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
    assert await correct(office, 3, text="Another text") == rules.AdoptedTextIsFixed(OWNS[0], 3)
    await office.void(OWNS[0], 4)
    assert not isinstance(await correct(office, 3, text="Another text"), Rejection)
    await office.void(OWNS[0], 5)
    assert await correct(office, 3, text="A third text") == rules.AdoptedTextIsFixed(OWNS[0], 3)


async def test_a_void_version_is_neither_adopted_nor_corrected():
    office = await adopted_twice()
    await office.void(OWNS[0], 4)
    await office.void(OWNS[0], 3)
    assert isinstance(await correct(office, 3, text="Another text"), VersionIsVoid)
    named = ADOPT.model_copy(update={"text_version": 3})
    assert isinstance(await office.execute(OWNS[0], named), rules.TextVersionNotOnRecord)
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
