"""Encrypted fields: only their key decrypts them, only for their person, and they reveal nothing without it."""

from __future__ import annotations

import base64
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events.values import Sealed
from shared.privacy.key_ring import KEY_BYTES, NONCE_BYTES, decrypt, encrypt

KEY = bytes(range(KEY_BYTES))
DETAILS = {"name": "Synthetic Person", "contact": "synthetic@example.org"}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES), st.dictionaries(TEXTS, TEXTS, max_size=5))
def test_encrypted_details_are_decrypted_by_their_key(key: bytes, details: dict[str, str]) -> None:
    assert decrypt(key, encrypt(key, "p1", details)) == details


def test_another_key_decrypts_nothing() -> None:
    assert decrypt(os.urandom(KEY_BYTES), encrypt(KEY, "p1", DETAILS)) is None


def test_a_box_moved_to_another_person_is_not_decrypted() -> None:
    box = encrypt(KEY, "p1", DETAILS).box
    assert decrypt(KEY, Sealed(person="p2", box=box)) is None


@pytest.mark.parametrize("place", [0, NONCE_BYTES - 1, NONCE_BYTES, -1])
def test_a_box_with_one_bit_changed_is_not_decrypted(place: int) -> None:
    box = bytearray(base64.b64decode(encrypt(KEY, "p1", DETAILS).box))
    box[place] ^= 1
    assert decrypt(KEY, Sealed(person="p1", box=base64.b64encode(box).decode())) is None


@pytest.mark.parametrize("box", ["A" * 38, "A" * 39, "A" * 40 + "==", "A" * 41])
def test_a_truncated_box_is_not_decrypted(box: str) -> None:
    assert decrypt(KEY, Sealed(person="p1", box=box)) is None


def test_a_box_holds_no_word_of_a_person_in_plain_text() -> None:
    sealed = encrypt(KEY, "p1", DETAILS)
    assert sealed.person == "p1"
    raw = base64.b64decode(sealed.box)
    assert not any(word in raw for text in (*DETAILS, *DETAILS.values()) for word in text.encode().split())


def test_the_same_details_give_the_same_box_and_other_details_another_nonce() -> None:
    again = encrypt(KEY, "p1", dict(reversed(DETAILS.items())))
    assert again == encrypt(KEY, "p1", DETAILS)
    other = encrypt(KEY, "p1", DETAILS | {"name": "Synthetic persons"})
    assert base64.b64decode(other.box)[:NONCE_BYTES] != base64.b64decode(again.box)[:NONCE_BYTES]


def test_the_same_details_under_another_key_give_another_box() -> None:
    assert encrypt(bytes(KEY_BYTES), "p1", DETAILS).box != encrypt(KEY, "p1", DETAILS).box
