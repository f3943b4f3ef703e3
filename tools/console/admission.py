"""Admission of a request: whatever is refused before its form is read."""

from __future__ import annotations

from python_multipart.multipart import parse_options_header
from starlette.requests import Request

from tools.console.settings import ConsoleSettings

ECHO = 500_000
"""The most characters of a form that come back to somebody who is not signed in."""
_FORM_OVERHEAD = 1_000_000
_READ = 4
"""The form of a person is read up to so many times the largest document, so that what was typed comes back."""
_OWN_SITES = (None, "same-origin", "none")
_CHARSETS = (b"utf-8", b"utf8")


def refused(request: Request, settings: ConsoleSettings) -> tuple[int, str] | None:
    """Return the status and the kind of error of a form that another site sent, is too large, or is no UTF-8."""
    if request.method in ("GET", "HEAD"):
        return None
    if request.headers.get("sec-fetch-site") not in _OWN_SITES:
        return 403, "cross_site"
    if _is_too_large(request, settings):
        return 413, "too_large"
    charset = parse_options_header(request.headers.get("content-type"))[1].get(b"charset", _CHARSETS[0])
    return None if charset.lower() in _CHARSETS else (415, "charset")


def _is_too_large(request: Request, settings: ConsoleSettings) -> bool:
    """Tell whether a body is too long even to be read and refused, or does not say how long it is."""
    length = request.headers.get("content-length", "")
    most = settings.upload_bytes * (_READ if request.state.person else 1) + _FORM_OVERHEAD
    return not (length.isascii() and length.isdecimal() and len(length) <= 15) or int(length) > most
