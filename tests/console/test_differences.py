"""Differences of texts by words: nothing of either text is lost, and long ones do not take long."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.patience import AT_MOST_SECONDS
from tools.console.differences import differences, versions_of


@pytest.mark.slow
@given(st.text(max_size=80), st.text(max_size=80))
def test_both_texts_can_be_read_from_the_pieces(was: str, now: str):
    pieces = differences(was, now)
    assert "".join(each.text for each in pieces if each.kind != "added") == was
    assert "".join(each.text for each in pieces if each.kind != "left_out") == now


def test_words_are_compared_not_letters():
    pieces = [(each.kind, each.text) for each in differences("clean air for all", "clean water for all")]
    assert pieces == [("same", "clean"), ("left_out", " air"), ("added", " water"), ("same", " for all")]


def test_the_longest_texts_are_compared_in_time():
    began = time.monotonic()
    differences("a b " * 5_000, "b a " * 5_000)
    differences(" ".join(map(str, range(2_900))), " ".join(map(str, range(2_900, 0, -1))))
    assert time.monotonic() - began < AT_MOST_SECONDS


def test_versions_are_numbered_by_the_entries_that_stated_title_or_text():
    state = {
        "drafted": {"data": {"title": "Synthetic", "text": "One"}, "versions": [1]},
        "revised": [
            {"data": {"themes": ["Synthetic"]}, "versions": [3]},
            {"data": {"text": "Two", "on": "2031-05"}, "versions": [4]},
            {"data": {"title": "Synthetic, put right", "clerical": True}, "versions": [7]},
        ],
    }
    first, second, third = versions_of(state)
    assert [each.number for each in (first, second, third)] == [1, 4, 7]
    assert [each.is_changed for each in (first, second, third)] == [False, True, True]
    assert (second.on, third.is_clerical) == ("2031-05", True)
    assert [each.text for each in third.text] == ["Two"]


def test_a_void_record_has_no_versions():
    assert versions_of({"stage": "void", "recorded": {}}) == []
