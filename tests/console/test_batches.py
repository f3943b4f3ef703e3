"""Batches that an officer records on the real services: attendance of several members, and suspect citations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

import httpx2
import pytest

from tests.console.conftest import CSRF, Console, Person
from tests.console.rendered import elements, parsed, text_of
from tests.http.asking import Caller, accepted, draft, meeting, new_id, nomination
from tests.patience import AT_MOST_SECONDS, until
from tools.local.stack import Stack

pytestmark = pytest.mark.servers


@pytest.fixture
def web() -> Iterator[httpx2.Client]:
    """One client for all callers of a test."""
    with httpx2.Client(timeout=AT_MOST_SECONDS, trust_env=False) as client:
        yield client


def await_version(caller: Caller, service: str, path: str, version: int) -> None:
    assert caller.get(service, path, at_least=version, wait=30).status_code == 200, path


def test_attendance_of_several_is_recorded_in_one_go(console: Console, stack: Stack, web: httpx2.Client):
    secretariat, office, key = Caller(stack, web), console.reader(), new_id("meeting")
    experts = {new_id("nomination"): member for member in ("PLW", "TUV")}
    for expert, member in experts.items():
        accepted(secretariat.post("nominations", "/nominations", nomination(expert, member)))
        accepted(secretariat.post("nominations", f"/nominations/{expert}/accept", {"accepted_on": "2021-02-01"}))
    accepted(secretariat.post("meetings", "/meetings", meeting(key)))
    for caller in (secretariat, Caller(stack, web, "chair")):
        accepted(caller.post("meetings", f"/meetings/{key}/confirm"))
    await_version(secretariat, "meetings", f"/meetings/{key}", 3)
    for expert in experts:
        await_version(secretariat, "nominations", f"/memberships/{expert}", 1)
    address = f"/meetings/{key}/do/record-attendance-list"
    chosen = dict(zip((f"presence.{each}" for each in experts), ("in_room", "remote"), strict=True))
    done = parsed(office.send(office.page(address), chosen, address).text)
    assert "Recorded: Record attendance list." in text_of(done)
    assert "Attendance (2)" in text_of(done)
    recorded = [each["data"] for each in secretariat.get("meetings", f"/streams/meeting/{key}").json()]
    assert {f"presence.{each['membership']}": each["presence"] for each in recorded if "presence" in each} == chosen


def suspect_citations(secretariat: Caller) -> tuple[str, list[str]]:
    """Let two recommendations cite a mandate that is superseded; return it, and their references."""
    old, new, references = new_id("old"), new_id("new"), []
    for each in (old, new):
        body = {"instrument": each, "cite": f"Synthetic {each}", "body": "SYN", "title": "Synthetic"}
        accepted(secretariat.post("recommendations", "/instruments", body))
    provision = {"provision": f"{old}/op-1", "summary": "Synthetic ask"}
    accepted(secretariat.post("recommendations", f"/instruments/{old}/provisions", provision))
    for _ in range(2):
        references.append((body := draft())["reference"])
        accepted(secretariat.post("recommendations", "/recommendations", body))
        cited = {"instrument": old, "provision": f"{old}/op-1"}
        accepted(secretariat.post("recommendations", f"/recommendations/{references[-1]}/cite", cited))
    accepted(secretariat.post("recommendations", f"/instruments/{old}/supersede", {"by": new}))
    await_version(secretariat, "recommendations", f"/instruments/{old}", 3)
    until(lambda: all('"suspect"' in secretariat.get("recommendations", f"/traces/{each}").text for each in references))
    return old, references


def boxes(document: Element, instrument: str) -> list[str]:
    """Return what the checkboxes of a mandate's citations send."""
    given = [each.get("value") or "" for each in elements(document, "input") if each.get("name") == "citation"]
    return [each for each in given if f" {instrument} " in each]


def sent(office: Person, document: Element, chosen: list[str]) -> Element:
    [send] = [each.get("value") for each in elements(document, "input") if each.get("name") == "command_id"]
    data: dict[str, Any] = {"csrf": CSRF, "command_id": send, "citation": chosen}
    return parsed(office.client.post("/suspect-citations", data=data).text)


def test_suspect_citations_are_reconfirmed_in_one_go_and_once(console: Console, stack: Stack, web: httpx2.Client):
    secretariat, office = Caller(stack, web), console.reader()
    old, references = suspect_citations(secretariat)
    page = office.page("/suspect-citations")
    chosen = boxes(page, old)
    assert sorted(each.partition(" ")[0] for each in chosen) == sorted(references)
    refused = parsed(office.client.post("/suspect-citations", data={"csrf": "forged", "citation": chosen}).text)
    assert "This page was opened in an earlier session" in text_of(refused)
    done = sent(office, page, chosen)
    assert text_of(done).count(f"{old}/op-1 Recorded") == 2
    assert boxes(done, old) == []
    assert text_of(sent(office, page, chosen)).count("Recorded before; not recorded again") == 2
    for reference in references:
        events = secretariat.get("recommendations", f"/streams/recommendation/{reference}").json()
        assert [each["type"].split(".")[-2] for each in events][2:] == ["CitationReconfirmed"], reference
