"""Ids for what a record names by a citation or a title."""

from __future__ import annotations

import hashlib
import re
import unicodedata

LIMIT = 60
_NOT_IN_A_SLUG = re.compile(r"[^a-z0-9]+")


def slug(text: str) -> str:
    """Return the id that stands for a text: `Commission resolution 75/4` is `commission-resolution-75-4`.

    Lower case, accents dropped, everything but letters a to z and digits turned into single hyphens. What is longer
    than 60 characters, or holds other letters, is cut at a hyphen and told apart by the first 8 hex digits of the
    text's SHA-256.
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
    made = _NOT_IN_A_SLUG.sub("-", plain).strip("-")
    other_letters = any(not c.isascii() and c.isalnum() for c in plain)
    if made and len(made) <= LIMIT and not other_letters:
        return made
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    start = made[: LIMIT - len(digest)]
    return f"{start[: start.rfind('-') + 1] if len(made) > len(start) else f'{made}-'}{digest}".lstrip("-")
