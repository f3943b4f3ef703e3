"""The files beside a record: instruments and the register of members."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from tests.record.synthetic import a_record, checked, faults_of, written
from tools.record.checking import check
from tools.record.faults import RecordRefused

HEAD = "cite,body,title,adopted,adopted_status,symbol,symbol_status,title_status,note\n"


def test_instruments_beside_the_record_are_read_with_it(tmp_path: Path):
    written(tmp_path, HEAD + 'Synthetic decision 3,SYN,"A title, with a comma",2020,recalled,,,,\n', "instruments.csv")
    record = a_record()
    record["provisions"].append({"id": "three/ask", "instrument": "Synthetic decision 3", "summary": "An ask"})
    rows = {row.path: row for row in checked(tmp_path, record).rows}
    assert rows["instruments.csv[0]"].event.model_dump(exclude_none=True) == {
        "instrument": "synthetic-decision-3",
        "cite": "Synthetic decision 3",
        "body": "SYN",
        "title": "A title, with a comma",
        "adopted_on": "2020",
        "adopted_status": "recalled",
    }


@pytest.mark.parametrize(
    ("row", "rule", "place"),
    [
        ("Synthetic decision 3,SYN,Title,May 2030,,,,,\n", "NotADate", "instruments.csv[0].adopted"),
        ("Synthetic decision 3,SYN,,,,,,,\n", "FieldMissing", "instruments.csv[0].title"),
        ("Synthetic decision 3,SYN,Title,2030\n", "BrokenCsv", "instruments.csv[0]"),
        ("Synthetic decision 3,SYN,Title,,,,,,,,\n", "BrokenCsv", "instruments.csv[0]"),
        ('Synthetic decision 3,SYN,"Title\n', "BrokenCsv", "instruments.csv"),
        ("Synthetic resolution one 1,SYN,Title,,,,,,\n", "NamedTwice", "instruments.csv[0].cite"),
    ],
)
def test_a_fault_in_them_is_named_by_their_own_file(tmp_path: Path, row: str, rule: str, place: str):
    written(tmp_path, HEAD + row, "instruments.csv")
    faults = faults_of(tmp_path, a_record())
    assert (place, rule) in {(fault.row, fault.rule) for fault in faults}, faults
    assert all(fault.line in (2, 3) for fault in faults if fault.row.startswith("instruments.csv"))


def test_an_unknown_column_is_an_unknown_field(tmp_path: Path):
    written(tmp_path, "cite,body,title,votes\nSynthetic decision 3,SYN,Title,53\n", "instruments.csv")
    assert [fault.rule for fault in faults_of(tmp_path, a_record())] == ["UnknownField"]


@pytest.mark.parametrize(
    ("head", "rule", "says"),
    [
        ("cite;body;title", "BrokenCsv", "separated by semicolons"),
        ("cite\tbody\ttitle", "BrokenCsv", "separated by tabs"),
        ("cite,body,title,title", "FieldTwice", "names this column twice"),
    ],
)
def test_a_first_line_that_cannot_be_read_is_refused_with_its_cause(tmp_path: Path, head: str, rule: str, says: str):
    written(tmp_path, f"{head}\nSynthetic decision 3;SYN;Title\n", "instruments.csv")
    [fault] = faults_of(tmp_path, a_record())
    assert (fault.rule, fault.line) == (rule, 1)
    assert says in fault.says


def test_texts_of_a_companion_are_read_in_one_form(tmp_path: Path):
    rows = unicodedata.normalize("NFD", HEAD + "Décision 3,SYN,Titre,,,,,,\n")
    written(tmp_path, rows, "instruments.csv")
    record = a_record()
    record["provisions"].append(
        {"id": "three/ask", "instrument": unicodedata.normalize("NFC", "Décision 3"), "summary": "An ask"}
    )
    assert "instruments.csv[0]" in {row.path for row in checked(tmp_path, record).rows}
    register = "iso3,un_name,kind\nTUR,Türkiye,member\n"
    written(tmp_path, unicodedata.normalize("NFD", register), "escap_members.csv")
    assert checked(tmp_path, record)


def test_a_companion_may_have_another_name(tmp_path: Path):
    companion = written(tmp_path, HEAD + "Synthetic decision 4,SYN,Title,,,,,,\n", "others.csv")
    rows = check(written(tmp_path, a_record()), instruments=companion).rows
    assert "others.csv[0]" in {row.path for row in rows}


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ("XXX,Nowhere,member\n", "NotAMember"),
        ("FJI,Republic of Fiji,member\n", "NotAMember"),
        ("FJI,Fiji,associate_member\n", "NotAMember"),
        (",Fiji,member\n", "FieldMissing"),
    ],
)
def test_a_register_of_members_is_compared_with_the_62(tmp_path: Path, row: str, rule: str):
    register = written(tmp_path, "iso3,un_name,kind\n" + row, "escap_members.csv")
    with pytest.raises(RecordRefused) as refusal:
        check(written(tmp_path, a_record()), members=register)
    assert [fault.rule for fault in refusal.value.faults] == [rule]


def test_a_matching_register_passes(tmp_path: Path):
    written(tmp_path, "iso3,un_name,kind,since\nFJI,Fiji,member,1979\n", "escap_members.csv")
    assert checked(tmp_path, a_record())
