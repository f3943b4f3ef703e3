"""The load tells the answers of a service from those of whatever else answers at its address."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx2

from tests.deploy.load import Load, commands


def met(*answers: httpx2.Response) -> dict[str, int]:
    """Return the faults that one command meets with these answers, the last of which accepts it."""
    each: Iterator[httpx2.Response] = iter(answers)

    async def send() -> dict[str, int]:
        load = Load({"nominations": "http://synthetic"}, "synthetic")
        load.client = httpx2.AsyncClient(transport=httpx2.MockTransport(lambda _: next(each)))
        async with load.client:
            assert await load._send(next(commands("synthetic")))
        return load.outcome.faults

    return asyncio.run(send())


def test_an_answer_of_a_service_is_told_from_one_that_is_of_none() -> None:
    problem = {"Content-Type": "application/problem+json"}
    accepted = httpx2.Response(200)
    assert met(httpx2.Response(404), accepted) == {"404 of no service": 1}
    assert met(httpx2.Response(404, headers=problem), accepted) == {"404": 1}
    assert met(accepted) == {}
