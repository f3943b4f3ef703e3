"""Collections and indexes of the services, created by a deploying user: the services have no right to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

from shared.store import indexes
from shared.store.indexes import Indexes
from tools.client.mongodb_client import connect_async


def declared(service: str) -> Indexes:
    """Return the collections and indexes that a service declares."""
    return import_module(f"services.{service}.app").INDEXES  # type: ignore[no-any-return]


def ensure(uri: str, databases: Mapping[str, str]) -> dict[str, list[str]]:
    """Create what is missing in the database of each service; return the differences that are left, by service.

    Raises PyMongoError.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, _ensure(uri, databases)).result()


async def _ensure(uri: str, databases: Mapping[str, str]) -> dict[str, list[str]]:
    client = connect_async(uri)
    try:
        left = {name: await indexes.ensure(client[base], declared(name)) for name, base in databases.items()}
    finally:
        client.close()
    return {name: differences for name, differences in left.items() if differences}


def describe(left: Mapping[str, Sequence[str]]) -> str:
    """Return the sentences of `ensure`, a line each, and what an administrator does about them."""
    lines = [f"    {service}: {difference}" for service, differences in left.items() for difference in differences]
    return "\n".join(["These differ from their declaration, and nothing was changed; drop them:", *lines])
