"""The order of names in lists as people count: R1, R2, R10."""

from __future__ import annotations

import re

_NUMBER = re.compile("[0-9]+")
_DIGITS = 10


def natural_order(name: str) -> str:
    """Return the key that sorts a name by the numbers in it; no two names have the same."""
    return f"{_NUMBER.sub(lambda number: number[0].zfill(_DIGITS), name)} {name}"
