"""A meeting as an iCalendar file that any program reads, and the weeks of a month with the meetings of each day."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.console.rendered import a_visit
from tests.console.test_trace_page import HOSTILE_LINE
from tools.console import times
from tools.console.calendar import icalendar, weeks_of
from tools.console.pages.meetings import calendar_file
from tools.console.services import Problem

NOW = datetime(2031, 1, 1, 7, 30, 5, 250, tzinfo=UTC)
ADDRESS = "https://throughline.example/meetings/m-1"
AIR = "污染" * 60 + "Ω"


def a_state(begins: str | None = "2031-03-03T09:00:00+07:00", ends: str | None = None, **others: Any) -> dict[str, Any]:
    texts = {name: others.pop(name) for name in ("title", "place", "link") if name in others}
    particulars = {"title": "Synthetic", "starts_at": begins, "ends_at": ends} | texts
    known = {name: text for name, text in particulars.items() if text is not None}
    return {"stage": "convened", "particulars": known} | others


def a_file(**state: Any) -> str:
    return icalendar("m-1", a_state(**state), ADDRESS, NOW)


def values(file: str) -> dict[str, str]:
    """Return the properties of a file, its lines unfolded, each with its parameters."""
    lines = file.removesuffix("\r\n").replace("\r\n ", "").split("\r\n")
    return dict(line.split(":", 1) for line in lines)


def text_of(value: str) -> str:
    """Return the text that a program reads from an escaped one (RFC 5545, 3.3.11)."""
    parts = value.split("\\\\")
    return "\\".join(part.replace("\\n", "\n").replace("\\;", ";").replace("\\,", ",") for part in parts)


def test_a_meeting_is_a_whole_file_with_times_in_utc():
    link = "https://throughline.example/room,1;a"
    file = a_file(ends="2031-03-03T12:30:00+07:00", place="Bangkok", link=link)
    assert file.split("\r\n") == [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Throughline//Console//EN", "BEGIN:VEVENT", "UID:m-1@throughline",
        "DTSTAMP:20310101T073005Z", "DTSTART:20310303T020000Z", "DTEND:20310303T053000Z", "SUMMARY:Synthetic",
        "STATUS:CONFIRMED", f"URL:{ADDRESS}", "LOCATION:Bangkok",
        "DESCRIPTION:https://throughline.example/room\\,1\\;a", "END:VEVENT", "END:VCALENDAR", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("begins", "ends", "shown"),
    [
        ("2031-01-01T03:00+07:00", "2031-01-01T05:00Z", {"DTSTART": "20301231T200000Z", "DTEND": "20310101T050000Z"}),
        ("2031-03-03T09:00:00Z", None, {"DTSTART": "20310303T090000Z"}),
        ("2031-03-03T09:00:00Z", "2031-03-03T16:00:00+07:00", {"DTSTART": "20310303T090000Z"}),
        ("2031-03-03T09:00:00Z", "2031-03-03", {"DTSTART": "20310303T090000Z"}),
        ("2031-03-03", None, {"DTSTART;VALUE=DATE": "20310303", "DTEND;VALUE=DATE": "20310304"}),
        ("2031-03-31", "2031-04-02", {"DTSTART;VALUE=DATE": "20310331", "DTEND;VALUE=DATE": "20310403"}),
        ("2031-02", None, {"DTSTART;VALUE=DATE": "20310201", "DTEND;VALUE=DATE": "20310301"}),
        ("0001-01-01T00:00:00+07:00", None, {"DTSTART;VALUE=DATE": "00010101", "DTEND;VALUE=DATE": "00010102"}),
        ("9999-12-31T23:00:00-07:00", None, {"DTSTART;VALUE=DATE": "99991231"}),
    ],
)  # fmt: skip
def test_an_end_is_there_where_it_is_later_than_the_start(begins: str, ends: str | None, shown: dict[str, str]):
    given = values(a_file(begins=begins, ends=ends))
    assert {name: value for name, value in given.items() if name.startswith(("DTSTART", "DTEND"))} == shown


def test_a_meeting_is_in_the_file_and_the_calendar_when_it_was_held():
    state = a_state("2031-03-03T09:00:00Z", "2031-03-03T10:00:00Z")
    state |= {"stage": "held", "held": {"held_from": "2031-04-07T09:00:00Z", "held_to": "2031-04-07T11:00:00Z"}}
    given = values(icalendar("m-1", state, ADDRESS, NOW))
    assert (given["DTSTART"], given["DTEND"]) == ("20310407T090000Z", "20310407T110000Z")
    assert days_with(2031, 4, state) == [date(2031, 4, 7)]


@pytest.mark.parametrize(
    ("stage", "status"),
    [("proposed", "TENTATIVE"), ("convened", "CONFIRMED"), ("recorded", "CONFIRMED"), ("cancelled", "CANCELLED")],
)
def test_a_status_follows_the_stage(stage: str, status: str):
    assert values(a_file(stage=stage))["STATUS"] == status


@pytest.mark.parametrize(
    "text",
    ["a, b; c\\n \\, \\", "one\r\ntwo\nthree\rEND:VEVENT", HOSTILE_LINE, AIR, f"é{AIR}", "x" * 500, "\U0001f600" * 40],
    ids=["escaped", "lines", "hostile", "of three octets", "of two octets", "long", "of four octets"],
)
def test_a_text_is_data_and_is_read_back_whole_from_lines_of_75_octets(text: str):
    file = a_file(title=text, place=text)
    given = values(file)
    assert text_of(given["SUMMARY"]) == text_of(given["LOCATION"]) == text.replace("\r\n", "\n").replace("\r", "\n")
    assert list(given) == [
        "BEGIN", "VERSION", "PRODID", "UID", "DTSTAMP", "DTSTART", "SUMMARY", "STATUS", "URL", "LOCATION", "END"
    ]  # fmt: skip
    assert max(len(line.encode()) for line in file.split("\r\n")) <= 75
    assert file.count("\r") == file.count("\n") == file.count("\r\n")


def days_with(year: int, month: int, *states: dict[str, Any]) -> list[date]:
    weeks = weeks_of(year, month, [{"state": state} for state in states])
    return [day for week in weeks for day, meetings in week if meetings]


def test_a_month_is_in_whole_weeks_from_monday():
    weeks = weeks_of(2031, 3, [])
    assert [len(week) for week in weeks] == [7] * 6
    assert (weeks[0][0][0], weeks[-1][-1][0]) == (date(2031, 2, 24), date(2031, 4, 6))


@pytest.mark.parametrize(
    ("begins", "ends", "days"),
    [
        ("2031-03-03T01:00:00+07:00", "2031-03-03T02:00:00+07:00", [3]),
        ("2031-03-04", "2031-03-06", [4, 5, 6]),
        ("2031-03-04", None, [4]),
        ("2031-03-04", "2031-03-02", [4]),
        ("2031-03", None, []),
        (None, None, []),
    ],
)
def test_a_meeting_stands_on_each_of_its_days(begins: str | None, ends: str | None, days: list[int]):
    assert days_with(2031, 3, a_state(begins, ends)) == [date(2031, 3, day) for day in days]


def test_meetings_of_one_day_stand_together_and_a_long_one_ends():
    first, second = a_state("2031-03-03"), a_state("2031-03-03", "2031-12-31")
    [*_, last] = days_with(2031, 4, first, second)
    assert last == date(2031, 4, 2)
    [monday] = [each for each in weeks_of(2031, 3, [{"state": first}, {"state": second}])[1] if each[0].day == 3]
    assert [each["state"] for each in monday[1]] == [first, second]


@pytest.mark.parametrize("state", [a_state(None), {"stage": "void", "reason": "Synthetic"}], ids=["no time", "void"])
async def test_a_meeting_without_a_time_has_no_file(state: dict[str, Any]):
    with pytest.raises(Problem, match="404 NotOnRecord"):
        await calendar_file(a_visit("/", {"/meetings/m-1": {"state": state}}, meeting="m-1"))


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+07:00", "9999-12-31T23:00:00-07:00"])
def test_a_time_at_an_end_of_all_dates_is_shown_in_its_own_offset(text: str):
    zone = "UTC" if text.startswith("0001") else "Asia/Bangkok"
    assert times.when(text, zone).endswith(f"(UTC{text[-6:]})")
