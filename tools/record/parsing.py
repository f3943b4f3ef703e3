"""The parser of record files: a tree of texts in which every scalar keeps its spelling and its line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from shared.domain.spelling import normalised
from tools.files import NotAFile, TooLarge, read_named
from tools.record.faults import Place, path_of, refused

SIZE_LIMIT = 20 * 1024 * 1024
VALUE_LIMIT = 100_000
_INTEGER_DIGITS = 15
_NOTHING = ("null", "~")
_BLOCKS = (">", "|")
_TOO_MANY = f"it has more than {VALUE_LIMIT} names and values: split the record"
_LEAVE_OUT = "leave the field out where nothing is known"


@dataclass(frozen=True)
class Document:
    """A parsed file: mappings, lists and texts, and the first line of each (YAML only)."""

    tree: dict[str, Any]
    lines: Mapping[Place, int]


def read_record(path: Path) -> Document:
    """Read a YAML file, or a JSON file by its suffix. Raises RecordRefused with line and column."""
    text = read_text(path)
    tree, lines = _json(path, text) if path.suffix.lower() == ".json" else _yaml(path, text)
    if _has_more_than(VALUE_LIMIT, tree):
        raise refused(path.name, "FileTooLarge", _TOO_MANY)
    if not isinstance(tree, dict):
        raise refused(path.name, "NotARecord", "a record is a mapping of sections: instruments, provisions, ...")
    return Document(normalised(tree), lines)


def read_text(path: Path) -> str:
    """Read a file as UTF-8. Raises RecordRefused."""
    try:
        raw = read_named(path, SIZE_LIMIT)
    except TooLarge as fault:
        raise refused(path.name, "FileTooLarge", f"{fault}: split the record") from None
    except NotAFile as fault:
        raise refused(str(path), "CannotBeRead", f"{fault}: check the file's name and rights") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise refused(path.name, "NotUtf8", f"byte {error.start} is not UTF-8: save the file as UTF-8", line) from None


def _yaml(path: Path, text: str) -> tuple[Any, dict[Place, int]]:
    lines: dict[Place, int] = {}
    try:
        node = yaml.compose(text, Loader=_BoundedLoader)
        tree = None if node is None else _TreeBuilder(path.name, lines).build(node, ())
    except _TooMany:
        raise refused(path.name, "FileTooLarge", _TOO_MANY) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"column {mark.column + 1}: " if mark else ""
        message = ", ".join(part for part in (error.context, error.problem) if part)
        raise refused(path.name, "BrokenYaml", f"{where}{message}", mark.line + 1 if mark else None) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise refused(path.name, "BrokenYaml", f"character {error.character!r} cannot stand in YAML", line) from None
    except RecursionError:
        raise refused(path.name, "BrokenYaml", "it is nested too deep for a record") from None
    return tree, lines


class _TooMany(Exception):
    """The text has more values than a record may have."""


class _BoundedLoader(yaml.BaseLoader):
    """A loader that stops at the limit of names and values: each costs a thousand bytes of memory."""

    _values = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose a node. Raises _TooMany."""
        self._values += 1
        if self._values > VALUE_LIMIT:
            raise _TooMany
        return super().compose_node(parent, index)


def _has_more_than(limit: int, tree: Any) -> bool:
    waiting = [tree]
    while waiting and limit >= 0:
        limit -= 1
        value = waiting.pop()
        if isinstance(value, dict):
            limit -= len(value)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return limit < 0


class _TreeBuilder:
    """A builder of plain values from YAML nodes: scalars as text, unique keys, no tags, no aliases."""

    def __init__(self, name: str, lines: dict[Place, int]) -> None:
        self._name = name
        self._lines = lines
        self._seen: set[int] = set()

    def build(self, node: yaml.Node, place: Place) -> Any:
        line = node.start_mark.line + 1
        self._lines[place] = line
        if id(node) in self._seen:
            raise refused(path_of(place), "BrokenYaml", "anchors and aliases are not part of the format", line)
        self._seen.add(id(node))
        if not node.tag.startswith("tag:yaml.org,2002:") or node.tag.rpartition(":")[2] not in ("str", "seq", "map"):
            raise refused(path_of(place), "BrokenYaml", f"the tag {node.tag} is not part of the format", line)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*place, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and node.style is None and node.value.lower() in _NOTHING:
            raise refused(path_of(place), "FieldIsNull", _LEAVE_OUT, line)
        if isinstance(node, yaml.ScalarNode) and node.style in _BLOCKS:
            return node.value.rstrip("\n")
        return node.value

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise refused(path_of(place), "BrokenYaml", "a field's name is a word", line)
            if key.value in mapping:
                raise refused(path_of((*place, key.value)), "FieldTwice", "is given twice: keep one", line)
            mapping[key.value] = self.build(value, (*place, key.value))
            self._lines[(*place, key.value)] = line
        return mapping


def _json(path: Path, text: str) -> tuple[Any, dict[Place, int]]:
    try:
        return json.loads(
            text, parse_int=_integer, parse_float=_fraction, parse_constant=_no_number, object_pairs_hook=_object
        ), {}
    except json.JSONDecodeError as error:
        raise refused(path.name, "BrokenJson", f"column {error.colno}: {error.msg}", error.lineno) from None
    except _NotARecord as error:
        raise refused(path.name, "BrokenJson", str(error)) from None
    except RecursionError:
        raise refused(path.name, "BrokenJson", "it is nested too deep for a record") from None


class _NotARecord(ValueError):
    """The text is valid JSON, but not of the record format."""


def _object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for name, value in pairs:
        if name in mapping:
            raise _NotARecord(f"the field {name!r} is given twice in one place: keep one")
        if value is None:
            raise _NotARecord(f"the field {name!r} is null: {_LEAVE_OUT}")
        mapping[name] = value
    return mapping


def _integer(digits: str) -> str:
    if len(digits) > _INTEGER_DIGITS:
        raise _NotARecord(f"the number {digits[:_INTEGER_DIGITS]}... is too great: write it in quotes if it is a text")
    return digits


def _fraction(number: str) -> str:
    raise _NotARecord(f"{number[:40]} is a number with a fraction or an exponent: write it in quotes if it is a text")


def _no_number(word: str) -> str:
    raise _NotARecord(f"{word} is no number and no text: write it in quotes if it is a text")
