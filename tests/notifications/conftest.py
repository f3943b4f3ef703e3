"""Servers without services, and instances of this service's pieces on a database of their own."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.notifications.instance import Instance
from tools.local.stack import Stack, temporary

Start = Callable[..., Awaitable[Instance]]


@pytest.fixture(scope="package")
def bare_stack() -> Iterator[Stack]:
    """Kafka, MongoDB and SMTP; the tests run the service themselves."""
    with temporary(services=(), say=lambda _: None) as stack:
        yield stack


@pytest.fixture
async def start(bare_stack: Stack) -> AsyncIterator[Start]:
    """Start an instance with an SMTP port and settings; all of a test share one database, empty at first."""
    database = f"synthetic_{uuid4().hex[:12]}"
    started: list[Instance] = []

    async def begin(smtp_port: int = 1, **overrides: Any) -> Instance:
        started.append(Instance(bare_stack.mongodb_admin_uri, database, smtp_port, overrides))
        return await started[-1].prepare()

    yield begin
    for instance in started:
        await instance.mongodb.client.drop_database(database)
        instance.mongodb.client.close()
