"""The version that runs."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of_package


def version() -> str:
    """Return THROUGHLINE_VERSION, which an image sets, else the version of the installed package."""
    try:
        return os.environ.get("THROUGHLINE_VERSION") or version_of_package("throughline")
    except PackageNotFoundError:
        return "unknown"
