"""The console's web fonts as fonts of documents: unpacked once in a process, each subset a family of its own."""

import atexit
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import typst
from fontTools.ttLib import TTFont

from tools.console import fonts
from tools.console.assets import VENDOR

_FIRST = "Noto Sans"
_FAMILY_NAMES = (1, 16, 21, 25)
_WINDOWS, _UNICODE, _ENGLISH = 3, 1, 0x409


@dataclass(frozen=True)
class DocumentFonts:
    """Opened fonts, their families in the order in which they are tried, and the characters that they have."""

    opened: typst.Fonts
    families: list[str]
    characters: frozenset[int]


@cache
def document_fonts() -> DocumentFonts:
    """Unpack and open all vendored fonts: a third of a second, and 7 MB of temporary files until the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="throughline-fonts-")
    atexit.register(folder.cleanup)
    families: dict[str, None] = {_FIRST: None}
    characters: set[int] = set()
    for file in sorted((VENDOR / "fonts").glob("*.woff2")):
        font = fonts.parse(file.name)
        family = _FIRST if font.subset == "latin" else f"{font.family} {font.subset}"
        families[family] = None
        characters |= _unpack(file, family, Path(folder.name))
    opened = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder.name])
    return DocumentFonts(opened, list(families), frozenset(characters))


def _unpack(file: Path, family: str, folder: Path) -> set[int]:
    """Write a font without compression under a family of its own: of equal families only one would be read."""
    font = TTFont(file)
    font.flavor = None
    names = font["name"]
    names.names = [name for name in names.names if name.nameID not in _FAMILY_NAMES]
    names.setName(family, 1, _WINDOWS, _UNICODE, _ENGLISH)
    font.save(folder / f"{file.stem}.ttf")
    return set(font.getBestCmap() or {})
