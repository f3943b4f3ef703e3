"""The routes of the services, read from their applications, which are built without any server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any, get_type_hints

from fastapi import FastAPI
from fastapi.routing import APIRoute

from shared.events.services import SERVICES
from shared.http.auth import Allowed
from shared.tlog.keys import LogKeys, origin_of
from shared.tlog.notes import Signer

NOWHERE = "127.0.0.1:1"
DEPLOYMENT = "local"
UNPUBLISHED = ("health",)


def applications() -> dict[str, FastAPI]:
    """Build the application of each service; none of them connects before it is started."""
    with ThreadPoolExecutor(1) as thread:  # motor needs an event loop, and a caller may have one of its own
        return thread.submit(asyncio.run, _applications()).result()


async def _applications() -> dict[str, FastAPI]:
    keys = {name: LogKeys(Signer.generate(origin_of(DEPLOYMENT, name))) for name in SERVICES}
    trusted = " ".join(key.signer.verifier.vkey for key in keys.values())
    return {name: _application(name, keys[name].text(), trusted) for name in SERVICES}


def _application(service: str, own_keys: str, trusted: str) -> FastAPI:
    make = import_module(f"services.{service}.app").make
    settings = get_type_hints(make)["settings"]
    app: FastAPI = make(
        settings(
            kafka=NOWHERE,
            mongodb=f"mongodb://{NOWHERE}",
            database=service,
            jwks="none",
            deployment=DEPLOYMENT,
            checkpoint_keys=own_keys,
            trusted_keys=trusted,
            actor_key="of no deployment, which documents its routes",
        )
    )
    return app


def routes_of(app: FastAPI) -> Iterator[APIRoute]:
    """Yield the routes of an application that its API documents, those of its health left out."""
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema and not {*route.tags} & {*UNPUBLISHED}:
            yield route


def roles_of(route: APIRoute) -> list[str]:
    """Return the roles that a route admits, sorted."""
    admitted = [each.call.roles for each in route.dependant.dependencies if isinstance(each.call, Allowed)]
    return sorted(frozenset().union(*admitted))


def operation_of(app: FastAPI, route: APIRoute) -> dict[str, Any]:
    """Return a route's operation in the OpenAPI document."""
    [method] = route.methods or {""}
    operation: dict[str, Any] = app.openapi()["paths"][route.path_format][method.lower()]
    return operation


def kinds_of(service: str) -> dict[str, str]:
    """Return the kind of stream that each command of a service changes, by the command's path."""
    rows = import_module(f"services.{service}.api").COMMAND_ROUTES
    return {row.path: row.stream.partition("/")[0] for row in rows}
