"""A slug of a citation or title is deterministic, short and distinct."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.record.slugs import LIMIT, slug


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Commission resolution 75/4", "commission-resolution-75-4"),
        ("ECOSOC resolution 2022/11", "ecosoc-resolution-2022-11"),
        ("Résolution n° 7", "resolution-n-7"),
        (
            "Ministerial Declaration on Environment and Development for Asia and the Pacific, 2017",
            "ministerial-declaration-on-environment-and-b631f8dc",
        ),
        ("日本", "cf2abf0c"),
    ],
)
def test_a_slug_follows_the_format(text: str, expected: str):
    assert slug(text) == expected


@given(st.text(min_size=1, max_size=300))
def test_a_slug_is_a_valid_id(text: str):
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", slug(text))
    assert len(slug(text)) <= LIMIT


def test_long_titles_with_a_common_start_have_distinct_slugs():
    start = "A very long synthetic title " * 4
    assert slug(start + "one") != slug(start + "two")
