"""Recommendations and their traces in the console, on the real services."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any
from urllib.parse import quote
from uuid import uuid4
from xml.etree.ElementTree import Element

import httpx2
import orjson
import pytest

from services.recommendations.trace import trace_bytes
from tests.console.conftest import CSRF, Console, Person
from tests.console.rendered import elements, parsed, text_of
from tests.console.test_trace_page import HOSTILE_LINE, HOSTILE_TEXT
from tests.http.asking import Caller
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
SERVICE = "recommendations"
R1 = "/traces/CED/2022/R1"


@pytest.fixture(scope="module")
def office(console: Console, loaded: Stack) -> Person:
    """An officer of the secretariat, with the public record."""
    return console.reader()


@pytest.fixture(scope="module")
def secretariat(loaded: Stack) -> Any:
    with httpx2.Client(timeout=60, trust_env=False) as client:
        yield Caller(loaded, client)


def a_draft(caller: Caller, **more: Any) -> str:
    """Draft a recommendation, and return its reference."""
    reference = f"SYN/2031/R{uuid4().int % 90_000 + 1}"
    body = {"reference": reference, "title": "Synthetic title", "text": "One two three"} | more
    answer = caller.post(SERVICE, "/recommendations", body)
    assert answer.status_code == 200, answer.text
    await_version(caller, reference, 1)
    return reference


def await_version(caller: Caller, reference: str, version: int) -> None:
    """Wait until the trace of a recommendation rests on a version of it."""
    assert caller.get(SERVICE, f"/traces/{reference}", at_least=version, wait=30).status_code == 200


def test_the_trace_of_the_public_record_is_shown_with_who_recorded_it(office: Person):
    shown = text_of(office.page(R1))
    assert "Disposed of by the Committee. Session 7: endorsed on 1 December 2022." in shown
    assert "In the world: 1 December 2022. Recorded:" in shown
    assert "(Asia/Bangkok)" in shown


@pytest.mark.parametrize("query", ["", "?as_of=2022-12-31", "?known_at=2100-01-01T00:00:00Z"])
def test_downloads_are_of_the_trace_that_is_shown(office: Person, secretariat: Caller, query: str):
    trace = secretariat.get(SERVICE, f"{R1}{query}").json()["trace"]
    answer = office.get(f"{R1}/trace.json{query}")
    assert answer.content == trace_bytes(trace)
    assert answer.headers["content-disposition"] == 'attachment; filename="CED-2022-R1.json"'
    table = list(csv.reader(StringIO(office.get(f"{R1}/steps.csv{query}").content.decode("utf-8-sig"))))
    [body] = elements(office.page(f"{R1}{query}"), "tbody")
    assert len(table) == 1 + len(list(elements(body, "tr")))
    assert table[0] == ["Part", "Step", "Date", "Standing", "Certainty", "Record"]


def test_a_time_typed_in_a_form_becomes_a_permanent_address(office: Person):
    answer = office.get(f"{R1}?as_of=2022-12-31&known_local=2100-01-01T07:00:00")
    assert str(answer.url).endswith("/traces/CED/2022/R1?as_of=2022-12-31&known_at=2100-01-01T00%3A00%3A00Z")
    assert "As of 31 December 2022." in text_of(parsed(answer.text))


@pytest.mark.parametrize(
    ("address", "status", "says"),
    [
        ("/traces/CED/2029/R1", 404, "No such recommendation is on record"),
        (f"{R1}?known_at=2020-01-01T00:00:00Z", 404, "It was not on record then"),
        (f"{R1}?as_of=soon", 422, "is not a day: write YYYY-MM-DD"),
        (f"{R1}?known_local=soon", 422, "is not a time"),
        (f"{R1}?as_of=2999-01-01", 200, "That time is still to come"),
        (f"{R1}/proof", 200, "throughline audit prove CED/2022/R1 --out CED-2022-R1.proof.json"),
        ("/traces/CED/2022/R1%3Fas_of=2020-01-01", 422, "No such recommendation is on record"),
    ],
)
def test_what_is_not_there_is_said_clearly(office: Person, address: str, status: int, says: str):
    answer = office.get(address)
    assert (answer.status_code, says in text_of(parsed(answer.text))) == (status, True)


def test_the_proof_shows_each_event_as_the_services_have_it(office: Person, secretariat: Caller, console: Console):
    answer = secretariat.get(SERVICE, f"{R1}/provenance").json()
    page = text_of(office.page(f"{R1}/proof"))
    assert all(each["leaf"] in page for each in answer["events"])
    assert "RecommendationDrafted.v1" in page
    of_an_expert = console.reader("expert").get(f"{R1}/proof").text
    assert "RecommendationDrafted.v1" not in of_an_expert
    assert "audit prove" not in of_an_expert


def test_the_list_says_what_is_next_and_filters(office: Person, secretariat: Caller):
    reference = a_draft(secretariat, themes=["Synthetic theme of a list"])
    waiting = office.page(f"/recommendations/{reference}")
    assert "Cite a mandate: it rests on none that is live." in text_of(waiting)
    rows = text_of(office.page("/recommendations?theme=Synthetic+theme+of+a+list"))
    assert f"{reference} Synthetic title Drafted Cite a mandate" in rows
    assert "CED/2022/R1" not in rows


def test_versions_of_a_text_show_what_was_added_and_left_out(office: Person, secretariat: Caller):
    reference = a_draft(secretariat)
    assert (
        secretariat.post(SERVICE, f"/recommendations/{reference}/revise", {"text": "One three four"}).status_code == 200
    )
    await_version(secretariat, reference, 2)
    document = office.page(f"/recommendations/{reference}")
    assert ["".join(each.itertext()).split() for each in elements(document, "del")] == [
        ["[left", "out:]", "two", "[end]"]
    ]
    assert ["".join(each.itertext()).split() for each in elements(document, "ins")] == [["[added:]", "four", "[end]"]]


def test_a_form_offers_what_is_on_record(office: Person):
    document = office.page("/recommendations/CED/2022/R1/do/transmit")
    sessions = next(each for each in elements(document, "select") if each.get("name") == "session")
    assert "Session 7, 29 November 2022" in text_of(sessions)
    versions = next(each for each in elements(document, "select") if each.get("name") == "text_version")
    assert "Version 1" in text_of(versions)


def test_a_correction_is_shown_before_it_is_recorded(office: Person, secretariat: Caller):
    reference = a_draft(secretariat, themes=["Synthetic"])
    address = f"/recommendations/{reference}/do/correct"
    assert "Which entry is wrong?" in text_of(office.page(address))
    form = office.page(f"{address}?version=1")
    preview = office.send(form, {"data.title": "Synthetic title, put right", "reason": "Synthetic reason"}, address)
    document = parsed(preview.text)
    assert "What will change" in text_of(document), preview.text
    assert "Title Synthetic title Synthetic title[added:] , put right [end]" in text_of(document)
    assert f"1 trace rests on it, and changes with it: {reference}" in text_of(document)
    assert len(secretariat.get(SERVICE, f"/streams/recommendation/{reference}").json()) == 1
    again = parsed(office.send(document, {}, address, "edit").text)
    assert "Correct an entry" in text_of(again)
    done = office.send(document, {}, address, "record")
    assert "Recorded: Correct." in text_of(parsed(done.text)), done.text
    events = secretariat.get(SERVICE, f"/streams/recommendation/{reference}").json()
    before, after = events[0]["data"], events[1]["data"]["data"]
    assert given(after) == given(before | {"title": "Synthetic title, put right"})
    twice = office.send(document, {}, address, "record")
    assert "This was recorded before" in text_of(parsed(twice.text))


def test_a_void_is_shown_before_it_is_recorded(office: Person, secretariat: Caller):
    reference = a_draft(secretariat)
    address = f"/recommendations/{reference}/do/void"
    preview = parsed(office.send(office.page(f"{address}?version=1"), {"reason": "Synthetic mistake"}, address).text)
    assert "the whole record is void then" in text_of(preview)
    done = office.send(preview, {}, address, "record")
    assert "Recorded: Void." in text_of(parsed(done.text)), done.text
    assert "Why it is void Synthetic mistake" in text_of(office.page(f"/traces/{reference}"))


def test_a_refused_correction_loses_nothing_typed(office: Person, secretariat: Caller):
    reference = a_draft(secretariat)
    address = f"/recommendations/{reference}/do/correct"
    typed = {"data.title": "Synthetic <b>title</b>", "data.on": "2999-01-01", "reason": "Synthetic reason"}
    form = office.page(f"{address}?version=1")
    preview = office.send(form, typed, address)
    refused = preview if preview.status_code == 422 else office.send(parsed(preview.text), {}, address, "record")
    assert refused.status_code == 422
    document = parsed(refused.text)
    assert "Rule: FactLiesInTheFuture" in text_of(document)
    values = {each.get("name"): each.get("value") for each in elements(document, "input")}
    assert (values["data.title"], values["data.on"]) == ("Synthetic <b>title</b>", "2999-01-01")


def test_a_correction_of_what_another_changed_meanwhile_says_what_changed(office: Person, secretariat: Caller):
    reference = a_draft(secretariat)
    address = f"/recommendations/{reference}/do/correct"
    form = office.page(f"{address}?version=1")
    preview = parsed(office.send(form, {"data.title": "Synthetic other", "reason": "Synthetic"}, address).text)
    assert secretariat.post(SERVICE, f"/recommendations/{reference}/revise", {"text": "Meanwhile"}).status_code == 200
    late = office.send(preview, {}, address, "record")
    assert late.status_code == 412
    assert "What others recorded since you opened this page Recommendation revised" in text_of(parsed(late.text))
    assert 'value="Synthetic other"' in late.text


def test_another_sites_form_corrects_nothing(office: Person, secretariat: Caller):
    reference = a_draft(secretariat)
    address = f"/recommendations/{reference}/do/correct"
    form = office.page(f"{address}?version=1")
    answer = office.send(form, {"csrf": "forged", "data.title": "Forged", "reason": "x", "step": "record"}, address)
    assert answer.status_code == 403
    assert len(secretariat.get(SERVICE, f"/streams/recommendation/{reference}").json()) == 1


@pytest.mark.parametrize("kind", ["correct", "void"])
def test_an_auditor_writes_nothing(console: Console, loaded: Stack, kind: str):
    auditor = console.reader("auditor")
    address = f"/recommendations/CED/2022/R1/do/{kind}"
    assert f"/do/{kind}" not in auditor.get("/recommendations/CED/2022/R1").text
    assert auditor.get(f"{address}?version=16").status_code == 403
    sent = {"csrf": CSRF, "entry": "16", "reason": "Synthetic", "data.note": "x", "step": "record"}
    recorded = auditor.client.post(address, data=sent, files={"no-file": ("", b"")})
    assert recorded.status_code == 403 or "RoleMayNot" in recorded.text
    assert orjson.loads(auditor.get(f"{R1}/trace.json").content)["recommendation"]["standing"] == "disposed"


def test_hostile_texts_are_data_on_every_page_and_come_back_to_the_letter(office: Person, secretariat: Caller):
    title, text = HOSTILE_LINE, f"{HOSTILE_TEXT[:19_000]}\n\n{HOSTILE_LINE}"
    reference = a_draft(secretariat, title=title, text=text, themes=[title], addressees=[title], note=text)
    pages = {
        address: office.get(address)
        for address in (
            f"/recommendations/{reference}", f"/traces/{reference}", f"/traces/{reference}/proof",
            f"/recommendations/{reference}/do/correct", f"/recommendations/{reference}/do/correct?version=1",
            f"/recommendations/{reference}/do/void?version=1", f"/recommendations?theme={quote(title)}",
        )
    }  # fmt: skip
    for address, page in pages.items():
        document = parsed(page.text)
        assert page.status_code == 200, address
        assert not any("alert" in "".join(each.itertext()) for each in elements(document, "script")), address
        assert not list(elements(document, "img")), address
        shown = text_of(document) + " ".join(values(document))
        assert address.endswith("/proof") or " ".join(title.split()) in shown, address
    form = parsed(pages[f"/recommendations/{reference}/do/correct?version=1"].text)
    preview = office.send(
        form, {"data.title": f"{title}.", "reason": title}, f"/recommendations/{reference}/do/correct"
    )
    office.send(parsed(preview.text), {}, f"/recommendations/{reference}/do/correct", "record")
    original, correction = secretariat.get(SERVICE, f"/streams/recommendation/{reference}").json()
    assert correction["data"]["reason"] == title
    assert given(correction["data"]["data"]) == given(original["data"] | {"title": f"{title}."})


def given(data: dict[str, Any]) -> dict[str, Any]:
    """Return the data of an event without its empty lists."""
    return {name: value for name, value in data.items() if value != []}


def values(document: Element) -> list[str]:
    return [" ".join((each.get("value") or "").split()) for each in elements(document, "input")]


def test_entries_of_other_kinds_are_put_right_the_same_way(office: Person, secretariat: Caller):
    instrument = f"synthetic-{uuid4().hex[:8]}"
    body = {"instrument": instrument, "cite": instrument, "body": "SYN", "title": "Synthetic"}
    assert secretariat.post(SERVICE, "/instruments", body).status_code == 200
    provision = {
        "provision": f"{instrument}/a",
        "summary": "Synthetic ask",
        "reporting_duty": {"body": "SYN", "session": 3},
    }
    assert secretariat.post(SERVICE, f"/instruments/{instrument}/provisions", provision).status_code == 200
    address = f"/instruments/{instrument}/do/correct"
    form = office.page(f"{address}?version=2")
    preview = parsed(office.send(form, {"data.reporting_duty.session": "4", "reason": "Synthetic"}, address).text)
    assert "What will change" in text_of(preview)
    assert "No trace rests on it." in text_of(preview)
    office.send(preview, {}, address, "record")
    corrected = secretariat.get(SERVICE, f"/streams/instrument/{instrument}").json()[2]["data"]["data"]
    assert corrected == provision | {"reporting_duty": {"body": "SYN", "session": 4}}
    history = text_of(office.page(f"/instruments/{instrument}"))
    assert "Put right (2) Void (2)" in history
