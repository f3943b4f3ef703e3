"""Pages of nominations, memberships and calls, rendered from made-up answers of the services."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

import pytest

from tests.console.rendered import a_visit, elements, parsed, text_of
from tests.console.test_trace_page import HOSTILE_LINE
from tools.console.kinds import kinds
from tools.console.pages import nominations, records

KEY = "synthetic-1"
DIGEST = "ab" * 32
WHO = {"name": "Synthetic Expert", "contact": "expert@example.org", "about": "Synthetic"}


def a_nomination(stage: str = "submitted", **more: Any) -> dict[str, Any]:
    particulars = {
        "nomination": KEY, "call": "call-1", "member": "FJI", "person": "person-1",
        "institution": "Synthetic institute",
        "note_verbale": {"channel": "email", "reference": "NV/1", "digest": DIGEST}, "category": "academia",
        "expertise": ["Synthetic expertise"], "themes": ["Synthetic theme"], "capacity": "principal",
        "replaces": "other-1", "submitted_on": "2026-11-02",
    }  # fmt: skip
    state = {"stage": stage, "particulars": particulars, "submitted_at": "2026-11-03T00:00:00.000000Z", "details": WHO}
    return {"stream": f"nomination/{KEY}", "version": 1, "state": state | more}


def a_membership(stage: str = "active", **more: Any) -> dict[str, Any]:
    began = {
        "membership": KEY, "nomination": KEY, "person": "person-1", "member": "FJI", "capacity": "principal",
        "began_on": "2026-11-05",
    }  # fmt: skip
    return {"stream": f"membership/{KEY}", "version": 1, "state": {"stage": stage, "began": began} | more}


def a_call(stage: str = "open", **more: Any) -> dict[str, Any]:
    opened = {"call": "call-1", "title": "Synthetic call", "closes_on": "2026-12-31", "themes": ["Synthetic theme"]}
    return {"stream": "call/call-1", "version": 1, "state": {"stage": stage, "opened": opened} | more}


def answers_to(call: dict[str, Any]) -> dict[str, Any]:
    rows = [
        {"member": "FJI", "name": "Fiji", "nominated": True, "nominations": {"submitted": 2}},
        {"member": "JPN", "name": "Japan", "nominated": False, "nominations": {}},
    ]
    counts = {"answered": 1, "not_answered": 1}
    return call["state"]["opened"] | {"deadline": "ahead", "counts": counts, "items": rows, "total": 2}


def around(**more: Any) -> dict[str, Any]:
    """Return what the services answer around a nomination."""
    call = a_call()
    meeting = {
        "stream": "meeting/m-1",
        "state": {
            "stage": "held",
            "particulars": {"title": "Synthetic meeting", "starts_at": "2026-11-10T09:00:00+07:00"},
            "proceedings": {"attendance": [{"fact": {"membership": KEY, "presence": "remote"}, "versions": [1]}]},
        },
    }
    return {
        f"/nominations/{KEY}": a_nomination(), f"/memberships/{KEY}": a_membership(), "/calls/call-1": call,
        "/calls/call-1/answers": answers_to(call), "/memberships/other-1": a_membership("ended"),
        "/meetings": {"items": [meeting]}, f"/streams/nomination/{KEY}": [],
    } | more  # fmt: skip


async def page_of(noun: str, answers: dict[str, Any], role: str = "secretariat", query: str = "") -> Element:
    key = "call-1" if noun == "call" else KEY
    request = a_visit(f"/{noun}s/{key}", answers, query, role, **{noun: key})
    response = await getattr(nominations, noun)(request)
    return parsed(bytes(response.body).decode())


def links_of(document: Element) -> list[str]:
    return [each.get("href") or "" for each in elements(document, "a")]


def offers_of(document: Element) -> list[str]:
    return [each.rpartition("/")[2] for each in links_of(document) if "/do/" in each]


async def test_a_nomination_says_who_for_whom_on_what_and_what_can_be_done() -> None:
    document = await page_of("nomination", around())
    shown = text_of(document)
    for text in (
        "Synthetic Expert", "expert@example.org", "Fiji", "Synthetic institute", "Academia", "Synthetic theme",
        "Synthetic expertise", "Principal", "NV/1", "Synthetic call", "other-1", "2 November 2026",
        "It waits for the secretariat",
    ):  # fmt: skip
        assert text in shown, text
    assert f"/documents/nominations/{DIGEST}" in links_of(document)
    assert offers_of(document) == ["accept", "return", "decline", "amend", "withdraw", "correct", "void"]


@pytest.mark.parametrize(
    ("stage", "more", "says"),
    [
        (
            "returned",
            {"returned": {"reason": "Synthetic reason", "returned_on": "2026-11-04"}},
            "said on 4 November 2026: Synthetic reason",
        ),
        ("accepted", {"accepted": {"accepted_on": "2026-11-05"}}, "It is registered: 5 November 2026."),
        ("declined", {"declined": {"ground": "duplicate"}}, "It was not registered: Duplicate, date unknown."),
        ("withdrawn", {"withdrawn": {}}, "The Government took it back: date unknown."),
        ("void", {}, "It is void"),
    ],
)
async def test_each_stage_says_what_was_decided(stage: str, more: dict[str, Any], says: str) -> None:
    document = await page_of("nomination", around(**{f"/nominations/{KEY}": a_nomination(stage, **more)}))
    assert says in text_of(document)
    assert (f"/memberships/{KEY}" in links_of(document)) == (stage in ("accepted", "withdrawn"))


@pytest.mark.parametrize(
    ("role", "offers", "downloads"),
    [
        ("focal_point", ["amend", "withdraw"], True),
        ("auditor", [], False),
        ("chair", [], False),
        ("expert", [], False),
    ],
)
async def test_each_role_is_offered_what_it_may_do(role: str, offers: list[str], downloads: bool) -> None:
    document = await page_of("nomination", around(), role)
    assert offers_of(document) == offers
    assert (f"/documents/nominations/{DIGEST}" in links_of(document)) == downloads


async def test_a_name_that_is_not_seen_is_said_to_be_so_and_the_page_names_the_government() -> None:
    own = a_nomination()
    del own["state"]["details"]
    shown = text_of(await page_of("nomination", around(**{f"/nominations/{KEY}": own}), "auditor"))
    assert "An expert of Fiji" in shown
    assert "Not shown: your role does not see who it is." in shown


async def test_a_membership_names_the_person_by_the_id_that_privacy_asks_for() -> None:
    assert "Person person-1" in text_of(await page_of("membership", around()))


async def test_a_page_stands_without_what_is_beside_it() -> None:
    alone = {f"/nominations/{KEY}": a_nomination("accepted", accepted={}), f"/streams/nomination/{KEY}": None}
    shown = text_of(await page_of("nomination", alone))
    assert "None is on record yet." in shown
    assert "Missing: the service nominations does not answer." in shown
    gone = text_of(await page_of("membership", {f"/memberships/{KEY}": a_membership(), "/meetings": None}))
    assert "Missing: the service meetings does not answer." in gone
    assert "Missing: the service nominations does not answer." in text_of(
        await page_of("call", {"/calls/call-1": a_call(), "/calls/call-1/answers": None})
    )


async def test_hostile_texts_are_data() -> None:
    own = a_nomination("returned", returned={"reason": HOSTILE_LINE}, details=dict.fromkeys(WHO, HOSTILE_LINE))
    own["state"]["particulars"] |= {"institution": HOSTILE_LINE, "themes": [HOSTILE_LINE], "expertise": [HOSTILE_LINE]}
    change = {"changed_on": "2026-11", "institution": HOSTILE_LINE, "themes": [HOSTILE_LINE]}
    member = a_membership(changes=[{"change": change, "versions": [2]}])
    called = a_call()
    called["state"]["opened"] |= {"title": HOSTILE_LINE, "themes": [HOSTILE_LINE]}
    answers = around(
        **{f"/nominations/{KEY}": own, f"/memberships/{KEY}": member, "/calls/call-1": called, "/meetings": None}
    )
    for noun in ("nomination", "membership", "call"):
        document = await page_of(noun, answers)
        assert not list(elements(document, "img")), noun
        assert not any("alert" in "".join(each.itertext()) for each in elements(document, "script")), noun
        assert " ".join(HOSTILE_LINE.split()) in text_of(document), noun


async def test_a_membership_says_from_when_to_when_why_what_changed_and_which_meetings() -> None:
    ended = {"reason": "replaced", "ended_on": "2026-11-20"}
    change = {"changed_on": "2026-11-15", "institution": "Synthetic new institute", "sealed": {"person": "p"}}
    member = a_membership("ended", ended=ended, changes=[{"change": change, "versions": [2]}])
    document = await page_of("membership", around(**{f"/memberships/{KEY}": member}))
    shown = text_of(document)
    for text in (
        "Synthetic Expert", "In the group from 5 November 2026 to 20 November 2026. It ended: Replaced.",
        "15 November 2026", "Institution: Synthetic new institute", "Name or contact", "Meetings attended (1)",
        "Synthetic meeting 10 November 2026, Remote",
    ):  # fmt: skip
        assert text in shown, text
    assert offers_of(document) == ["correct", "void"]


async def test_a_membership_of_which_nothing_more_is_on_record_says_so() -> None:
    shown = text_of(await page_of("membership", around(**{"/meetings": {"items": []}})))
    assert "details are as nominated" in shown
    assert "Meetings attended (0) None is on record." in shown


async def test_a_call_says_who_answered_and_leads_to_a_nomination_under_it() -> None:
    document = await page_of("call", around())
    shown = text_of(document)
    assert "It takes nominations until 31 December 2026." in shown
    assert "1 have answered, 1 have not." in shown
    assert "Fiji Submitted 2" in shown
    assert "/nominations/new/submit?call=call-1" in links_of(document)
    assert offers_of(document) == ["close", "correct", "void"]


@pytest.mark.parametrize(
    ("role", "stage", "offered"), [("focal_point", "open", True), ("auditor", "open", False), ("chair", "open", False),
                                   ("focal_point", "closed", False)],
)  # fmt: skip
async def test_only_who_may_is_led_to_nominate_under_an_open_call(role: str, stage: str, offered: bool) -> None:
    document = await page_of("call", around(**{"/calls/call-1": a_call(stage, closed={})}), role)
    assert ("/nominations/new/submit?call=call-1" in links_of(document)) == offered


async def test_the_list_of_nominations_counts_by_stage_and_names_those_whose_name_is_seen() -> None:
    nameless = a_nomination("accepted")
    del nameless["state"]["details"]
    counts = {"stage": {"submitted": 12, "accepted": 1}, "member": {"FJI": 13}}
    page = {"items": [a_nomination(), nameless], "counts": counts}
    request = a_visit("/nominations", {"/nominations": page}, "stage=submitted")
    response = await records.listed(kinds()["nomination"], request)
    shown = text_of(parsed(bytes(response.body).decode()))
    assert "Submitted (12)" in shown
    assert "Fiji (13)" in shown
    assert "Synthetic Expert" in shown


async def test_an_empty_list_says_so() -> None:
    request = a_visit("/nominations", {"/nominations": {"items": [], "counts": {}}})
    response = await records.listed(kinds()["nomination"], request)
    assert "Nothing on record fits." in text_of(parsed(bytes(response.body).decode()))
