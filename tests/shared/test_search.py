"""The words of a search, how well an entry fits it, and the extract that shows it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.search import (
    IN_TEXT,
    IN_TITLE,
    LINES_LIMIT,
    NAME_BEGINS,
    NAME_IS,
    QUOTED,
    RANKS,
    STEM,
    lines_of,
    query_of,
    terms_of,
)
from shared.domain.search_entry import SearchEntry

RESOLUTION = SearchEntry(
    "instrument", "Région: strengthening disaster risk reduction", ("75-4", "Commission resolution 75/4"), ("ESCAP",)
)
PROVISION = SearchEntry(
    "provision", "Commission resolution 75/4, 3", texts=("Requests a report on freshwater",), key="75-4/ask"
)


def rank(text: str, entry: SearchEntry = RESOLUTION) -> int | None:
    [line] = lines_of([entry])
    return query_of(text).rank(line)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("75-4", NAME_IS),
        ("COMMISSION resolution  75/4", NAME_IS),
        ("commission res", NAME_BEGINS),
        ("disaster", IN_TITLE),
        ("region reduc", IN_TITLE),
        ("reduction, disaster!", IN_TITLE),
        ("disaster escap", IN_TEXT),
        ("disaster 75", IN_TEXT),
        ("isaster", None),
        ("disa reduction", None),
        ("disaster flood", None),
    ],
)
def test_a_name_comes_before_the_title_and_the_title_before_the_text(text: str, expected: int | None) -> None:
    assert rank(text) == expected


def test_the_citation_of_its_instrument_is_no_title_of_a_provision() -> None:
    assert rank("resolution 75", PROVISION) == IN_TEXT
    assert rank("75 freshwater", PROVISION) == IN_TEXT
    assert rank("resolution 75/4", PROVISION) == IN_TEXT


@pytest.mark.parametrize(
    ("text", "matches"), [("发展", True), ("持续发", True), ("展发", False), ("水", False), ("标", True)]
)
def test_a_part_of_a_text_without_blanks_is_found(text: str, matches: bool) -> None:
    assert (rank(text, SearchEntry("meeting", "可持续发展目标")) is not None) is matches


@pytest.mark.parametrize("text", ["", " ", "7", "a", "a b c", "...", "$ - *", ".*", '"', "\u202e\u200f", "\u0301"])
def test_what_holds_no_word_is_too_short(text: str) -> None:
    assert query_of(text).is_too_short


@pytest.mark.parametrize("text", ["R1", "75", "水", "$where", "=?utf-8?q?x?=", "x" * 500, "e\u0301" * 9])
def test_two_characters_or_one_of_a_script_without_blanks_are_enough(text: str) -> None:
    assert not query_of(text).is_too_short


@given(st.text(max_size=500))
def test_nothing_that_is_typed_is_an_operator(text: str) -> None:
    query = query_of(text)
    for number in RANKS if not query.is_too_short else ():
        terms = query.terms(number)
        assert bool(terms.terms) is not bool(terms.beginning)
    extract = query.extract([text, "Synthetic text"])
    assert all(0 <= start < end <= len(extract.text) for start, end in extract.marks)


@given(st.text(min_size=1, max_size=200))
def test_a_text_is_found_by_itself(text: str) -> None:
    if not query_of(text).is_too_short:
        assert rank(text, SearchEntry("meeting", "Synthetic", texts=(text,))) is not None


@given(st.text(max_size=40), st.text(min_size=1, max_size=40))
def test_a_state_that_holds_a_match_has_the_terms_that_it_is_looked_up_by(text: str, looked_up: str) -> None:
    entries = [SearchEntry("meeting", looked_up, (looked_up,), (f"{text} {looked_up}",)), RESOLUTION]
    query, lines = query_of(looked_up), lines_of(entries)
    if query.is_too_short:
        return
    terms = terms_of(lines)
    for line in lines:
        if (match := query.rank(line)) is not None:
            assert query.may_match(line)
            assert query.may_match("\n".join(lines))
            wanted = query.terms(match)
            assert set(terms) >= set(wanted.terms)
            assert any(term.startswith(wanted.beginning) for term in terms)


def test_the_terms_of_a_state_are_the_beginnings_of_its_words_each_once() -> None:
    terms = terms_of(lines_of([RESOLUTION, PROVISION]))
    assert terms == sorted(set(terms))
    assert {"disa", "fres", "75", "^regi", "=75-4", "=commission resolution 75/4"} <= set(terms)
    assert "^fres" not in terms
    assert all(len(term.lstrip("^")) <= STEM for term in terms if not term.startswith("="))


def test_an_extract_shows_the_matching_words_of_the_text_around_them() -> None:
    text = f"{'before ' * 40}the Disaster,\nrisk reduction {'after ' * 60}"
    extract = query_of("disaster risk").extract(["", "no match", text])
    assert [extract.text[start:end] for start, end in extract.marks] == ["Disaster", "risk"]
    assert extract.text.startswith("…before")
    assert extract.text.endswith("after…")
    assert len(extract.text) <= QUOTED + 2


def test_an_extract_marks_whole_words_and_nothing_of_others() -> None:
    extract = query_of("ris").extract(["Risk, risks; arise"])
    assert [extract.text[start:end] for start, end in extract.marks] == ["Risk", "risks"]
    assert query_of("发展").extract(["实现可持续发展目标"]).marks == ((5, 7),)
    assert query_of("flood").extract(["Synthetic"]).marks == ()


def test_the_lines_of_a_state_are_limited_and_its_names_stay() -> None:
    text = " ".join(f"w{number}" for number in range(LINES_LIMIT // 9))
    long = [SearchEntry("meeting", f"Title {number}", (f"name-{number}",), (text,)) for number in range(3)]
    first, *_, last = lines_of(long)
    assert len(first) > LINES_LIMIT / 2
    assert last == "meeting\tname-2\t\t"
    assert query_of("name-2").rank(last) == NAME_IS
