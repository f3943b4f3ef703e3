"""Canonical bytes equal those of the reference package, and values without a canonical form are refused."""

from __future__ import annotations

import sys
from typing import Any

import orjson
import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.events.canonical import NotCanonical, canonical, canonical_unchecked, leaf_hash, sha256_hex

LARGEST = 2**53 - 1
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
AWKWARD = st.text(st.sampled_from('\x00\x1f\b\t\n\f\r"\\/\x7f\x80\u2028\u2029\ufeff\ufffe\uffff<>&é🌏𐀀空'), max_size=12)
NAMES = st.text(st.characters(max_codepoint=127), max_size=12)
SCALARS = st.one_of(st.booleans(), st.integers(-LARGEST, LARGEST), TEXTS, AWKWARD)
PLAIN = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(NAMES, inner, max_size=5)),
    max_leaves=25,
)
REFUSED = st.one_of(
    st.none(),
    st.floats(),
    st.integers(min_value=LARGEST + 1),
    st.integers(max_value=-LARGEST - 1),
    st.characters(categories=["Cs"]).map(lambda lone: f"a{lone}b"),
    st.dictionaries(
        st.text(st.characters(min_codepoint=128, exclude_categories=["Cs"]), min_size=1), st.just(1), min_size=1
    ),
    st.dictionaries(st.integers(), st.just(1), min_size=1),
    st.binary(),
    st.sets(st.integers(0, 9)),
    st.datetimes(),
    st.uuids(),
)


@pytest.mark.slow
@settings(max_examples=600)
@given(PLAIN)
@example({"b": 1, "a": [True, LARGEST, -LARGEST], "": "𐀀\uffff\x7f\u2028"})
def test_the_bytes_are_those_of_the_reference_package(value: Any) -> None:
    raw = canonical(value)
    assert raw == rfc8785.dumps(value) == canonical_unchecked(value)
    assert orjson.loads(raw) == value
    assert canonical(orjson.loads(raw)) == raw


@pytest.mark.slow
@settings(max_examples=300)
@given(REFUSED, PLAIN)
@example(float("nan"), 1)
@example(0.0, 1)
@example("\ud800", 1)
@example("\udfff\ud800", 1)
def test_a_value_without_canonical_form_is_refused_at_any_depth(bad: Any, good: Any) -> None:
    for value in (bad, [good, bad], {"good": good, "bad": {"deep": [bad]}}, (bad,)):
        with pytest.raises(NotCanonical):
            canonical(value)


def test_a_refusal_names_the_place_and_not_the_value() -> None:
    with pytest.raises(NotCanonical, match=r"^\$\.data\.rows\[1\]: float has no canonical form here$"):
        canonical({"data": {"rows": [1, 2.5]}})


def test_nesting_beyond_the_recursion_limit_is_refused() -> None:
    value: list[Any] = []
    for _ in range(sys.getrecursionlimit() * 2):
        value = [value]
    with pytest.raises(NotCanonical):
        canonical(value)


def test_a_tuple_is_an_array() -> None:
    assert canonical({"b": (1, "x"), "a": ()}) == b'{"a":[],"b":[1,"x"]}'


def test_hashes_equal_the_test_vectors_of_the_standards() -> None:
    """SHA-256 of "abc" is FIPS 180-4's own example; the leaf hash of the empty entry is in RFC 6962's test vectors."""
    assert sha256_hex(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert leaf_hash(b"") == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
