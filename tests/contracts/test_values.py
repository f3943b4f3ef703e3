"""Dates known in part, texts and references: accepted and refused values, and the range of days of a date."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.events import values as v
from tests.contracts.accepting import accepts

DATES = ["2023", "2023-09", "2023-09-01", "2024-02-29", "0001", "9999-12-31"]
NO_DATES = [
    "", "23", "202", "20230901", "2023-9", "2023-09-1", "2023-00", "2023-13", "2023-02-29", "2023-04-31", "2023-09-00",
    "0000", "2023-09\n", "\n2023-09", " 2023", "2023-", "2023-09-", "2023/09", "-2023", "2023-W36", "2023-244",
    "September", "２０２３", "2023-０9", "٢٠٢٣", "2023-09-01T10:00:00Z", "2023\x00", "2023-09-01Z",
]  # fmt: skip
TIMES = [
    "2022-03-18T10:00Z", "2022-03-18T10:00:00Z", "2022-03-18T10:00:00+07:00", "2022-03-18T23:59:59-11:30", *DATES,
    "2022-03-18T10:00:00.000Z", "2022-03-18T10:00:00.5Z", "2022-03-18T10:00:00.123456789+07:00",
    "2022-03-18T10:00:00-00:00",
]  # fmt: skip
NO_TIMES = [
    "2022-03-18T10:00:00", "2022-03-18T24:00:00Z", "2022-03-18T10:60:00Z", "2022-03-18T10:00:60Z", "2022-02-30T10:00Z",
    "2022-03-18T10:00:00+24:00", "2022-03-18T10:00:00+07:60", "2022-03-18T10:00:00+0700", "2022-03-18T10:00:00+7",
    "2022-03-18 10:00:00Z", "2022-03-18T10Z", "2022-03-18T10:00:00.Z", "2022-03-18T10:00:00,5Z",
    "2022-03-18T10:00.5Z", "2022-03T10:00Z",
    "2022-03-18T10:00:00Z\n", "２０２２-03-18T10:00Z", "2022-03-18T1０:00Z", "T10:00Z",
]  # fmt: skip


@pytest.mark.parametrize("text", DATES)
def test_a_date_may_be_known_to_the_year_the_month_or_the_day(text: str) -> None:
    assert accepts(v.WorldDate, text)
    assert accepts(v.WorldTime, text)


@pytest.mark.parametrize("text", NO_DATES)
def test_text_of_another_form_is_no_date(text: str) -> None:
    assert not accepts(v.WorldDate, text)


@pytest.mark.parametrize("number", [2023, 2023.09, True, None, date(2023, 9, 1), ["2023"]])
def test_a_date_is_text(number: Any) -> None:
    assert not accepts(v.WorldDate, number)
    assert not accepts(v.WorldTime, number)


@pytest.mark.parametrize("text", TIMES)
def test_a_time_has_its_offset_or_is_a_date(text: str) -> None:
    assert accepts(v.WorldTime, text)


def test_a_time_is_recorded_in_capitals() -> None:
    times: TypeAdapter[str] = TypeAdapter(v.WorldTime)
    assert times.validate_python("2024-03-18t10:00:00.000z") == "2024-03-18T10:00:00.000Z"
    assert times.validate_python("2024-03-18T10:00:00.000Z") == "2024-03-18T10:00:00.000Z"


@pytest.mark.parametrize("text", NO_TIMES)
def test_text_of_another_form_is_no_time(text: str) -> None:
    assert not accepts(v.WorldTime, text)


@pytest.mark.parametrize(
    ("when", "first", "last"),
    [
        ("2023", date(2023, 1, 1), date(2023, 12, 31)),
        ("2023-09", date(2023, 9, 1), date(2023, 9, 30)),
        ("2023-02", date(2023, 2, 1), date(2023, 2, 28)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2023-12", date(2023, 12, 1), date(2023, 12, 31)),
        ("2023-09-07", date(2023, 9, 7), date(2023, 9, 7)),
        ("9999", date(9999, 1, 1), date(9999, 12, 31)),
        ("2022-03-18T00:30:00+07:00", date(2022, 3, 18), date(2022, 3, 18)),
        ("2022-03-18T23:30:00-11:00", date(2022, 3, 18), date(2022, 3, 18)),
    ],
)
def test_a_date_known_in_part_means_its_first_to_its_last_day(when: str, first: date, last: date) -> None:
    assert (v.earliest_day(when), v.latest_day(when)) == (first, last)


@settings(max_examples=200)
@given(st.dates(), st.sampled_from([4, 7, 10]))
def test_every_day_lies_within_the_range_of_its_partly_known_date(day: date, known: int) -> None:
    when = day.isoformat()[:known]
    assert accepts(v.WorldDate, when)
    assert v.earliest_day(when) <= day <= v.latest_day(when)
    assert (known == 10) == (v.earliest_day(when) == v.latest_day(when))


def test_text_of_another_form_has_no_range_of_days() -> None:
    for text in ("September", "2023-9"):
        with pytest.raises(ValueError, match="is not a date"):
            v.latest_day(text)


@pytest.mark.slow
@settings(max_examples=300)
@given(st.from_regex(r"[0-9]{4}(-[0-9]{2}){0,2}", fullmatch=True))
def test_the_published_pattern_of_a_date_accepts_every_date_that_the_code_accepts(text: str) -> None:
    pattern = TypeAdapter(v.WorldDate).json_schema()["pattern"]
    assert not accepts(v.WorldDate, text) or re.fullmatch(pattern, text)


def test_a_text_holds_twenty_thousand_characters_of_any_plane() -> None:
    for character in ("x", "空", "🌏"):
        assert accepts(v.Text, character * 20_000)
        assert not accepts(v.Text, character * 20_001)


def test_a_short_text_holds_five_hundred_characters() -> None:
    assert accepts(v.ShortText, "🌏" * 500)
    assert not accepts(v.ShortText, "x" * 501)


@pytest.mark.parametrize(
    "text", ["two\nlines", "a\ttab", "carriage\r\nreturn", "line\u2028separator", "'quoted' – “so”"]
)
def test_a_text_may_have_line_breaks_and_tabs(text: str) -> None:
    assert accepts(v.Text, text)


@pytest.mark.parametrize(
    "code", [*range(9), 11, 12, *range(14, 32), *range(127, 160), 0xD800, 0xDBFF, 0xDC00, 0xDFFF], ids=hex
)
def test_no_text_holds_a_control_character_or_a_lone_surrogate(code: int) -> None:
    assert not accepts(v.Text, f"a{chr(code)}b")
    assert not accepts(v.ShortText, f"a{chr(code)}b")


@pytest.mark.parametrize("text", ["a\nb", "a\tb", "a\r", "a\u2028b", "a\u2029b", "a\x85b", "", " ", "\u00a0\u3000"])
def test_a_short_text_is_one_line_and_not_blank(text: str) -> None:
    assert not accepts(v.ShortText, text)


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u00a0"])
def test_a_text_is_not_blank(text: str) -> None:
    assert not accepts(v.Text, text)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (v.Id, ["a", "teg-2024", "A.b_c-9", "a" * 100], ["", "-a", ".a", "a b", "a/b", "é", "a" * 101, "a\n"]),
        (v.ProvisionId, ["a", "75-4/report"], ["", "a/", "/a", "a/b/c", "a//b", "a/b\n"]),
        (v.Reference, ["CED/2022/R1", "SYN/1999/R10000"], ["CED/2022/R0", "CED/2022/R01", "ced/2022/R1", "CED/3022/R1",
            "CED/2022/R100000", "C/2022/R1", "CED/2022/R1 ", "CED/２022/R1", "CED/2022/R1\n"]),
        (v.Member, ["FJI", "THA"], ["FJ", "fji", "FIJI", "FJ1", "FJI\n", ""]),
        (v.Digest, ["0" * 64, "0123456789abcdef" * 4], ["0" * 63, "0" * 65, "A" * 64, "g" * 64, "0" * 64 + "\n"]),
        (v.SessionNumber, [1, 999], [0, 1000, -1, True, "7", 7.0, None]),
        (v.Version, [1, 2**31 - 1], [0, 2**31, True, "1", 1.0]),
        (v.Count, [0, 100_000], [-1, 100_001, False, "0", 0.0]),
        (v.Flag, [True, False], [0, 1, "true", "no", None]),
        (v.MediaType, ["application/pdf", "image/svg+xml"], ["pdf", "Application/PDF", "a/b/c", "text/html; a=b"]),
        (v.Language, ["en", "zh-Hans", "fil"], ["EN", "english", "e", "en-", "en_GB"]),
    ],
)  # fmt: skip
def test_ids_references_and_numbers_accept_their_own_form_only(kind: Any, good: list[Any], bad: list[Any]) -> None:
    assert [value for value in good if not accepts(kind, value)] == []
    assert [value for value in bad if accepts(kind, value)] == []


@pytest.mark.parametrize("bad", ["", "A" * 37, "A" * 40_001, "A" * 38 + "===", "A" * 38 + "!", "A" * 38 + "\n"])
def test_a_sealed_box_is_base64_of_at_least_a_nonce_and_a_tag(bad: str) -> None:
    with pytest.raises(ValidationError):
        v.Sealed(person="p1", box=bad)
    assert v.Sealed(person="p1", box="A" * 38 + "==")
