"""Scalars keep their spelling; a broken file is refused with line and column."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from tests.record.synthetic import faults_of, written
from tools.record.faults import RecordRefused
from tools.record.parsing import SIZE_LIMIT, read_record


def test_every_scalar_is_a_text(tmp_path: Path):
    file = written(tmp_path, "a: 2024\nb: 2024-01\nc: 2024-01-02\nd: yes\ne: 1.50\nf: 0x10\ng: [1, 012]\n", "r.yaml")
    expected = {"a": "2024", "b": "2024-01", "c": "2024-01-02", "d": "yes", "e": "1.50", "f": "0x10", "g": ["1", "012"]}
    assert read_record(file).tree == expected


def test_numbers_in_json_are_texts(tmp_path: Path):
    assert read_record(written(tmp_path, '{"a": 2024, "b": "1.50", "c": [7]}')).tree == {
        "a": "2024", "b": "1.50", "c": ["7"]
    }  # fmt: skip


@pytest.mark.parametrize("name", ["r.json", "R.JSON", "r.Json"])
def test_the_suffix_of_json_may_be_in_any_case(tmp_path: Path, name: str):
    file = tmp_path / name
    file.write_text('{\n\t"a": "b"\n}')
    assert read_record(file).tree == {"a": "b"}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1.5", "1e400", "-0.0", "9" * 400])
@pytest.mark.parametrize("where", ['{"title": %s}', '{"a": [{"b": %s}]}'])
def test_a_number_that_a_request_may_not_have_is_refused_in_json(tmp_path: Path, number: str, where: str):
    [fault] = faults_of(tmp_path, where % number)
    assert fault.rule == "BrokenJson"
    assert "in quotes" in fault.says
    assert len(fault.says) < 200
    assert read_record(written(tmp_path, where % f'"{number}"')).tree


@pytest.mark.parametrize(
    "written_as",
    [
        "title: >\n  Clean air\n  for all\n",
        "title: |\n  Clean air for all\n",
        "title: >-\n  Clean air\n  for all\n",
        "title: >+\n  Clean air\n  for all\n\n\n",
        "title: 'Clean air\n  for all'\n",
    ],
)
def test_a_block_of_text_ends_without_a_line_break(tmp_path: Path, written_as: str):
    assert read_record(written(tmp_path, written_as, "r.yaml")).tree == {"title": "Clean air for all"}


def test_the_lines_within_a_block_stay(tmp_path: Path):
    file = written(tmp_path, "text: |\n  One\n\n  Two\n", "r.yaml")
    assert read_record(file).tree == {"text": "One\n\nTwo"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("r.yaml", "cite: Décision 1\nof: [Décision 1]\n"),
        ("e.yaml", 'cite: "De\\u0301cision 1"\nof: [Décision 1]\n'),
        ("r.json", '{"cite": "De\\u0301cision 1", "of": ["Décision 1"]}'),
    ],
)
def test_texts_are_read_in_one_form(tmp_path: Path, name: str, text: str):
    decomposed = unicodedata.normalize("NFD", text)
    nfc = unicodedata.normalize("NFC", "Décision 1")
    assert read_record(written(tmp_path, decomposed, name)).tree == {"cite": nfc, "of": [nfc]}


@pytest.mark.parametrize(
    ("text", "rule", "line", "says"),
    [
        ("meetings:\n  - {id: a\n  - {id: b}\n", "BrokenYaml", 3, "column"),
        ("meetings:\n\t- a\n", "BrokenYaml", 2, "column 1"),
        ("a: 1\nb: 'open\n", "BrokenYaml", 3, "column"),
        ("a: 1\nb: \x07\n", "BrokenYaml", 2, "cannot stand"),
        ("a: 1\nb: 2\na: 3\n", "FieldTwice", 3, "keep one"),
        ("a: &x 1\nb: *x\n", "BrokenYaml", 1, "anchors"),
        ("a: !!python/object:os.system 1\n", "BrokenYaml", 1, "tag"),
        ("a: null\n", "FieldIsNull", 1, "leave the field out"),
        ("a: ~\n", "FieldIsNull", 1, "leave the field out"),
        ("- a\n- b\n", "NotARecord", None, "mapping"),
        ("", "NotARecord", None, "mapping"),
        ("a: 1\n---\nb: 2\n", "BrokenYaml", 2, "document"),
        ("? [a]\n: 1\n", "BrokenYaml", 1, "word"),
        ("[" * 5_000, "BrokenYaml", None, "deep"),
    ],
)
def test_broken_yaml_is_named_by_line(tmp_path: Path, text: str, rule: str, line: int | None, says: str):
    [fault] = faults_of(tmp_path, text, "r.yaml")
    assert (fault.rule, fault.line) == (rule, line)
    assert says in fault.says


@pytest.mark.parametrize(
    ("text", "says"),
    [('{"a": 1,}', "column"), ('{"a": 1, "a": 2}', "twice"), ('{"a": null}', "null"), ("[" * 100_000, "deep")],
)
def test_broken_json_is_refused(tmp_path: Path, text: str, says: str):
    [fault] = faults_of(tmp_path, text)
    assert fault.rule == "BrokenJson"
    assert says in fault.says


def test_null_in_quotes_is_a_text(tmp_path: Path):
    assert read_record(written(tmp_path, "a: 'null'\n", "r.yaml")).tree == {"a": "null"}


def test_invalid_utf8_is_named_by_line(tmp_path: Path):
    file = tmp_path / "r.yaml"
    file.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(RecordRefused, match=r"r.yaml \(line 2\): NotUtf8"):
        read_record(file)


def test_a_file_above_the_size_limit_is_not_parsed(tmp_path: Path):
    [fault] = faults_of(tmp_path, " " * (SIZE_LIMIT + 1), "r.yaml")
    assert fault.rule == "FileTooLarge"


def test_a_fault_in_yaml_names_its_line(tmp_path: Path):
    [fault] = faults_of(tmp_path, "meetings:\n  - id: a\n    title: A\n    kind: party\n", "r.yaml")
    assert (fault.row, fault.rule, fault.line) == ("meetings[0].kind", "UnknownWord", 4)
