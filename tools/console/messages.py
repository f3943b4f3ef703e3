"""The messages of the console: extracted from its code, its templates and the words of the record, into catalogues.

`make messages` writes them: `locale/console.pot`, and one .po a language, from which the console reads at its start.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

from tools.console.languages import CATALOGUES, LANGUAGES, file_of
from tools.console.words import labels_of_the_record

CONSOLE = Path(__file__).parent
TEMPLATE = CATALOGUES / "console.pot"
TRANSLATED = tuple(code for code in LANGUAGES if code != "en")
JINJA = {"silent": "false", "trimmed": "true", "trim_blocks": "true", "lstrip_blocks": "true"}
_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
_KEYWORDS = {**DEFAULT_KEYWORDS, "plural": (1, 2), "N_": None}
_SINCE = datetime(2026, 11, 29, tzinfo=UTC)
"""The date in the headers: always the same, so that a catalogue differs only where its messages do."""
_GUIDE = "docs/languages.md"
_DRAFT = """\
# {language} messages of the Throughline console.
# draft, to be reviewed by a person: docs/languages.md
#"""


def template() -> Catalog:
    """Extract all messages. Raises jinja2.TemplateSyntaxError for a template that does not parse."""
    catalog = Catalog(
        project="Throughline", version="console", creation_date=_SINCE, revision_date=_SINCE, fuzzy=False,
        last_translator="none: English is in the code", msgid_bugs_address=_GUIDE, language_team="none",
        header_comment="# Messages of the Throughline console, written by `make messages`.\n#",
    )  # fmt: skip
    extracted = extract_from_dir(CONSOLE, _METHODS, {"templates/**.html": JINJA}, _KEYWORDS)
    for path, _line, message, comments, context in extracted:
        catalog.add(message, locations=[(path, 0)], auto_comments=comments, context=context)
    for label in labels_of_the_record():
        catalog.add(label, locations=[("words.py", 0)])
    return catalog


def catalogue(language: str) -> Catalog:
    """Return the catalogue of a language as it is in its file; a blank one where it has none yet."""
    path = file_of(language)
    if path.exists():
        return read_po(BytesIO(path.read_bytes()), locale=language, abort_invalid=True)
    header = _DRAFT.format(language=LANGUAGES[language])
    return Catalog(
        language, project="Throughline", version="console", revision_date=_SINCE, header_comment=header, fuzzy=False,
        last_translator="draft, to be reviewed by a person", language_team="to be named", msgid_bugs_address=_GUIDE,
    )  # fmt: skip


def updated() -> Iterator[tuple[Path, bytes]]:
    """Yield the files of all catalogues as the code wants them: new messages blank, old ones left out."""
    wanted = template()
    yield TEMPLATE, _written(wanted)
    for language in TRANSLATED:
        own = catalogue(language)
        own.update(wanted, no_fuzzy_matching=True)
        yield file_of(language), _written(own)


def _written(catalog: Catalog) -> bytes:
    content = BytesIO()
    write_po(content, catalog, width=120, sort_output=True, ignore_obsolete=True, include_lineno=False)
    return content.getvalue()


def main() -> None:
    """Write the catalogues; with `--check` only compare them with the code."""
    behind = [(path, content) for path, content in updated() if not path.exists() or path.read_bytes() != content]
    if "--check" in sys.argv[1:] and behind:
        sys.exit(f"{', '.join(path.name for path, _ in behind)}: behind the code; run `make messages`")
    for path, content in behind:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    main()
