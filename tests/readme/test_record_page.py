"""docs/record.md, the page for officers, names every gap, refusal and command of the code, and no others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from shared.domain.rejections import Rejection
from shared.events.catalogue import EVENTS
from shared.events.services import SERVICES

CHECKOUT = Path(__file__).parents[2]
PAGE = (CHECKOUT / "docs/record.md").read_text(encoding="utf-8")
NAMES = set(re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", PAGE, flags=re.MULTILINE | re.DOTALL)))
FOLDERS = ("services/recommendations/trace", "shared/domain")
SENTENCES = re.findall(r"^\| “(.+)” \|", PAGE, re.MULTILINE)


def templates(source: str) -> Iterator[str]:
    """Yield the sentences that a module yields or returns, each as a pattern with any words in its places."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Yield(value=value) if value is not None:
                yield from _of(value)
            case ast.Return(value=ast.List(elts=values)):
                for value in values:
                    yield from _of(value)
            case ast.Return(value=ast.ListComp(elt=value)):
                yield from _of(value)
            case _:
                continue


def _of(value: ast.expr) -> Iterator[str]:
    match value:
        case ast.Constant(value=str(text)):
            yield re.escape(text)
        case ast.JoinedStr(values=parts):
            yield "".join(re.escape(each.value) if isinstance(each, ast.Constant) else ".*" for each in parts)
        case _:
            return


def gaps_of_the_code() -> set[str]:
    files = [file for folder in FOLDERS for file in (CHECKOUT / folder).glob("*.py")]
    return {pattern for file in files for pattern in templates(file.read_text(encoding="utf-8"))}


def rejections(of: type[Rejection] = Rejection) -> Iterator[type[Rejection]]:
    for each in of.__subclasses__():
        if each.says and each.__module__.startswith(("services.", "shared.")):
            yield each
        yield from rejections(each)


def test_each_gap_of_the_code_is_on_the_page():
    missing = [gap for gap in gaps_of_the_code() if not any(re.fullmatch(gap, sentence) for sentence in SENTENCES)]
    assert not missing, f"docs/record.md, 'Gaps that always show': add {missing}"


@pytest.mark.slow
@pytest.mark.parametrize("sentence", SENTENCES)
def test_each_gap_on_the_page_is_one_of_the_code(sentence: str):
    assert any(re.fullmatch(gap, sentence) for gap in gaps_of_the_code())


def test_there_are_gaps_to_check():
    source = 'def gaps(n):\n    yield "None."\n    yield f"Of {n} one."\n    return [f"Is {x}" for x in n]\n'
    assert set(templates(source)) == {r"None\.", r"Of\ .*\ one\.", r"Is\ .*"}
    assert len(gaps_of_the_code()) > 40


def test_each_refusal_is_on_the_page():
    for service in SERVICES:
        import_module(f"services.{service}.app")
    assert {each.__name__ for each in rejections()} - NAMES == set()


@pytest.mark.parametrize("service", SERVICES)
def test_each_command_is_on_the_page(service: str):
    routes = import_module(f"services.{service}.api").COMMAND_ROUTES
    paths = {re.sub(r"(/\{\w+\})+", "/…", route.path) for route in routes}
    assert {path for path in paths if not path.endswith(("/correct", "/void"))} - NAMES == set()


def test_each_command_on_the_page_is_one_of_the_services():
    routes = [route for service in SERVICES for route in import_module(f"services.{service}.api").COMMAND_ROUTES]
    paths = {re.sub(r"(/\{\w+\})+", "/…", route.path) for route in routes} | {"/docs"}
    assert {name for name in NAMES if name.startswith("/")} - paths == set()


def test_each_field_that_no_correction_changes_is_on_the_page():
    start = PAGE.index("| of | every field, except |")
    named = set(re.findall(r"`(\w+)`", PAGE[start : PAGE.index("##", start)]))
    assert {name for event in EVENTS.values() for name in event.fixed} - named == set()
