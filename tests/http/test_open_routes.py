"""The routes that answer without a token are those that docs/http.md lists, in all four services."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from shared.http.auth import Allowed
from shared.runtime.settings import Settings
from shared.tlog.keys import LogKeys, origin_of
from shared.tlog.notes import Signer
from tests.http.attacked import ACTOR_KEY
from tools.files import CHECKOUT
from tools.local.stack import ALL_FOUR

LISTED = re.compile(r"^\| `((?:GET|POST|PUT|DELETE) /[^`]*)` \|", re.MULTILINE)


def listed() -> set[str]:
    return set(LISTED.findall((CHECKOUT / "docs" / "http.md").read_text()))


def application(service: str) -> FastAPI:
    """The application of a service, which connects to nothing before it starts."""
    module = import_module(f"services.{service}.app")
    kind: type[Settings] = getattr(module, "NotificationSettings", Settings)
    keys = LogKeys(Signer.generate(origin_of("local", service))).text()
    given = {"kafka": "127.0.0.1:1", "mongodb": "mongodb://127.0.0.1:1", "database": "synthetic", "jwks": "none"}
    given |= {"actor_key": ACTOR_KEY}
    others = " ".join(Signer.generate(origin_of("local", other)).verifier.vkey for other in ALL_FOUR)
    return module.make(kind(**given, checkpoint_keys=keys, trusted_keys=others))  # type: ignore[no-any-return]


def open_routes(app: FastAPI) -> Iterator[str]:
    for route in app.routes:
        assert isinstance(route, APIRoute), f"{route} is no route whose dependencies can be read"
        if not any(isinstance(each.call, Allowed) for each in dependencies(route.dependant)):
            yield from (f"{method} {route.path}" for method in route.methods)


def dependencies(dependant: Dependant) -> Iterator[Dependant]:
    for each in dependant.dependencies:
        yield each
        yield from dependencies(each)


@pytest.mark.parametrize("service", ALL_FOUR)
async def test_what_needs_no_token_is_listed(service: str) -> None:
    app = application(service)
    assert set(open_routes(app)) == listed()
    assert len(app.routes) > 20


async def test_an_unlisted_open_route_is_found() -> None:
    app = application("meetings")

    @app.get("/synthetic")
    async def forgotten() -> None: ...

    assert set(open_routes(app)) - listed() == {"GET /synthetic"}
