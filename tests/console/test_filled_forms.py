"""Forms that start with what is on record, take local times, and list attendances and items of an agenda."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

import pytest

from tests.console.conftest import values_of
from tests.console.rendered import a_visit, elements, parsed, text_of
from tests.console.test_nomination_pages import DIGEST, KEY, a_call, a_nomination
from tests.console.test_trace_page import HOSTILE_LINE
from tools.client import api
from tools.console.forms.fields import fields_of
from tools.console.forms.local_times import with_offsets
from tools.console.forms.on_record import filled_in
from tools.console.forms.sheet import Sheet
from tools.console.forms.values import body_of
from tools.console.pages.commands import Page
from tools.console.pages.meeting_forms import AgendaOrder, Attendance
from tools.console.services import FieldFault, Problem

MEETING = "/meetings/m-1"


def fields(noun: str, word: str) -> Any:
    return fields_of(api.command(noun, word).fields)


async def form_of(
    page: Page, answers: dict[str, Any], role: str = "secretariat", query: str = "", **parts: str
) -> Element:
    response = await page.show(a_visit("/form", answers, query, role, **parts))
    return parsed(bytes(response.body).decode())


def given(document: Element) -> dict[str, str]:
    form = next(each for each in elements(document, "form") if "enctype" in each.attrib)
    return {name: value for name, value in values_of(form) if value and name not in ("csrf", "command_id", "version")}


@pytest.mark.parametrize("word", ["amend", "resubmit"])
async def test_a_nomination_is_edited_and_not_typed_again(word: str) -> None:
    page = Page(api.command("nomination", word))
    answers = {f"/nominations/{KEY}": a_nomination()}
    typed = given(await form_of(page, answers, "focal_point", nomination=KEY))
    assert typed == {
        "details.name": "Synthetic Expert", "details.contact": "expert@example.org", "details.about": "Synthetic",
        "note_verbale.channel": "email", "note_verbale.reference": "NV/1", "note_verbale.digest": DIGEST,
        "institution": "Synthetic institute", "category": "academia", "expertise": "Synthetic expertise",
        "themes": "Synthetic theme", "capacity": "principal", "replaces": "other-1",
    }  # fmt: skip


async def test_a_name_that_is_not_seen_is_not_filled_in() -> None:
    own = a_nomination()
    del own["state"]["details"]
    page = Page(api.command("nomination", "amend"))
    typed = given(await form_of(page, {f"/nominations/{KEY}": own}, nomination=KEY))
    assert not [name for name in typed if name.startswith("details")]
    assert typed["institution"] == "Synthetic institute"


async def test_hostile_texts_on_record_fill_a_form_to_the_letter() -> None:
    own = a_nomination()
    own["state"]["particulars"]["institution"] = HOSTILE_LINE
    document = await form_of(Page(api.command("nomination", "amend")), {f"/nominations/{KEY}": own}, nomination=KEY)
    assert given(document)["institution"] == HOSTILE_LINE
    assert not list(elements(document, "img"))


def test_what_is_on_record_makes_the_same_body_again() -> None:
    command = api.command("nomination", "amend")
    state = a_nomination()["state"]
    known = fields_of(command.fields)
    body = body_of(known, filled_in(command, known, state))
    assert body == {"details": state["details"]} | {
        name: value
        for name, value in state["particulars"].items()
        if name not in ("nomination", "member", "person", "call", "submitted_on")
    }


def test_a_command_that_adds_starts_blank() -> None:
    command = api.command("nomination", "accept")
    assert filled_in(command, fields_of(command.fields), a_nomination()["state"]) == {}


async def test_a_focal_point_is_not_asked_for_its_member_and_the_secretariat_chooses_one_of_the_62() -> None:
    page = Page(api.command("nomination", "submit"))
    calls = {"/calls": {"items": [a_call()]}, "/roster": {"items": []}}
    of_office = await form_of(page, calls, query="call=call-1")
    members = next(each for each in elements(of_office, "select") if each.get("name") == "member")
    assert len(list(elements(members, "option"))) == 63
    assert given(of_office) == {"call": "call-1"}
    of_fiji = await form_of(page, calls, "focal_point")
    assert "member" not in {each.get("name") for each in elements(of_fiji, "select")}
    request = a_visit("/nominations/new/submit", {}, "", "focal_point")
    object.__setattr__(request.state.person, "member", "FJI")
    sheet = Sheet(api.command("nomination", "submit"), fields("nomination", "submit")[:0], {}, "id")
    assert page.body(request, sheet) == {"member": "FJI"}


@pytest.mark.parametrize(
    ("text", "zone", "sent"),
    [
        ("2026-12-01 10:00", "", "2026-12-01T10:00:00+07:00"),
        ("2026-12-01T10:00", "Europe/Paris", "2026-12-01T10:00:00+01:00"),
        (" 2026-12-01 10:00:30 ", "UTC", "2026-12-01T10:00:30+00:00"),
        ("2026-12-01T10:00+07:00", "Europe/Paris", "2026-12-01T10:00+07:00"),
        ("2026-12", "Europe/Paris", "2026-12"),
        ("2026-12-01 25:00", "UTC", "2026-12-01 25:00"),
        ("2026-03-29 02:30", "Europe/Paris", "2026-03-29 02:30"),
        ("2026-10-25 02:30", "Europe/Paris", "2026-10-25 02:30"),
        ("2026-12-01 10:00", "Nowhere/Never", "2026-12-01 10:00"),
        ("soon", "", "soon"),
    ],
)
def test_a_local_time_gets_the_offset_of_its_zone_and_a_doubtful_one_goes_to_the_service(
    text: str, zone: str, sent: str
) -> None:
    typed = {"starts_at": [text], "time_zone": [zone], "title": ["2026-12-01 10:00"]}
    changed = with_offsets(fields("meeting", "propose"), typed, "Asia/Bangkok")
    assert changed == typed | {"starts_at": [sent]}
    assert typed["starts_at"] == [text]


def a_meeting(**proceedings: list[dict[str, Any]]) -> dict[str, Any]:
    entries = {name: [{"fact": each, "versions": [1]} for each in facts] for name, facts in proceedings.items()}
    particulars = {"meeting": "m-1", "title": "Synthetic", "starts_at": "2026-12-01T09:00:00+07:00"}
    state = {"stage": "held", "particulars": particulars, "proceedings": entries}
    return {"stream": "meeting/m-1", "version": 3, "state": state}


async def test_the_times_of_a_meeting_that_was_held_are_on_its_own_clock() -> None:
    page = Page(api.command("meeting", "hold"))
    own = a_meeting()
    own["state"]["particulars"]["time_zone"] = "Asia/Tokyo"
    document = await form_of(page, {MEETING: own}, meeting="m-1")
    assert given(document)["time_zone"] == "Asia/Tokyo"
    assert "in the time zone of the record (Asia/Tokyo)" in text_of(document)
    typed = {"time_zone": ["Asia/Tokyo"], "held_from": ["2026-12-01 10:00"]}
    assert body_of_page(page, "hold", typed) == {"held_from": "2026-12-01T10:00:00+09:00"}


def a_place(number: int, **more: Any) -> dict[str, Any]:
    return {"membership": f"member-{number}", "member_name": "Fiji", "capacity": "principal"} | more


def roster(*places: dict[str, Any]) -> dict[str, Any]:
    return {"/roster": {"on": "2026-12-01", "items": list(places)}}


async def attendance(answers: dict[str, Any]) -> Element:
    return await form_of(Attendance(api.command("meeting", "record-attendance-list")), answers, meeting="m-1")


async def test_attendance_is_a_table_of_the_group_on_the_day_with_who_is_on_record() -> None:
    own = a_meeting(attendance=[{"membership": "member-1", "presence": "remote"}])
    places = roster(a_place(1, details={"name": "Synthetic Expert"}), a_place(2))
    document = await attendance({MEETING: own} | places)
    assert "Synthetic Expert Fiji, Principal Remote" in text_of(document)
    names = [each.get("name") for each in elements(document, "select")]
    assert names[:2] == ["presence.member-1", "presence.member-2"]


async def test_attendance_can_be_typed_where_there_is_no_roster() -> None:
    for answers, says in (
        ({"/roster": None}, "Missing: the service nominations does not answer."),
        (roster(), "Nobody was a member of the group on 1 December 2026."),
    ):
        document = await attendance({MEETING: a_meeting()} | answers)
        assert says in text_of(document)
        assert "attendance.0.membership" in {each.get("name") for each in document.iter()}


def body_of_page(page: Page, word: str, typed: dict[str, list[str]]) -> dict[str, Any]:
    sheet = Sheet(api.command("meeting", word), fields("meeting", word), typed, "id")
    return page.body(a_visit(MEETING, {}), sheet)


def test_those_for_whom_a_presence_was_chosen_are_sent() -> None:
    typed = {"presence.member-1": ["remote"], "presence.member-2": [""], "note": ["Synthetic"]}
    page = Attendance(api.command("meeting", "record-attendance-list"))
    assert body_of_page(page, "record-attendance-list", typed) == {
        "attendance": [{"membership": "member-1", "presence": "remote"}],
        "note": "Synthetic",
    }


REFUSAL = {"rule": "SchemaViolation", "title": "Synthetic", "detail": "Synthetic"}


async def refused(page: Page, answers: dict[str, Any], sheet: Sheet, field: str) -> Element:
    """Return the page that a service's error of a field makes of a form."""
    request = a_visit(MEETING, answers, meeting="m-1")
    page.body(request, sheet)
    sheet.problem, sheet.faults = Problem("meetings", 422, REFUSAL), [FieldFault(field, "Synthetic fault")]
    return parsed(bytes((await page.page(request, sheet, 422)).body).decode())


async def test_an_error_leads_to_the_row_that_it_is_about() -> None:
    own = a_meeting(agenda=[{"item": "b", "title": "Synthetic"}, {"item": "a", "title": "Synthetic"}])
    answers = {MEETING: own} | roster(a_place(1), a_place(2))
    for page, word, typed, field, name in (
        (
            Attendance, "record-attendance-list", {"presence.member-1": [""], "presence.member-2": ["remote"]},
            "attendance.0.membership", "presence.member-2",
        ),
        (AgendaOrder, "order-agenda", {"place.b": ["2"], "place.a": ["1"]}, "items.0", "place.a"),
    ):  # fmt: skip
        command = api.command("meeting", word)
        sheet = Sheet(command, fields("meeting", word), typed, "id", stream="meeting/m-1")
        document = await refused(page(command), answers, sheet, field)
        row = next(each for each in document.iter() if each.get("name") == name)
        assert f"#{row.get('id')}" in [each.get("href") for each in elements(document, "a")]
        assert row.get("aria-describedby") == f"f-{name}-error"
        assert text_of(document).count("Synthetic fault") == 2


async def test_an_agenda_is_ordered_by_numbers_beside_its_items() -> None:
    page = AgendaOrder(api.command("meeting", "order-agenda"))
    own = a_meeting(agenda=[{"item": "b", "title": HOSTILE_LINE}, {"item": "a", "title": "Synthetic item"}])
    document = await form_of(page, {MEETING: own}, meeting="m-1")
    assert given(document) == {"place.b": "1", "place.a": "2"}
    assert not list(elements(document, "img"))
    assert " ".join(HOSTILE_LINE.split()) in text_of(document)


@pytest.mark.parametrize(
    ("places", "items"),
    [
        ({"a": "2", "b": "1"}, ["b", "a"]),
        ({"a": "1", "b": "1"}, ["a", "b"]),
        ({"a": "", "b": "9", "c": "x"}, ["b", "a", "c"]),
        ({"a": "9" * 30, "b": "²"}, ["a", "b"]),
    ],
)
def test_items_with_the_same_number_or_none_stay_as_they_stood(places: dict[str, str], items: list[str]) -> None:
    page = AgendaOrder(api.command("meeting", "order-agenda"))
    typed = {f"place.{item}": [number] for item, number in places.items()}
    assert body_of_page(page, "order-agenda", typed) == {"items": items}
