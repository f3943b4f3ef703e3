"""The addresses of the other pages of a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from tools.console.navigation import local_address


def other_pages(request: Request, page: Mapping[str, Any]) -> dict[str, Any]:
    """Return the address of a list's first page, where another is shown, and of its next, where it has one."""
    url, is_first = request.url, not request.query_params.get("after")
    return {
        "first": None if is_first else local_address(url.remove_query_params("after")),
        "next": local_address(url.include_query_params(after=page["next"])) if "next" in page else None,
    }
