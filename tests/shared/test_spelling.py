"""Texts that look the same are the same, and a suggestion shows what it suggests."""

from __future__ import annotations

import json
import unicodedata

import pytest

from shared.domain.spelling import normal, normalised, suggestion
from shared.events.wording import nearest
from shared.http.bodies import parse

NFC, NFD = (unicodedata.normalize(form, "Décision 1") for form in ("NFC", "NFD"))


def test_texts_are_in_one_form_and_names_of_members_stay():
    assert NFC != NFD
    assert normal(NFD) == NFC
    assert normalised({NFD: [NFD, 1, True, None, {"a": NFD}]}) == {NFD: [NFC, 1, True, None, {"a": NFC}]}


def test_a_request_is_read_in_one_form():
    body = json.dumps({"cite": NFD, "of": [NFD], "session": 7}, ensure_ascii=False).encode()
    assert parse(body) == {"cite": NFC, "of": [NFC], "session": 7}


@pytest.mark.parametrize(
    ("word", "expected"),
    [("Transmited", "transmitted"), (NFD, NFC), ("decision 1", NFC), ("xyz", None)],
)
def test_the_nearest_word_is_found_whatever_its_case_and_form(word: str, expected: str | None):
    assert nearest(word, ["drafted", "transmitted", NFC]) == expected


@pytest.mark.parametrize(
    ("word", "known", "says"),
    [
        ("Décision\u00a01", NFC, "did you mean 'Décision 1' (character 9 is NO-BREAK SPACE, not SPACE)?"),
        ("Resolution \u0430", "Resolution a", "CYRILLIC SMALL LETTER A, not LATIN SMALL LETTER A"),
        ("Resolution\u200b 1", "Resolution 1", "ZERO WIDTH SPACE, not SPACE"),
        ("Resolution 1", "Resolution 1\u200b", "absent, not ZERO WIDTH SPACE"),
        ("Resolution 1", "Resolution 2", "did you mean 'Resolution 2'?"),
    ],
)
def test_a_suggestion_names_a_difference_that_the_eye_may_miss(word: str, known: str, says: str):
    assert says in str(suggestion(word, [known]))
    assert suggestion(word, []) is None
