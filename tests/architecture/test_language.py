"""Refused identifiers and docstrings are found by the language check: each kind is planted and turns it red."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.language import FOLDERS, WORDS, Vocabulary, check, check_tree

VOCABULARY = Vocabulary.parse(WORDS.read_text(encoding="utf-8"))

REFUSED = [
    "told = 1",
    "def told(): pass",
    "def send(told): pass",
    "def send(*, told=1): pass",
    "send(told=1)",
    "result.told",
    "from shared import told",
    "import told",
    "import tools as told",
    "from shared.told import send",
    "for told in (): pass",
    "with open('x') as told: pass",
    "match x:\n    case told: pass",
    "match x:\n    case Result(told=1): pass",
    "try: pass\nexcept OSError as told: pass",
    "class Told: pass",
    "class Ledgers: pass",
    "class StateHeard: pass",
    "def test_a_heard_event_is_folded(): pass",
    "SETTLE_RECORDS = 1",
    "TRACES_AT_ONCE = 1",
    "self._heard_before",
]
ALLOWED = [
    "given = 1",
    "telling = 1",
    "made_at = 1",
    "raise NotHeardYet",
    "class Sealed: pass",
    "standing = 'live'",
    "slot = slots[0]",
    "allotted = 1",
    "ledgers = 1",
    "text = 'told'  # told",
    '"""Tell `told` from `heard`."""',
]


@pytest.mark.parametrize("source", REFUSED)
def test_a_planted_word_is_found(source: str):
    assert len(check(source, "shared/planted.py", VOCABULARY)) == 1


@pytest.mark.parametrize("source", ALLOWED)
def test_another_word_is_allowed(source: str):
    assert check(source, "shared/planted.py", VOCABULARY) == []


@pytest.mark.parametrize("path", ["shared/told.py", "shared/told/planted.py", "tools/settling.py"])
def test_the_name_of_a_module_is_checked(path: str):
    assert [finding.line for finding in check("", path, VOCABULARY)] == [1]


def test_a_finding_names_the_file_the_line_and_the_word_to_use():
    [finding] = check("\n\nclass Ledgers: pass", "shared/planted.py", VOCABULARY)
    assert str(finding) == "shared/planted.py:3: `Ledgers`: say CommandHandler"


@pytest.mark.parametrize("word", ["What", "Who", "Whoever", "Whether", "Of", "Where", "Which"])
@pytest.mark.parametrize("source", ['"""{}"""', 'def f():\n    """{}"""', 'class A:\n    """{}"""', 'A = 1\n"""{}"""'])
def test_a_docstring_that_begins_with_a_refused_word_is_found(source: str, word: str):
    assert len(check(source.format(f"{word} is read."), "shared/planted.py", VOCABULARY)) == 1


@pytest.mark.parametrize("text", ["Whatever.", "Return what is read.", "Which one is true? The lower one.", "Often."])
def test_another_beginning_is_allowed(text: str):
    assert check(f'"""{text}"""', "shared/planted.py", VOCABULARY) == []


def test_each_refused_word_has_the_word_to_use():
    with pytest.raises(ValueError, match="instead"):
        Vocabulary.parse("told\n")


def test_the_check_reads_each_folder_of_code(tmp_path: Path):
    for folder in FOLDERS:
        (tmp_path / folder / "inner").mkdir(parents=True)
        (tmp_path / folder / "inner/planted.py").write_text("told = 1\n")
    assert [finding.path for finding in check_tree(tmp_path)] == [f"{folder}/inner/planted.py" for folder in FOLDERS]
