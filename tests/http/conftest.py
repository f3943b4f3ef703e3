"""Callers and the servers' collections, on the session's one stack."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing

import httpx2
import pytest

from tests.http.asking import Caller, Records
from tools.local.stack import Stack

Nothing = Callable[[Caller, str], None]


@pytest.fixture
def caller(stack: Stack, web: httpx2.Client) -> Callable[..., Caller]:
    """Make a caller: `caller(role, member=...)`."""

    def make(role: str = "secretariat", **more: str) -> Caller:
        return Caller(stack, web, role, **more)

    return make


@pytest.fixture(scope="session")
def records(stack: Stack, at_end: ExitStack) -> Records:
    """The collections of the services."""
    return at_end.enter_context(closing(Records(stack)))


@pytest.fixture
def nothing_stored(records: Records) -> Nothing:
    """Assert that a caller has one stored refusal, without the request's body, and no commit."""

    def look(asking: Caller, service: str) -> None:
        assert records.stored_by(asking, service) == 0
        refusals = records.refusals(service, actor=asking.actor)
        assert len(refusals) == 1
        assert refusals[0].keys() <= {"_id", "at", "actor", "role", "rule", "request", "command_id", "digest"}

    return look
