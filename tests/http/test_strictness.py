"""Refusals of what is not understood: parameters, words of closed lists, methods; on every route."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from shared.http.auth import Principal
from shared.http.routes import StrictRoute
from tests.http.asking import problem
from tests.http.matrix import filled
from tests.http.test_open_routes import application
from tools.local.stack import ALL_FOUR

pytestmark = pytest.mark.slow
application_of = cache(application)


class AnyToken:
    """Tokens that all name the same auditor of the secretariat."""

    async def check(self, _token: str, _peer: str) -> Principal:
        return Principal("synthetic-actor", "secretariat")

    def missing(self, _peer: str) -> Exception:
        raise AssertionError("no token was sent")


class NoRecord:
    """Refusals that nobody records."""

    async def record(self, *_arguments: Any, **_more: Any) -> None: ...


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """Send requests to an application without its database."""
    app.state.tokens, app.state.refusals = AnyToken(), NoRecord()
    headers = {"Authorization": "Bearer synthetic"}
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://synthetic", headers=headers) as web:
        yield web


def routes(app: FastAPI) -> Iterator[tuple[str, APIRoute]]:
    for route in app.routes:
        assert isinstance(route, StrictRoute), route
        yield from ((method, route) for method in sorted(route.methods))


@pytest.mark.parametrize("service", ALL_FOUR)
async def test_an_unknown_parameter_is_refused_by_every_route(service: str) -> None:
    app = application_of(service)
    async with client_of(app) as web:
        for method, route in routes(app):
            document = refused(await web.request(method, filled(route.path), params={"as-of": "2022-11-30"}))
            assert document["errors"][0]["field"] == "query.as-of", (method, route.path)
            assert document["errors"][0]["rule"] == "unknown_parameter"


def refused(answer: httpx2.Response) -> dict[str, Any]:
    """Assert that the form of a request was refused."""
    return problem(answer, 422, "SchemaViolation")


async def test_texts_of_a_query_are_read_in_form_nfc() -> None:
    app, router = FastAPI(), APIRouter(route_class=StrictRoute)

    @router.get("/synthetic")
    async def synthetic(text: str, theme: str) -> list[str]:
        return [text, theme]

    app.include_router(router)
    async with client_of(app) as web:
        answer = await web.get("/synthetic", params={"text": "De\u0301cision 1", "theme": "plain"})
        assert answer.json() == ["D\u00e9cision 1", "plain"]


async def test_a_refused_word_is_repeated_in_form_nfc() -> None:
    async with client_of(application_of("recommendations")) as web:
        document = refused(await web.get("/traces", params={"stage": "adopte\u0301"}))
        assert "'adopt\u00e9' is none of" in document["detail"]


NEAREST = {
    ("recommendations", "/traces/CED/2022/R1?as-of=2022-11-30"): "did you mean as_of?",
    ("recommendations", "/traces?Standing=live"): "did you mean standing?",
    ("recommendations", "/instruments?page=2"): "the parameters are limit, after, counts, cite, body, standing",
    ("recommendations", "/coverage?limits=5"): "did you mean limit?",
    (
        "recommendations",
        "/traces?standing=transmitted",
    ): "'transmitted' is none of live, suspect, uncited, void; stage takes it",
    ("recommendations", "/traces?standing=suspekt"): "did you mean suspect?",
    ("recommendations", "/traces?coverage=Deep"): "did you mean deep?",
    ("recommendations", "/traces?disposition=endorsed-with-changes"): "did you mean endorsed_with_changes?",
    ("recommendations", "/traces?stage=disposedof"): "did you mean disposed?",
    ("recommendations", "/instruments?standing=alive"): "did you mean live?",
    ("recommendations", "/priorities?stage=open"): "'open' is none of void, on record, closed",
    ("recommendations", "/initiatives?member=FIJ"): "did you mean FJI?",
    ("recommendations", "/traces/CED/2022/R1?at_least=1&at_least=2"): "is given 2 times: give it once",
    ("meetings", "/meetings?stage=convend"): "did you mean convened?",
    ("meetings", "/meetings?kind=fourm"): "did you mean forum?",
    ("meetings", "/meetings?modality="): "'' is none of in_person, online, hybrid, unknown",
    ("meetings", "/dead-letters?standing=opn"): "did you mean open?",
    ("meetings", "/healthz?verbose"): "is not a parameter here; there are none",
    ("nominations", "/nominations?category=Academic"): "did you mean academia?",
    ("nominations", "/memberships?capacity=deputy"): "'deputy' is none of principal, alternate",
    ("nominations", "/calls?stage=opened"): "did you mean open?",
    ("notifications", "/subscriptions?event=MeetingHold"): "did you mean MeetingHeld?",
    ("notifications", "/notifications?standing=delivred"): "did you mean delivered?",
}


@pytest.mark.parametrize(("service", "address"), NEAREST)
async def test_the_parameter_or_word_is_named_with_the_nearest_known(service: str, address: str) -> None:
    async with client_of(application_of(service)) as web:
        document = refused(await web.get(address))
        assert NEAREST[service, address] in document["detail"]
        assert len(document["errors"]) == 1


@pytest.mark.parametrize("service", ALL_FOUR)
async def test_every_list_refuses_a_place_that_it_cannot_have(service: str) -> None:
    app = application_of(service)
    lists = [route.path for _, route in routes(app) if "after" in (each.name for each in route.dependant.query_params)]
    assert len(set(lists)) > 2
    async with client_of(app) as web:
        for path in lists:
            words = {"q": "words"} if path == "/search" else {}
            document = refused(await web.get(path, params={"after": "bogus", **words}))
            assert [fault["field"] for fault in document["errors"]] == ["query.after"], path


@pytest.mark.parametrize(
    ("address", "form"),
    [
        ("/traces?after=CED/2022/1", "{committee}/{year}/{number}"),
        ("/traces?after=recommendation/CED/2022/R1", "{committee}/{year}/{number}"),
        ("/recommendations?after=CED/2022/R1", "recommendation/{committee}/{year}/{number}"),
        ("/instruments?after=session/3", "instrument/{instrument}"),
        ("/sessions?after=session/three", "session/{session}"),
        ("/coverage?after=CED/2022/R1", "instrument/{instrument}"),
        ("/coverage?by=recommendation&after=instrument/75-4", "{committee}/{year}/{number}"),
        ("/dead-letters?after=throughline.meetings/0", "{topic}/{partition}/{offset}"),
    ],
)
async def test_a_list_says_the_form_of_its_places(address: str, form: str) -> None:
    async with client_of(application_of("recommendations")) as web:
        assert f"of the form {form}" in refused(await web.get(address))["detail"]


async def test_a_caller_without_a_token_learns_no_parameter() -> None:
    web = httpx2.AsyncClient(transport=httpx2.ASGITransport(application("meetings")), base_url="http://synthetic")
    async with web:
        problem(await web.get("/meetings", params={"surprise": 1}), 401, "TokenNotAccepted")


@pytest.mark.parametrize(
    ("method", "address", "allowed"),
    [
        ("DELETE", "/meetings/m1", "GET, HEAD"),
        ("PUT", "/meetings", "GET, HEAD, POST"),
        ("GET", "/meetings/m1/cancel", "POST"),
        ("POST", f"/documents/{'0' * 64}", "GET, HEAD, PUT"),
        ("PATCH", "/healthz", "GET, HEAD"),
    ],
)
async def test_the_methods_of_an_address_are_all_named(method: str, address: str, allowed: str) -> None:
    async with client_of(application_of("meetings")) as web:
        answer = await web.request(method, address)
        assert allowed in problem(answer, 405, "NotServed")["detail"]
        assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize("address", ["/healthz", "/metrics", "/docs", "/openapi.json", "/docs/start.js"])
async def test_head_is_answered_as_get_without_the_body(address: str) -> None:
    async with client_of(application("meetings")) as web:
        whole, head = await web.get(address), await web.head(address)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["Content-Type"] == whole.headers["Content-Type"]
        if address != "/metrics":
            assert head.headers["Content-Length"] == whole.headers["Content-Length"]


async def test_the_documentation_is_reached_from_any_host_and_names_none() -> None:
    async with client_of(application_of("meetings")) as web:
        answer = await web.get("/docs/", headers={"Host": "foreign.example"}, follow_redirects=False)
        assert (answer.status_code, answer.headers["Location"]) == (308, "../docs")
        assert (await web.get("/docs", headers={"Host": "foreign.example"})).status_code == 200
        problem(await web.get("/docs", params={"url": "https://foreign.example/openapi.json"}), 422, "SchemaViolation")
        for address in ("/meetings/", "/healthz/"):
            answer = await web.get(address, headers={"Host": "foreign.example"}, follow_redirects=False)
            assert "foreign.example" not in str(answer.headers)
            problem(answer, 404, "NotServed")


async def test_a_title_is_a_sentence_and_a_form_is_in_words() -> None:
    async with client_of(application_of("recommendations")) as web:
        document = refused(await web.get("/traces/ced/2022/R0"))
        assert document["title"] == "The request does not have the form that is described"
        messages = {each["field"]: each["message"] for each in document["errors"]}
        assert messages["path.committee"].endswith("a capital first, as in CED")
        assert messages["path.number"] == "is not of the form: R and a number, as in R1"


async def test_errors_of_one_kind_are_counted() -> None:
    body = {"reference": "SYN/2031/R1", "title": "Synthetic", "on": "soon", "themes": ["x" * 501] * 90}
    async with client_of(application_of("recommendations")) as web:
        answer = await web.post("/recommendations", json=body, headers={"Idempotency-Key": "synthetic-key"})
        document = refused(answer)
        shown = [each["field"] for each in document["errors"]]
        assert shown == ["body.themes.0", "body.themes.1", "body.themes.2", "body.on"]
        assert document["errors"][2]["message"].endswith("(and 87 more like it)")
        assert document["errors"][3]["message"] == (
            "is not a date: write YYYY, YYYY-MM or YYYY-MM-DD, as far as it is known"
        )
