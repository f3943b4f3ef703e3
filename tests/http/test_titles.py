"""Each problem that is no rejection of a command has a title in words."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from shared.http.problems import TITLES
from shared.store.event_store import ClocksDiffer, StoreFenced

CHECKOUT = Path(__file__).parents[2]


def rules_in(source: str) -> Iterator[str]:
    """Yield the rules of the problems that a module answers with."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id="Refused"), args=[_, ast.Constant(value=str(rule)), *_]):
                yield rule
            case _:
                continue


def test_each_rule_has_a_title() -> None:
    files = [file for folder in ("shared", "services") for file in (CHECKOUT / folder).rglob("*.py")]
    rules = {rule for file in files for rule in rules_in(file.read_text(encoding="utf-8"))}
    assert len(rules) > 20
    assert rules | {StoreFenced.rule, ClocksDiffer.rule} == TITLES.keys()
    assert [title for rule, title in TITLES.items() if " " not in title or title == rule] == []
