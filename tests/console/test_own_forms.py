"""The forms around every page are taken from a page of the same session only."""

from __future__ import annotations

import httpx2
import pytest

from tests.console.rendered import ADDRESS, CSRF, a_session, an_app, elements, parsed, text_of

CHOSEN = {"language": "fr", "zone": "Europe/Paris"}


def answer(_sent: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, json={"items": []})


@pytest.mark.parametrize("sent", [{}, {"csrf": ""}, {"csrf": "of another session"}])
async def test_a_foreign_form_changes_no_preference_and_what_was_chosen_comes_back(sent: dict[str, str]) -> None:
    async with a_session(answer) as client:
        got = await client.post("/preferences", data=CHOSEN | sent)
    page = parsed(got.text)
    assert got.status_code == 403
    assert "set-cookie" not in got.headers
    assert "Send it again." in text_of(page)
    chosen = [text_of(each) for each in elements(page, "option") if each.get("selected") is not None]
    assert chosen == ["Français", "Europe/Paris"]
    assert CSRF in {each.get("value") for each in elements(page, "input")}


async def test_an_own_form_changes_preferences() -> None:
    async with a_session(answer) as client:
        got = await client.post("/preferences", data=CHOSEN | {"csrf": CSRF})
    assert got.status_code == 303
    assert {each.partition("=")[0] for each in got.headers.get_list("set-cookie")} == set(CHOSEN)


async def test_a_reader_who_is_not_signed_in_chooses_too() -> None:
    transport = httpx2.ASGITransport(an_app())
    an_app().state.client = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    async with httpx2.AsyncClient(transport=transport, base_url=ADDRESS) as client:
        page = parsed((await client.get("/preferences")).text)
        token = next(each.get("value") for each in elements(page, "input") if each.get("name") == "csrf")
        assert (await client.post("/preferences", data=CHOSEN)).status_code == 403
        assert (await client.post("/preferences", data=CHOSEN | {"csrf": token or ""})).status_code == 303


@pytest.mark.parametrize("sent", [{}, {"csrf": "of another session"}])
async def test_a_foreign_form_signs_nobody_out(sent: dict[str, str]) -> None:
    async with a_session(answer) as client:
        got = await client.post("/sign-out", data=sent)
    assert got.status_code == 403
    assert "You are still signed in" in text_of(parsed(got.text))
    assert "set-cookie" not in got.headers


async def test_an_own_form_signs_out() -> None:
    async with a_session(answer) as client:
        got = await client.post("/sign-out", data={"csrf": CSRF})
    assert (got.status_code, got.headers["location"]) == (303, "/signed-out")
    assert got.headers["set-cookie"].startswith("throughline=; Max-Age=0;")
