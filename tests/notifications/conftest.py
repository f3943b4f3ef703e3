"""Instances of this service's pieces, on a database of their own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.notifications.instance import Instance
from tools.local.stack import Stack

Start = Callable[..., Awaitable[Instance]]


@pytest.fixture
async def start(servers: Stack) -> AsyncIterator[Start]:
    """Start an instance with an SMTP port and settings; all of a test share one database, empty at first."""
    database = f"synthetic_{uuid4().hex[:12]}"
    started: list[Instance] = []

    async def begin(smtp_port: int = 1, **overrides: Any) -> Instance:
        started.append(Instance(servers.mongodb_admin_uri, database, smtp_port, overrides))
        return await started[-1].prepare()

    yield begin
    for instance in started:
        await instance.mongodb.client.drop_database(database)
        instance.mongodb.client.close()
