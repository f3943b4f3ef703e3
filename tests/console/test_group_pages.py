"""Pages say who nominated in words that are true of what each role sees."""

from __future__ import annotations

import pytest

from tests.console.rendered import a_visit, parsed, text_of
from tests.console.test_nomination_pages import around, page_of
from tools.console.pages import group

ROW = {"member": "JPN", "name": "Japan", "kind": "member", "nominations": {}, "active": {}, "nominated": False}
MEMBERS = {"/members": {"counts": {"ever": 0, "never": 1}, "items": [ROW]}, "/calls": {"items": []}}


async def members_as(role: str) -> str:
    response = await group.members(a_visit("/group/members", MEMBERS, "", role))
    return text_of(parsed(bytes(response.body).decode()))


@pytest.mark.parametrize("role", ["secretariat", "auditor", "focal_point"])
async def test_who_sees_all_nominations_is_told_who_never_nominated(role: str) -> None:
    assert "0 have nominated, 1 never did." in await members_as(role)
    assert "1 have answered, 1 have not." in text_of(await page_of("call", around(), role))


@pytest.mark.parametrize("role", ["chair", "expert"])
async def test_who_sees_registered_nominations_is_not_told_that_others_were_never_made(role: str) -> None:
    shown = await members_as(role)
    assert "Of 0 you see a nomination, of 1 none" in shown
    assert "never did" not in shown
    call = text_of(await page_of("call", around(), role))
    assert "Of 1 you see a nomination, of 1 none" in call
    assert "1 have not" not in call
