"""The page of a membership shows an expert's details as they are now, or says that it may not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.console.rendered import text_of
from tests.console.test_nomination_pages import KEY, a_membership, around, page_of

CHANGE = {"change": {"changed_on": "2026-11-10", "institution": "Synthetic other", "sealed": {}}, "versions": [2]}
ROW = {
    "membership": KEY, "details": {"name": "Synthetic New Name", "contact": "new@example.org"},
    "institution": "Synthetic other", "category": "academia", "themes": [],
}  # fmt: skip
MAY_LACK = "A change that is listed below may not be in the details shown here."


async def membership_with(roster: Any, **state: Any) -> str:
    member = a_membership(**{"changes": [CHANGE]} | state)
    return text_of(await page_of("membership", around(**{f"/memberships/{KEY}": member, "/roster": roster})))


async def test_details_that_changed_are_shown_as_they_are_now() -> None:
    shown = await membership_with({"items": [ROW | {"membership": "another"}, ROW]})
    for text in ("Synthetic New Name", "new@example.org", "Institution Synthetic other"):
        assert text in shown, text
    for text in ("Synthetic Expert", "Institution, as nominated", MAY_LACK):
        assert text not in shown, text


@pytest.mark.parametrize("roster", [None, {"items": []}])
async def test_where_they_cannot_be_had_the_page_says_that_a_change_may_be_missing(roster: Any) -> None:
    shown = await membership_with(roster)
    for text in ("Synthetic Expert", "Institution, as nominated", MAY_LACK):
        assert text in shown, text


async def test_where_nothing_changed_details_are_as_nominated() -> None:
    shown = await membership_with({"items": [ROW]}, changes=[])
    assert "Synthetic Expert" in shown
    assert MAY_LACK not in shown
