"""The language of the code: refused identifiers (words.txt) and refused beginnings of docstrings.

`python -m tests.architecture.language` lists the findings and exits with 1 if there are any; with `--count` it counts
them by folder and exits with 0.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
WORDS = Path(__file__).with_name("words.txt")
FOLDERS = ("services", "shared", "tools", "tests", "benchmarks")
BEGINNINGS = frozenset({"What", "Who", "Whoever", "Whether", "Of", "Where", "Which"})
_PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")


@dataclass
class Vocabulary:
    """Refused words with their replacements: whole identifiers, sequences of words in identifiers, and exceptions."""

    exact: dict[str, str] = field(default_factory=dict)
    folded: dict[str, str] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)
    allowed: set[str] = field(default_factory=set)
    _known: dict[str, str | None] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Vocabulary:
        """Parse a word list. Raises ValueError at a line without a replacement."""
        vocabulary = cls()
        for line in text.splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            word, separator, instead = (part.strip() for part in line.partition(" = "))
            if not separator or not instead:
                raise ValueError(f"a refused word needs the word to use instead: {line!r}")
            if word.startswith("!"):
                vocabulary.allowed.add(word[1:])
            elif word.startswith("*"):
                vocabulary.parts[f"_{word.strip('*')}_"] = instead
            elif word.islower():
                vocabulary.folded[word] = instead
            else:
                vocabulary.exact[word] = instead
        return vocabulary

    def refuse(self, name: str) -> str | None:
        """Return the word to use instead of an identifier, or None if it is allowed."""
        if name not in self._known:
            self._known[name] = self._look_up(name.strip("_"))
        return self._known[name]

    def _look_up(self, bare: str) -> str | None:
        if bare in self.allowed:
            return None
        if (instead := self.exact.get(bare) or self.folded.get(bare.lower())) is not None:
            return instead
        words = "_" + "_".join(_PARTS.findall(bare)).lower() + "_"
        return next((instead for part, instead in self.parts.items() if part in words), None)


@dataclass(frozen=True)
class Finding:
    """A refused identifier or docstring, with its file and line."""

    path: str
    line: int
    problem: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.problem}"


def check(source: str, path: str, vocabulary: Vocabulary) -> list[Finding]:
    """Return the findings of one module, one per identifier and line, in order."""
    tree = ast.parse(source)
    names = {(line, name) for line, name in _names(tree)} | {(1, part) for part in _modules(path)}
    findings = [
        Finding(path, line, f"`{name}`: say {instead}")
        for line, name in names
        if (instead := vocabulary.refuse(name)) is not None
    ]
    findings += [Finding(path, line, f"a docstring begins with {word!r}") for line, word in _beginnings(tree)]
    return sorted(findings, key=lambda finding: (finding.line, finding.problem))


def _names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Name():
                yield node.lineno, node.id
            case ast.Attribute():
                yield node.end_lineno or node.lineno, node.attr
            case ast.arg() | ast.keyword():
                yield node.lineno, node.arg or ""
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar():
                yield node.lineno, node.name or ""
            case ast.MatchClass():
                yield from ((node.lineno, name) for name in node.kwd_attrs)
            case ast.alias():
                for name in (*node.name.split("."), node.asname or ""):
                    yield node.lineno, name
            case ast.ImportFrom():
                yield from ((node.lineno, name) for name in (node.module or "").split("."))
            case _:
                continue


def _modules(path: str) -> tuple[str, ...]:
    return Path(path).with_suffix("").parts


def _beginnings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the refused first words of docstrings; a question may begin with any."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            text = node.value.value.strip()
            first = re.match(r"\w*", text)
            sentence = re.match(r"[^.!?]*[.!?]?", text)
            if first and first[0] in BEGINNINGS and not (sentence and sentence[0].endswith("?")):
                yield node.lineno, first[0]


def check_tree(root: Path = CHECKOUT) -> list[Finding]:
    """Return the findings of all modules under the project's folders of code."""
    vocabulary = Vocabulary.parse(WORDS.read_text(encoding="utf-8"))
    files = (file for folder in FOLDERS for file in sorted((root / folder).rglob("*.py")))
    return [
        finding
        for file in files
        for finding in check(file.read_text(encoding="utf-8"), file.relative_to(root).as_posix(), vocabulary)
    ]


def main() -> int:
    """Print the findings, or with `--count` their number by folder."""
    findings = check_tree()
    if "--count" in sys.argv[1:]:
        folders = Counter("/".join(finding.path.split("/")[:2]) for finding in findings)
        print("\n".join(f"{count:5} {folder}" for folder, count in sorted(folders.items())))
        print(f"{len(findings):5} findings of language")
        return 0
    print("\n".join(map(str, findings)) if findings else "Language: no refused word.")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
