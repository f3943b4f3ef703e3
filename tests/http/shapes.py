"""Random bodies that fit a command's schema, or miss it in one place."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import strategies as st

JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
WORDS = st.sampled_from(["Synthetic words", "合成", "ܐ𐀀", "x" * 500, "e\u0301", "2031"])
DATES = st.sampled_from(["2021", "2021-02", "2021-02-28", "0001", "9999-12-31", "2024-02-29"])
TIMES = DATES | st.sampled_from(["2021-03-01T09:00:00+07:00", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])


def bodies(schema: dict[str, Any], known: dict[str, Any], ids: dict[str, list[Any]]) -> st.SearchStrategy[Any]:
    """Return bodies of a schema; `ids` gives, by the name of a field, what is on record."""
    fitting = _fitting(schema, known, ids, "body")
    return st.integers(0, 4).flatmap(lambda odd: fitting.flatmap(_missing) if odd == 1 else fitting)


def _missing(body: dict[str, Any]) -> st.SearchStrategy[Any]:
    if not body:
        return JUNK
    return st.tuples(st.sampled_from(sorted(body)), JUNK).map(lambda put: body | {put[0]: put[1]})


def _fitting(
    schema: dict[str, Any], known: dict[str, Any], ids: dict[str, list[Any]], name: str
) -> st.SearchStrategy[Any]:
    known_ids = [each for each in ids.get(name, []) if re.search(schema.get("pattern", ""), str(each))]
    if known_ids and schema.get("type") in {"string", "integer"}:
        return st.sampled_from(known_ids)
    if "$ref" in schema:
        return _fitting(known[schema["$ref"].rpartition("/")[2]], known, ids, name)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema and "type" not in schema:
        return st.one_of(*(_fitting(each, known, ids, name) for each in schema["anyOf"]))
    match schema.get("type"):
        case "object":
            return _objects(schema, known, ids)
        case "array":
            items = _fitting(schema["items"], known, ids, name)
            return st.lists(items, min_size=int(schema.get("minItems", 0)), max_size=3)
        case "integer":
            return st.integers(int(schema.get("minimum", 0)), int(schema.get("maximum", 2**53)))
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case _:
            return _texts(schema)


def _objects(schema: dict[str, Any], known: dict[str, Any], ids: dict[str, list[Any]]) -> st.SearchStrategy[Any]:
    fields = {each: _fitting(given, known, ids, each) for each, given in schema.get("properties", {}).items()}
    required = set(schema.get("required", []))
    either = [each["required"][0] for each in schema.get("oneOf", [])]
    objects = st.fixed_dictionaries(
        {each: fields[each] for each in required},
        optional={each: values for each, values in fields.items() if each not in required | set(either)},
    )
    if not either:
        return objects
    chosen = st.sampled_from(either).flatmap(lambda one: st.fixed_dictionaries({one: fields[one]}))
    return st.builds(lambda rest, one: rest | one, objects, chosen)


def _texts(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    pattern = schema.get("pattern")
    if pattern is None:
        return WORDS
    if "[Tt](?:" in pattern:
        return TIMES
    return DATES if "[0-9]{4}" in pattern else st.from_regex(pattern.replace("$", r"\Z"))
