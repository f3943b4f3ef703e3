"""The addresses of the other pages of a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import URL
from starlette.requests import Request


def other_pages(request: Request, page: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the address of a list's first page, where another is shown, and of its next, where it has one."""
    url, is_first = request.url, not request.query_params.get("after")
    return {
        "first": None if is_first else local_of(url.remove_query_params("after")),
        "next": local_of(url.include_query_params(after=page["next"])) if "next" in page else None,
    }


def local_of(url: URL) -> str:
    """Return the address of a page within the console."""
    return f"{url.path}?{url.query}"
