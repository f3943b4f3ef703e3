"""docs/policies.md has each policy of the platform, with its inverse."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
TABLE = CHECKOUT / "docs" / "policies.md"
_NAMING = {"react": 2, "_end": 1, "_execute": 1}
"""The functions that carry out a policy, and the place of its name among their arguments."""


def policies(source: str) -> Iterator[str]:
    """Yield the names of the policies that a module carries out."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=arguments) if name in _NAMING:
                yield from _name(arguments, _NAMING[name])
            case ast.Assign(targets=[ast.Name(id="POLICY")], value=ast.Constant(value=str(name))):
                yield name


def _name(arguments: list[ast.expr], place: int) -> Iterator[str]:
    match arguments[place : place + 1]:
        case [ast.Constant(value=str(name))]:
            yield name


def test_each_policy_is_in_the_table_with_its_inverse() -> None:
    files = [*CHECKOUT.glob("services/**/*.py"), CHECKOUT / "shared" / "store" / "policies.py"]
    named = {name for file in files for name in policies(file.read_text(encoding="utf-8"))}
    rows = re.findall(r"^\| `([a-z-]+)` \|(?:[^|]*\|){2} *[^| ]", TABLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert named == set(rows), "docs/policies.md: one row for each policy, with its cause, effect and inverse"
    assert len(named) > 6
