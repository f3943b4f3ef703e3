"""Sign-in: limited by address, never leading elsewhere, and a provider that is away is said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx2
import pytest

from tests.console.rendered import an_app, parsed, text_of
from tools.console.sign_in import ATTEMPTS, _name_in


@pytest.fixture
async def stranger() -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody who is not signed in, at a console whose provider does not answer."""
    app = an_app()
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1:8080") as web,
    ):
        yield web


@pytest.mark.slow
async def test_a_provider_that_is_away_is_said_and_attempts_are_limited_by_address(
    stranger: httpx2.AsyncClient,
) -> None:
    for _ in range(ATTEMPTS // 2):
        assert (await stranger.get("/sign-in")).status_code == 503
    for _ in range(ATTEMPTS - ATTEMPTS // 2):
        assert (await stranger.get("/signed-in?code=forged&state=forged")).status_code == 403
    answers = [await stranger.get(address) for address in ("/sign-in", "/signed-in")]
    assert [each.status_code for each in answers] == [429, 429]
    assert "Too many attempts to sign in" in text_of(parsed(answers[0].text))


@pytest.mark.parametrize("address", ["/meetings?stage=held", "/traces/CED/2022/R1", "//example.org", "/%5Cexample.org"])
async def test_a_reader_is_sent_to_sign_in_and_from_there_to_the_page(
    stranger: httpx2.AsyncClient, address: str
) -> None:
    answer = await stranger.get(httpx2.URL("http://127.0.0.1:8080").copy_with(raw_path=address.encode()))
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/sign-in?next={quote(address, safe='')}"


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"name": " Synthetic "}, "Synthetic"),
        ({"preferred_username": "s"}, "s"),
        ({"name": "x" * 300}, "x" * 200),
        ({}, ""),
    ],
)
def test_a_name_is_read_from_claims(claims: dict[str, str], name: str) -> None:
    assert _name_in(claims) == name
