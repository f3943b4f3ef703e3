"""Text that others wrote, made harmless for a terminal."""

from __future__ import annotations

import re

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_CONTROLS_IN_LINES = re.compile(_CONTROLS.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f"))
_LONGEST = 80


def printable(text: str) -> str:
    """Escape control characters, line breaks and changes of direction: the text stays on its line, in its order."""
    return _CONTROLS.sub(_escaped, text)


def printable_lines(text: str) -> str:
    """Escape the same characters, line breaks and tabs excepted."""
    return _CONTROLS_IN_LINES.sub(_escaped, text)


def printable_json(text: str) -> str:
    """Escape the same characters in JSON, whose own line breaks stay."""
    return _CONTROLS_IN_LINES.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def quoted(value: object) -> str:
    """Quote a value that others wrote, on one line and no longer than a few words: it cannot pass for words of ours."""
    text = " ".join(printable(str(value)).split())
    return f'"{text}"' if len(text) <= _LONGEST else f'"{text[:_LONGEST]}..."'


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
