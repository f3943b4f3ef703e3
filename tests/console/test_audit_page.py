"""The audit page says what is not known where a service is away, or where a role does not see it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.console.rendered import a_visit, parsed, text_of
from tools.console.pages import audit

PARTS = {
    "/log": {"origin": "synthetic", "published": 1, "sealed": 1}, "/stalled/reasons": {},
    "/dead-letters": {"items": []}, "/ahead": [], "/journal/unsigned": [], "/refusals": [],
}  # fmt: skip


async def text_with(query: str = "", **parts: Any) -> str:
    answers = PARTS | {f"/{name.replace('__', '/')}": answer for name, answer in parts.items()}
    response = await audit.audit(a_visit("/audit", answers, query))
    return text_of(parsed(bytes(response.body).decode()))


async def test_where_all_answer_nothing_is_to_be_seen_to() -> None:
    shown = await text_with()
    for text in ("No stream waits for anything.", "None is open.", "Nothing to see to.", "None."):
        assert text in shown, text
    assert "Missing" not in shown


@pytest.mark.parametrize("part", ["ahead", "journal__unsigned"])
async def test_clocks_that_are_not_known_are_not_called_right(part: str) -> None:
    shown = await text_with(**{part: None})
    assert "Nothing to see to." not in shown
    assert shown.count("Missing: the service meetings does not answer.") == 1


@pytest.mark.parametrize(("answer", "says"), [(None, "Missing: the service"), (403, "your role does not see this")])
async def test_refusals_that_are_not_known_are_not_called_none(answer: int | None, says: str) -> None:
    shown = (await text_with(refusals=answer)).partition("Refusals, newest first")[2]
    assert "None." not in shown
    assert says in shown
    assert shown.count("your role does not see this") <= 1


async def test_the_refusals_of_policies_are_listed_alone() -> None:
    assert "Policies refused, newest first All refusals" in await text_with("role=system")
    assert "Policies refused" not in await text_with()
