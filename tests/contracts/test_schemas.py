"""The JSON Schemas are generated from the code, accept every golden file, and agree with the code on refusals."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from shared.events.catalogue import EVENTS, Undecodable, decode
from tests.contracts.corpus import golden
from tools.contracts.__main__ import main
from tools.contracts.files import API, CHECKOUT, COMMANDS_PAGE, DOCUMENTS, SCHEMAS, SETTINGS, VISIBILITY, drift

NEWEST = {name: value for name, raw in golden().items() if (value := orjson.loads(raw))["type"] in EVENTS}
OF_ANOTHER_TYPE = {str: 7, int: "7", bool: "true", list: {"a": "b"}, dict: ["a"]}
OPEN = ("data", "data")
ONE_ENVELOPE = "throughline.recommendations.RecommendationDrafted.v1"


def validator(type_name: str) -> Draft202012Validator:
    """Return the validator of an event type, from the checked-in file."""
    return Draft202012Validator(orjson.loads((CHECKOUT / SCHEMAS / f"{type_name}.json").read_bytes()))


VALIDATORS = {type_name: validator(type_name) for type_name in EVENTS}


@pytest.mark.slow
def test_the_generated_files_are_up_to_date() -> None:
    assert list(drift()) == []
    assert main(["--check"]) == 0


@pytest.mark.slow
def test_a_changed_a_missing_and_a_stray_file_are_named_and_fixed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in (SCHEMAS, DOCUMENTS):
        shutil.copytree(CHECKOUT / folder, tmp_path / folder)
    (tmp_path / API).parent.mkdir(parents=True)
    for file in (API, COMMANDS_PAGE, SETTINGS, VISIBILITY):
        shutil.copy(CHECKOUT / file, tmp_path / file)
    root = ["--root", str(tmp_path)]
    assert main(["--check", *root]) == 0
    lost, changed = (tmp_path / SCHEMAS / f"{name}.json" for name in list(EVENTS)[:2])
    lost.unlink()
    changed.write_bytes(changed.read_bytes().replace(b"maxLength", b"minLength", 1))
    (tmp_path / DOCUMENTS / "archives.yaml").write_text("asyncapi: 3.0.0\n")
    (tmp_path / API).write_bytes(b"{}")
    (tmp_path / COMMANDS_PAGE).write_text((CHECKOUT / COMMANDS_PAGE).read_text().replace("`accept`", "`acept`"))
    assert main(["--check", *root]) == 1
    errors = capsys.readouterr().err
    assert all(name in errors for name in (lost.name, changed.name, "archives.yaml", API.name, COMMANDS_PAGE.name))
    assert errors.count("make schemas") == 5
    assert main(root) == 0
    assert main(["--check", *root]) == 0


@pytest.mark.parametrize("type_name", EVENTS)
def test_a_schema_is_valid_and_has_the_name_that_events_give(type_name: str) -> None:
    schema = VALIDATORS[type_name].schema
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == EVENTS[type_name].schema_name()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("name", NEWEST)
def test_a_golden_file_fits_its_schema(name: str) -> None:
    assert list(VALIDATORS[NEWEST[name]["type"]].iter_errors(NEWEST[name])) == []


@pytest.mark.parametrize("name", NEWEST)
def test_schema_and_code_refuse_the_same_faults(name: str) -> None:
    value = NEWEST[name]
    planted = list(faults(value, whole=name == ONE_ENVELOPE))
    assert len(planted) > 6
    for label, fault in planted:
        assert not VALIDATORS[value["type"]].is_valid(fault), f"the schema accepts {label}"
        reason = "unknown_type" if label.startswith("type ") else "schema_violation"
        assert refused(fault) == reason, f"the code accepts {label}"


@pytest.mark.parametrize(
    ("type_name", "data"),
    [
        ("RecommendationAdopted", {"status": "unknown"}),
        ("RecommendationAdopted", {"status": "verified", "note": "Synthetic"}),
        ("OriginRecorded", {"meeting": "m1", "document": "Synthetic"}),
        ("OriginRecorded", {"on": "2031"}),
        ("RecommendationMerged", {}),
        ("RecommendationMerged", {"into": "SYN/2031/R1", "absorbs": "SYN/2031/R2"}),
        ("RecommendationSplit", {"into": ["SYN/2031/R1"]}),
        ("RecommendationSuperseded", {}),
        ("FollowUpReported", {"progress": "unknown", "evidence": {}}),
        ("FollowUpReported", {"progress": "unknown", "evidence": {"meeting": "m1", "text": "Synthetic"}}),
        ("FollowUpReported", {"progress": "unknown", "on": "2031-1"}),
        ("FollowUpReported", {"progress": "unknown", "note": "x" * 20_001}),
        ("FollowUpReported", {"progress": "verified"}),
    ],
)
def test_mutually_exclusive_fields_are_refused_by_both(type_name: str, data: dict[str, Any]) -> None:
    whole = f"throughline.recommendations.{type_name}.v1"
    value = next(value for value in NEWEST.values() if value["type"] == whole) | {"data": data}
    assert not VALIDATORS[whole].is_valid(value)
    assert refused(value) == "schema_violation"


def refused(value: dict[str, Any]) -> str | None:
    """Return the code's reason to refuse an event; None if it accepts it."""
    try:
        decode(orjson.dumps(value))
    except Undecodable as refusal:
        return refusal.reason
    return None


def faults(value: dict[str, Any], whole: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield copies of an event with one fault each; `whole` includes faults of the envelope."""
    required = VALIDATORS[value["type"]].schema["required"]
    for path in places(value):
        inside = path[0] == "data" and len(path) > 1
        if not inside and not whole:
            continue
        name = ".".join(map(str, path))
        present = at(value, path)
        yield f"{name} with null", changed(value, path, None)
        if path[:2] != OPEN or len(path) == 2:
            yield f"{name} of another type", changed(value, path, OF_ANOTHER_TYPE[type(present)])
        if isinstance(present, dict) and path != OPEN:
            yield f"{name} with an unknown member", changed(value, (*path, "unknown"), "x")
        if len(path) == 1 and path[0] in required:
            yield f"{name} missing", {member: inner for member, inner in value.items() if member != name}
    yield "an unknown member", {**value, "unknown": "x"}
    for name in data_schema(value["type"]).get("required", []):
        yield f"data.{name} missing", {**value, "data": {k: v for k, v in value["data"].items() if k != name}}


def data_schema(type_name: str) -> dict[str, Any]:
    """Return the schema of an event's data."""
    schema: dict[str, Any] = VALIDATORS[type_name].schema["$defs"][EVENTS[type_name].__name__]
    return schema


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every member and the first item of every array."""
    if path:
        yield path
    match value:
        case dict():
            for name, member in value.items():
                yield from places(member, (*path, name))
        case list() if value:
            yield from places(value[0], (*path, 0))


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    """Return the value at a path."""
    for step in path:
        value = value[step]
    return value


def changed(value: dict[str, Any], path: tuple[str | int, ...], replacement: Any) -> dict[str, Any]:
    """Return a copy with another value at a path."""
    copy = deepcopy(value)
    at(copy, path[:-1])[path[-1]] = replacement
    return copy
