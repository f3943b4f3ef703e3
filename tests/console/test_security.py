"""Return addresses stay within the console; forms come from its own pages."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request

from tools.console.security import CSRF, csrf_token, is_own, local, policy

OWN = ["/", "/traces/CED/2022/R1", "/meetings?stage=held&after=meeting%2Fx", "/search?q=%C3%A9"]
FOREIGN = [
    "", "traces", "//example.org", "///example.org", "/\\example.org", "\\\\example.org", "https://example.org/",
    "http:example.org", "javascript:alert(1)", "/a\\b", "/a\r\nSet-Cookie: x=y", "/\x00", "\t/", " /", "/‮x", None,
]  # fmt: skip


@pytest.mark.parametrize("address", OWN)
def test_an_address_of_the_console_stays(address: str) -> None:
    assert local(address) == address


@pytest.mark.parametrize("address", FOREIGN)
def test_any_other_address_is_replaced(address: str | None) -> None:
    assert local(address, "/meetings") == "/meetings"


def request_with(session: dict[str, Any]) -> Request:
    return Request({"type": "http", "method": "POST", "path": "/", "headers": [], "session": session})


def test_a_form_is_own_with_the_token_of_its_session_only() -> None:
    own, other = request_with({}), request_with({})
    token = csrf_token(own)
    assert csrf_token(own) == token != csrf_token(other)
    assert is_own(own, token)
    for sent in (csrf_token(other), token + "x", "", None, 7, "é"):
        assert not is_own(own, sent)
    assert not is_own(request_with({}), "")
    assert not is_own(request_with({CSRF: 7}), "7")


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere() -> None:
    text = policy("https://issuer.example.org")
    assert "unsafe" not in text
    assert "form-action 'self' https://issuer.example.org" in text
    for directive in ("default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "style-src 'self'"):
        assert directive in text.split("; ")
