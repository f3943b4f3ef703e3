"""Documents as PDF/UA-1: tagged, with the console's own fonts, the same bytes for the same content on every machine.

Typst sets them, from one wheel without libraries of the system. Text is handed over as data and is never markup.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import typst

from tools.console.document_fonts import DocumentFonts, document_fonts

LOOK = Path(__file__).with_name("document.typ")
_INVISIBLE = {0xAD, 0x61C, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)} - {0x2065}
"""Characters that no font draws: soft hyphen, joiners, and those that govern the direction of a text."""
_LONG_WORD = re.compile(r"[^\s\u2e80-\u9fff]{40,}")
_FORBIDDEN = "\ufeff"
"""The byte order mark, which nobody sees and PDF/UA does not allow."""


@dataclass(frozen=True)
class Link:
    """A text that leads to an address of the web."""

    text: str
    address: str


Text = str | Link


@dataclass(frozen=True)
class Heading:
    """A heading; the first of a document is of level 1."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; a line break stays one."""

    text: Text


@dataclass(frozen=True)
class Points:
    """A list of points."""

    items: Sequence[Text]


@dataclass(frozen=True)
class Facts:
    """Pairs of a name and what is on record about it."""

    pairs: Sequence[tuple[str, Text]]


@dataclass(frozen=True)
class Table:
    """A table with its caption and its header, which each page repeats; widths are shares of the page."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[Text]]
    widths: Sequence[int] = ()


@dataclass(frozen=True)
class Drawing:
    """A drawing whose colours and sizes are attributes of its SVG, and the words that say the same."""

    svg: str
    description: str


Block = Heading | Paragraph | Points | Facts | Table | Drawing


@dataclass(frozen=True)
class Document:
    """A document: its title, its language (as `en`, `fr`, `ru` or `zh`), its parts, and the line below each page."""

    title: str
    language: str
    blocks: Sequence[Block]
    made_at: datetime
    footer: str = ""
    author: str = field(default="Throughline")


def write(document: Document) -> bytes:
    """Write a document as PDF/UA-1. Raises typst.TypstError where it cannot be accessible, as with skipped headings."""
    fonts = document_fonts()
    content = {
        "title": _shown(document.title, fonts),
        "author": document.author,
        "language": document.language,
        "footer": _text(document.footer, fonts),
        "blocks": [_block(block, fonts) for block in document.blocks],
    }
    inputs = {"document": json.dumps(content), "fonts": json.dumps(fonts.families)}
    pdf = typst.compile(
        LOOK.read_bytes(),
        font_paths=fonts.opened,
        sys_inputs=inputs,
        format="pdf",
        pdf_standards="ua-1",
        timestamp=document.made_at,
    )
    assert isinstance(pdf, bytes)
    return pdf


def _block(block: Block, fonts: DocumentFonts) -> dict[str, Any]:
    match block:
        case Heading(text, level):
            return {"kind": "heading", "level": level, "text": _text(text, fonts)}
        case Paragraph(text):
            return {"kind": "paragraph", "text": _text(text, fonts)}
        case Points(items):
            return {"kind": "points", "items": [_text(item, fonts) for item in items]}
        case Facts(pairs):
            return {"kind": "facts", "pairs": [[_text(part, fonts) for part in pair] for pair in pairs]}
        case Table(caption, header, rows, widths):
            return {
                "kind": "table",
                "caption": _text(caption, fonts),
                "header": [_text(cell, fonts) for cell in header],
                "rows": [[_text(cell, fonts) for cell in row] for row in rows],
                "widths": list(widths or [1] * len(header)),
            }
        case Drawing(svg, description):
            return {"kind": "drawing", "svg": svg, "description": _shown(description, fonts)}


def _text(text: Text, fonts: DocumentFonts) -> dict[str, Any]:
    """Return a text line by line, with its direction, and the address that it leads to."""
    words = _shown(text.text if isinstance(text, Link) else text, fonts)
    address = text.address if isinstance(text, Link) and re.match(r"https?://", text.address) else None
    return {"lines": words.split("\n"), "rtl": _is_right_to_left(words), "address": address}


def _is_right_to_left(text: str) -> bool:
    """Tell the direction of a text by its first letter that has one, as `dir=auto` does on a page."""
    directions = (unicodedata.bidirectional(character) for character in text)
    return next((each in ("R", "AL") for each in directions if each in ("L", "R", "AL")), False)


def _shown(text: str, fonts: DocumentFonts) -> str:
    """Return a text whole: a character without a font is written as its number, a long word may break anywhere."""
    drawable = "".join(_characters(unicodedata.normalize("NFC", text), fonts))
    return _LONG_WORD.sub(lambda word: "\u200b".join(word[0]), drawable)


def _characters(text: str, fonts: DocumentFonts) -> Iterator[str]:
    for character in text.replace("\r\n", "\n").replace("\r", "\n"):
        category = unicodedata.category(character)
        if (
            character == "\n"
            or ord(character) in _INVISIBLE
            or (category != "Cc" and ord(character) in fonts.characters)
        ):
            yield character
        elif category.startswith("Z") or character == "\t":
            yield " "
        elif character != _FORBIDDEN:
            yield f"[U+{ord(character):04X}]"
