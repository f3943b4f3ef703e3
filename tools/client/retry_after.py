"""The header Retry-After: seconds, or a date as a front may give it."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime


def seconds_of(retry_after: str) -> float:
    """Return the seconds to wait; 0 for what cannot be read."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except ValueError:
        return 0.0
