"""The addresses of the other pages of a list."""

from __future__ import annotations

from starlette.requests import Request


def page_at(request: Request, after: str | None) -> str:
    """Return the address of the page after a place of the same list; of its first page where there is none."""
    url = request.url.include_query_params(after=after) if after else request.url.remove_query_params("after")
    return f"{url.path}?{url.query}"
