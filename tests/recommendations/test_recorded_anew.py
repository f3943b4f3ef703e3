"""Voids of voids that would let hold again what commands do not take: the same twice, and circles."""

from __future__ import annotations

import pytest

from services.recommendations import commands as c
from services.recommendations.domain.rules import RelationsFormACircle
from shared.domain.aggregate import Command
from shared.domain.correction_rules import RecordedAnew
from shared.domain.rejections import Rejection
from shared.store.correcting import CorrectRecord
from shared.store.voiding import VoidRecord
from tests.recommendations.test_inverses import CITE, OWNS, R1, R2, R3, Office, an_office

ADOPT = c.AdoptRecommendation(status="unknown", note="Synthetic: silent.")
TRANSMIT = c.TransmitRecommendation(session=3)
UNCITE = c.UnciteMandate(instrument="old", provision="old/ask", reason="Synthetic")
REVISE = c.ReviseRecommendation(text="Synthetic text, revised")
PROVISION = c.RegisterProvision(provision="new/ask", summary="Synthetic request")

FIRST = ADOPT.model_dump(exclude_none=True) | {"text_version": 1}
OF_THE_FIRST = CorrectRecord(corrects=3, data=FIRST, reason="Synthetic slip")
RELATIONS = (c.SupersedeInstrument, c.ReaffirmInstrument, c.CarryInstrument, c.EndorseInstrument)


def dispose(outcome: str) -> c.RecordDisposition:
    """Dispose of the text at session 3."""
    return c.RecordDisposition.model_validate({"session": 3, "outcome": outcome})


def voids(version: int) -> VoidRecord:
    """Void a version."""
    return VoidRecord(voids=version, reason="Synthetic mistake")


async def taken(office: Office, stream: str, *commands: Command) -> None:
    for command in commands:
        done = await office.execute(stream, command)
        assert not isinstance(done, Rejection), (command, done)
        await office.run_policies()


async def an_office_after(*commands: Command) -> Office:
    """Return an office where R1 went through these commands, from its version 2 on."""
    office = await an_office()
    await taken(office, "session/3", c.RecordCommitteeSession(session=3))
    await taken(office, OWNS[0], *commands)
    return office


@pytest.mark.parametrize(
    ("commands", "version", "again", "other"),
    [
        ((CITE, ADOPT, TRANSMIT, voids(4), TRANSMIT), 5, 4, 6),
        ((CITE, ADOPT, TRANSMIT, dispose("endorsed"), voids(5), dispose("noted")), 6, 5, 7),
        ((CITE, ADOPT, TRANSMIT, dispose("returned"), voids(5), dispose("noted")), 6, 5, 7),
        ((CITE, voids(2), CITE), 3, 2, 4),
        ((CITE, UNCITE, CITE), 3, 2, 4),
        ((ADOPT, voids(2), ADOPT), 3, 2, 4),
        ((REVISE, ADOPT, OF_THE_FIRST, ADOPT), 4, 3, 5),
    ],
    ids=["sent", "disposed", "returned", "cited", "uncited", "adopted", "correction of the adopted version"],
)
async def test_what_was_recorded_anew_does_not_hold_again(
    commands: tuple[Command, ...], version: int, again: int, other: int
):
    office = await an_office_after(*commands)
    refused = await office.void(OWNS[0], version)
    assert refused == RecordedAnew(OWNS[0], again, other)
    assert f"`throughline void {OWNS[0]} {other}`" in refused.sentence()
    await taken(office, OWNS[0], voids(other), voids(version))


async def test_a_provision_that_was_registered_anew_does_not_hold_again():
    office = await an_office()
    await taken(office, "instrument/old", PROVISION, voids(3), PROVISION)
    assert await office.void("instrument/old", 4) == RecordedAnew("instrument/old", 3, 5)


async def test_a_text_that_was_returned_is_before_a_session_twice_and_holds_again():
    anew = (REVISE, ADOPT, TRANSMIT)
    office = await an_office_after(CITE, ADOPT, TRANSMIT, dispose("returned"), *anew, dispose("noted"))
    await taken(office, OWNS[0], *(voids(version) for version in (9, 10, 8, 12, 1, 14)))


async def test_a_closing_holds_again_only_where_it_leads_not_back():
    office = await an_office()
    await taken(office, OWNS[0], c.SupersedeRecommendation(by=R2), voids(2))
    await taken(office, OWNS[1], c.SupersedeRecommendation(by=R3))
    await taken(office, OWNS[2], c.MergeRecommendation(into=R1))
    assert await office.void(OWNS[0], 3) == RelationsFormACircle(OWNS[0], OWNS[1])
    await taken(office, OWNS[2], voids(3))
    await taken(office, OWNS[0], voids(3))


async def test_a_void_recommendation_holds_again_only_where_its_closing_leads_not_back():
    office = await an_office()
    await taken(office, OWNS[2], c.MergeRecommendation(into=R1))
    await taken(office, OWNS[0], c.SupersedeRecommendation(by=R2), voids(1))
    void = len(office.store.recorded[OWNS[0]])
    await taken(office, OWNS[1], c.SupersedeRecommendation(by=R3))
    assert isinstance(await office.void(OWNS[0], void), RelationsFormACircle)


@pytest.mark.parametrize(
    "relate", [c.SupersedeInstrument, c.ReaffirmInstrument, c.CarryInstrument, c.EndorseInstrument]
)
async def test_a_relation_of_instruments_holds_again_only_where_it_leads_not_back(relate: type[Command]):
    office = await an_office()
    register = c.RegisterInstrument(instrument="new", cite="Synthetic resolution 9", body="SYN", title="Synthetic")
    await taken(office, "instrument/new", register, relate.model_validate({"by": "old"}), voids(2))
    await taken(office, "instrument/old", relate.model_validate({"by": "new"}))
    assert await office.void("instrument/new", 3) == RelationsFormACircle("instrument/new", "instrument/old")
    await taken(office, "instrument/old", voids(3))
    await taken(office, "instrument/new", voids(3))
