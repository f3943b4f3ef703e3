"""Constants of the examples: a certainty, a digest, an encryption key of no person."""

from __future__ import annotations

from typing import Any

CERTAIN: dict[str, Any] = {
    "note": "Synthetic: made up\nto test the “published language”, in two lines.",
    "source": "synthetic record, para. 1",
    "status": "verified",
}
DIGEST = "0123456789abcdef" * 4
ENCRYPTION_KEY = bytes(range(32))
