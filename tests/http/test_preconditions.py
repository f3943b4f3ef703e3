"""Idempotency-Key as its draft has it, and If-Match as RFC 9110 has it."""

from __future__ import annotations

import pytest

from shared.http.preconditions import expected_versions, unquoted
from shared.http.problems import Refused


@pytest.mark.parametrize(
    ("header", "admitted"),
    [
        ('"5"', {5}),
        (' "5" ', {5}),
        ('"5", "6"', {5, 6}),
        ('"5","6",', {5, 6}),
        (', "5" , , "6"', {5, 6}),
        ('W/"5"', set()),
        ('W/"5", "6"', {6}),
        ('"5;q=1"', set()),
        ('""', set()),
        ('"a,b", "6"', {6}),
        ('"1234567890"', set()),
    ],
)
def test_a_list_of_tags_admits_its_strong_versions(header: str, admitted: set[int]) -> None:
    assert expected_versions(header) == admitted


def test_a_star_admits_what_is_on_record() -> None:
    any_version = expected_versions("*")
    assert any_version is not None
    assert 1 in any_version
    assert 2**31 - 1 in any_version
    assert 0 not in any_version
    assert expected_versions(None) is None


@pytest.mark.parametrize("header", ["two", "5", '"5', '"5" "6"', '*, "5"', "W/5", "", ",", 'w/"5"', '"5"x'])
def test_what_is_no_list_of_tags_is_refused(header: str) -> None:
    with pytest.raises(Refused) as refused:
        expected_versions(header)
    assert (refused.value.status, refused.value.rule) == (400, "IfMatchNotAVersion")


@pytest.mark.parametrize(
    ("header", "key"),
    [('"synthetic-key"', "synthetic-key"), ("synthetic-key", "synthetic-key"), ('"', '"'), ('""', ""), ('"a', '"a')],
)
def test_a_key_is_the_same_in_quotes(header: str, key: str) -> None:
    assert unquoted(header) == key
