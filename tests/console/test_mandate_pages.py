"""Pages of mandates, and the form that reconfirms many suspect citations, from made-up answers of the services."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4
from xml.etree.ElementTree import Element

import pytest

from tests.console.rendered import a_visit, elements, parsed, text_of
from tests.console.test_trace_page import HOSTILE_LINE
from tools.console.kinds import kinds
from tools.console.pages import mandates, records, suspects
from tools.console.pages.suspects import Citation, citation_of, reconfirmed

KEY = "synthetic-1"


def a_fact(**data: Any) -> dict[str, Any]:
    return {"data": data, "versions": [1]}


def an_instrument(**more: Any) -> dict[str, Any]:
    state = {
        "stage": "registered",
        "registered": a_fact(
            instrument=KEY, cite="Synthetic resolution 1", body="SYN", title="Synthetic title", symbol="SYN/RES/1",
            adopted_on="2020-05",
        ),
        "provisions": [
            a_fact(
                provision=f"{KEY}/op-1", paragraph="1", verb="requests", addressee="Synthetic addressee",
                summary="Synthetic ask", reporting_duty={"body": "Synthetic body", "session": 3, "due": "2021"},
            ),
            a_fact(provision=f"{KEY}/op-2", summary="Synthetic other", reporting_duty={"body": "SYN"}),
        ],
        "superseded": [a_fact(by="synthetic-2", on="2024-01-01")],
    }  # fmt: skip
    return {"stream": f"instrument/{KEY}", "version": 4, "state": state | more}


def around(**more: Any) -> dict[str, Any]:
    row = {"reference": "SYN/2031/R1", "title": "Synthetic", "stage": "drafted"}
    later = {"stage": "registered", "registered": a_fact(cite="Synthetic resolution 2")}
    return {
        f"/instruments/{KEY}": an_instrument(), "/instruments/synthetic-2": {"version": 1, "state": later},
        "/dependants": {"count": 1, "traces": ["SYN/2031/R1"]}, "/traces": {"items": [row]},
        f"/streams/instrument/{KEY}": [],
    } | more  # fmt: skip


async def page_of(answers: dict[str, Any], role: str = "secretariat") -> Element:
    response = await mandates.instrument(a_visit(f"/instruments/{KEY}", answers, "", role, instrument=KEY))
    return parsed(bytes(response.body).decode())


def links_of(document: Element) -> list[str]:
    return [each.get("href") or "" for each in elements(document, "a")]


async def test_a_mandate_says_whether_it_is_live_what_it_asks_of_whom_and_what_rests_on_it() -> None:
    document = await page_of(around())
    shown = text_of(document)
    for text in (
        "Synthetic resolution 1", "SYN/RES/1", "May 2020", "Superseded by Synthetic resolution 2, 1 January 2024",
        "1 recommendation rests on it.", "1 report is overdue.", "requests: Synthetic ask", "Synthetic addressee",
        "Synthetic body, session 3 2021 Overdue", "SYN/2031/R1 Drafted",
    ):  # fmt: skip
        assert text in shown, text
    assert f"/instruments/{KEY}/do/discharge-reporting-duty?provision=synthetic-1%2Fop-1" in links_of(document)
    assert "/suspect-citations" in links_of(document)


async def test_a_provision_that_was_not_looked_up_is_not_shown_as_one_on_which_nothing_rests() -> None:
    provisions = [a_fact(provision=f"{KEY}/op-{n}", paragraph=f"{n}.", summary="Ask") for n in range(mandates.MOST + 2)]
    shown = text_of(await page_of(around(**{f"/instruments/{KEY}": an_instrument(provisions=provisions)})))
    assert shown.count("not looked up: only the first 100 are") == 2
    assert shown.count("SYN/2031/R1 Drafted") == mandates.MOST


@pytest.mark.parametrize("part", ["/traces", "/dependants"])
async def test_what_rests_on_a_provision_is_not_known_where_the_service_does_not_say(part: str) -> None:
    shown = text_of(await page_of(around(**{part: None})))
    assert shown.count("Not known") == 2


async def test_a_mandate_without_anything_says_so() -> None:
    bare = an_instrument(provisions=[], superseded=[])
    shown = text_of(await page_of(around(**{f"/instruments/{KEY}": bare, "/dependants": {"count": 0, "traces": []}})))
    for text in ("Live No later instrument", "No provision is on record.", "It asks for none.", "None is on record.",
                 "No recommendation rests on it."):  # fmt: skip
        assert text in shown, text


async def test_a_mandate_stands_without_what_rests_on_it() -> None:
    assert "Missing: the service recommendations does not answer." in text_of(
        await page_of(around(**{"/dependants": None}))
    )


@pytest.mark.parametrize("role", ["auditor", "chair", "expert", "focal_point"])
async def test_those_who_only_read_a_mandate_have_no_button(role: str) -> None:
    assert not [each for each in links_of(await page_of(around(), role)) if "/do/" in each]


async def test_hostile_texts_of_a_mandate_are_data() -> None:
    own = an_instrument()
    own["state"]["registered"]["data"] |= dict.fromkeys(("cite", "body", "title", "symbol"), HOSTILE_LINE)
    own["state"]["provisions"][0]["data"] |= dict.fromkeys(("paragraph", "verb", "addressee", "summary"), HOSTILE_LINE)
    document = await page_of(around(**{f"/instruments/{KEY}": own}))
    assert not list(elements(document, "img"))
    assert " ".join(HOSTILE_LINE.split()) in text_of(document)


def test_a_duty_is_overdue_after_the_last_day_that_its_date_may_mean() -> None:
    def standing(day: date, **more: Any) -> list[str]:
        return [each.standing for each in mandates.duties_of(an_instrument(**more)["state"], day)]

    assert standing(date(2021, 12, 31)) == ["not_yet_due", "not_yet_due"]
    assert standing(date(2022, 1, 1)) == ["overdue", "not_yet_due"]
    given = [a_fact(provision=f"{KEY}/op-1", document_symbol="SYN/1")]
    assert standing(date(2022, 1, 1), discharged=given) == ["discharged", "not_yet_due"]


async def test_the_list_of_mandates_counts_by_standing() -> None:
    page = {"items": [an_instrument()], "counts": {"standing": {"live": 30, "superseded": 1}}}
    response = await records.listed(kinds()["instrument"], a_visit("/instruments", {"/instruments": page}))
    shown = text_of(parsed(bytes(response.body).decode()))
    for text in (
        "Mandates",
        "Live (30)",
        "Synthetic resolution 1 Synthetic title SYN SYN/RES/1 May 2020 2 synthetic-2",
    ):
        assert text in shown, text


def suspect(**more: Any) -> dict[str, Any]:
    cited = [{"reference": f"SYN/2031/R{n}", "title": "Synthetic", "provision": f"{KEY}/op-1"} for n in (1, 2)]
    return {"instrument": KEY, "cite": "Synthetic 1", "superseded_by": "synthetic-2", "citations": cited} | more


async def suspects_page(answers: dict[str, Any], role: str = "secretariat") -> Element:
    response = await suspects.suspects(a_visit("/suspect-citations", answers, "", role))
    return parsed(bytes(response.body).decode())


async def test_suspect_citations_are_grouped_by_supersession_each_with_a_checkbox() -> None:
    document = await suspects_page({"/suspect-citations": {"items": [suspect()]}})
    assert "Synthetic 1, superseded by synthetic-2" in text_of(document)
    boxes = [each.get("value") for each in elements(document, "input") if each.get("name") == "citation"]
    assert boxes == [f"SYN/2031/R{n} {KEY} {KEY}/op-1 synthetic-2" for n in (1, 2)]


@pytest.mark.parametrize("role", ["auditor", "chair", "expert", "focal_point"])
async def test_those_who_only_read_reconfirm_nothing(role: str) -> None:
    document = await suspects_page({"/suspect-citations": {"items": [suspect()]}}, role)
    assert not [each for each in elements(document, "input") if each.get("name") == "citation"]
    assert "SYN/2031/R1" in text_of(document)


async def test_no_suspect_citation_is_said_and_hostile_titles_are_data() -> None:
    assert "No citation is suspect." in text_of(await suspects_page({"/suspect-citations": {"items": []}}))
    own = suspect(cite=HOSTILE_LINE)
    own["citations"][0]["title"] = HOSTILE_LINE
    document = await suspects_page({"/suspect-citations": {"items": [own]}})
    assert not list(elements(document, "img"))
    assert " ".join(HOSTILE_LINE.split()) in text_of(document)


def test_a_citation_is_what_its_checkbox_sends_and_its_command_has_one_id_in_a_send() -> None:
    cited = Citation("SYN/2031/R1", KEY, f"{KEY}/op-1", "synthetic-2")
    assert citation_of(cited.text) == cited
    for text in ("", "a b c d", "SYN/2031/R1 a b", "SYN/2031/R1 a b c d", "SYN/2031/R1  b c"):
        assert citation_of(text) is None, text
    send = uuid4().hex
    assert cited.command_id(send) == cited.command_id(send) != cited.command_id(uuid4().hex)


async def test_each_citation_has_an_outcome_of_its_own() -> None:
    recorded = {"stream": "recommendation/SYN/2031/R1", "version": 5, "replayed": False, "events": []}
    answers = {
        "/recommendations/SYN/2031/R1/reconfirm": recorded,
        "/recommendations/SYN/2031/R2/reconfirm": recorded | {"replayed": True},
        "/recommendations/SYN/2031/R3/reconfirm": 422,
        "/recommendations/SYN/2031/R4/reconfirm": None,
    }
    cited = [Citation(f"SYN/2031/R{n}", KEY, f"{KEY}/op-1", "synthetic-2") for n in (1, 2, 3, 4)]
    outcomes = await reconfirmed(a_visit("/", answers).state.services, cited, uuid4().hex)
    assert [each.standing for each in outcomes] == ["recorded", "recorded_before", "refused", "unknown"]
    assert "Synthetic refusal" in outcomes[2].why
