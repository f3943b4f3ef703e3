"""The words of a text as search compares them, in any script, and their places."""

from __future__ import annotations

from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.search_words import LONGEST, whole, words_in, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Disaster risk-reduction, 2022", {"disaster", "risk", "reduction", "2022"}),
        ("A/RES/74/212", {"a", "res", "74", "212"}),
        ("Région ÁGUA Straße", {"region", "agua", "strasse"}),
        ("Île d’Yeu", {"ile", "d", "yeu"}),
        ("ﬁnance ① ａｂｃ", {"finance", "1", "abc"}),
        ("नीति निर्माण", {"नीति", "निर्माण"}),
        ("한국어", {normalize("NFKD", "한국어")}),
        ("كِتَاب", {"كتاب"}),
        ("soft\u00adhyphen zero\u200djoined \u202ebidi\u202c", {"softhyphen", "zerojoined", "bidi"}),
        ("... $ -- «»", set()),
        ("", set()),
    ],
)
def test_words_are_split_at_what_is_no_word_without_case_and_accents(text: str, words: set[str]) -> None:
    assert set(words_of(text)) == words


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("发展", ["发展", "展"]),
        ("可持续发展", ["可持", "持续", "续发", "发展", "展"]),
        ("水", ["水"]),
        ("ป่าไม้", ["ป่า", "าไ", "ไม้", "ม้"]),
        ("မြန်မာ", ["မြန်", "န်မာ", "မာ"]),
        ("ភាសា", ["ភាសា", "សា"]),
    ],
)
def test_a_script_without_blanks_is_taken_in_pairs_of_whole_characters(text: str, pairs: list[str]) -> None:
    assert [word.word for word in words_in(normalize("NFC", text))] == pairs


def test_a_word_and_a_script_without_blanks_may_meet() -> None:
    assert words_of("SDG目标2030") == ["sdg", "目标", "标", "2030"]


@pytest.mark.parametrize("text", ["Île Été", "น้ำ", "がぎ", "각", "ẹ̈"])
def test_a_text_has_the_same_words_in_each_of_its_forms(text: str) -> None:
    assert words_of(normalize("NFC", text)) == words_of(normalize("NFD", text))


def test_a_word_is_compared_up_to_its_longest() -> None:
    assert words_of("x" * 500) == words_of("x" * 500 + "\u0301") == ["x" * LONGEST]


@given(st.text(max_size=60))
def test_each_word_is_at_its_place_and_no_word_holds_a_blank(text: str) -> None:
    normal = normalize("NFC", text)
    places = [(word.start, word.end) for word in words_in(normal)]
    assert all(0 <= start < end <= len(normal) for start, end in places)
    assert places == sorted(places)
    assert not any(" " in word or "=" in word or "^" in word for word in words_of(text))


@given(st.text(st.characters(max_codepoint=127), max_size=60))
def test_a_text_in_ascii_has_the_words_that_it_has_among_others(text: str) -> None:
    assert words_of(text) == words_of(f"{text} é")[:-1] == [word.word for word in words_in(text)]


def test_a_name_is_compared_whole() -> None:
    assert whole("  Commission  Resolution\t75/4 ") == "commission resolution 75/4"
    assert whole("É/ESCAP\u200e/RES") == "e/escap/res"
