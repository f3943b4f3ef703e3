"""Sealed fields: opened by the one key, bound to the one person, and nothing to be read without."""

from __future__ import annotations

import base64
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events.values import Sealed
from shared.privacy.key_ring import KEY_BYTES, NONCE_BYTES, seal, unseal

KEY = bytes(range(KEY_BYTES))
DETAILS = {"name": "Synthetic Person", "contact": "synthetic@example.org"}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES), st.dictionaries(TEXTS, TEXTS, max_size=5))
def test_an_encrypted_value_is_decrypted_by_its_key(key: bytes, details: dict[str, str]) -> None:
    assert unseal(key, seal(key, "p1", details)) == details


def test_another_key_opens_nothing() -> None:
    assert unseal(os.urandom(KEY_BYTES), seal(KEY, "p1", DETAILS)) is None


def test_a_box_moved_to_another_person_is_not_opened() -> None:
    box = seal(KEY, "p1", DETAILS).box
    assert unseal(KEY, Sealed(person="p2", box=box)) is None


@pytest.mark.parametrize("place", [0, NONCE_BYTES - 1, NONCE_BYTES, -1])
def test_a_box_with_one_bit_changed_is_not_opened(place: int) -> None:
    box = bytearray(base64.b64decode(seal(KEY, "p1", DETAILS).box))
    box[place] ^= 1
    assert unseal(KEY, Sealed(person="p1", box=base64.b64encode(box).decode())) is None


@pytest.mark.parametrize("box", ["A" * 38, "A" * 39, "A" * 40 + "==", "A" * 41])
def test_a_box_that_is_not_whole_is_not_opened(box: str) -> None:
    assert unseal(KEY, Sealed(person="p1", box=box)) is None


def test_nothing_of_a_person_can_be_read_in_a_box() -> None:
    sealed = seal(KEY, "p1", DETAILS)
    assert sealed.person == "p1"
    raw = base64.b64decode(sealed.box)
    assert not any(word in raw for text in (*DETAILS, *DETAILS.values()) for word in text.encode().split())


def test_the_same_words_give_the_same_box_and_other_words_another_nonce() -> None:
    again = seal(KEY, "p1", dict(reversed(DETAILS.items())))
    assert again == seal(KEY, "p1", DETAILS)
    other = seal(KEY, "p1", DETAILS | {"name": "Synthetic persons"})
    assert base64.b64decode(other.box)[:NONCE_BYTES] != base64.b64decode(again.box)[:NONCE_BYTES]


def test_the_same_words_of_another_key_give_another_box() -> None:
    assert seal(bytes(KEY_BYTES), "p1", DETAILS).box != seal(KEY, "p1", DETAILS).box
