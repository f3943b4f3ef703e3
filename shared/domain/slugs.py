"""Slugs: ids derived from a citation or a title."""

from __future__ import annotations

import hashlib
import re
import unicodedata

LIMIT = 60
_NOT_IN_A_SLUG = re.compile(r"[^a-z0-9]+")


def slug(text: str) -> str:
    """Return the id derived from a text: `Commission resolution 75/4` is `commission-resolution-75-4`.

    Lower case, without accents; every run of characters other than a to z and digits becomes one hyphen. A slug longer
    than 60 characters, or of a text with other letters, is cut at a hyphen and ends with the first 8 hex digits of
    the text's SHA-256.
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
    hyphenated = _NOT_IN_A_SLUG.sub("-", plain).strip("-")
    other_letters = any(not c.isascii() and c.isalnum() for c in plain)
    if hyphenated and len(hyphenated) <= LIMIT and not other_letters:
        return hyphenated
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    start = hyphenated[: LIMIT - len(digest)]
    return f"{start[: start.rfind('-') + 1] if len(hyphenated) > len(start) else f'{hyphenated}-'}{digest}".lstrip("-")
