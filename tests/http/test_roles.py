"""Every route admits or refuses every role as the matrix says, and stores the refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.http.asking import ROLES, Caller, Records, problem
from tests.http.matrix import ANYBODY, expected, filled
from tools.local.stack import ALL_FOUR, Stack

pytestmark = pytest.mark.servers
NO_COMMAND = {"synthetic_unknown_field": 1}


def routes_of(stack: Stack, web: httpx2.Client, service: str) -> set[tuple[str, str]]:
    document = web.get(f"{stack.urls[service]}/openapi.json").json()
    return {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}


@pytest.mark.parametrize("service", ALL_FOUR)
def test_the_matrix_holds_every_route_that_the_service_has(service: str, stack: Stack, web: httpx2.Client) -> None:
    assert routes_of(stack, web, service) == expected(service).keys()


@pytest.mark.parametrize("service", ALL_FOUR)
def test_without_a_token_only_health_answers(service: str, stack: Stack, web: httpx2.Client) -> None:
    for (method, path), roles in expected(service).items():
        answer = web.request(method, stack.urls[service] + filled(path), content=b"{")
        assert (answer.status_code == 401) == (roles != ANYBODY), (method, path, answer.status_code)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("service", ALL_FOUR)
def test_a_role_does_what_the_matrix_says_and_no_more(
    service: str, role: str, caller: Callable[..., Caller], records: Records
) -> None:
    asking, refused = caller(role), 0
    for (method, path), roles in expected(service).items():
        answer = requested(asking, method, service, filled(path))
        refused += answer.status_code in {403, 422}
        if roles == ANYBODY or role in roles:
            assert answer.status_code in {200, 404, 422} or answer.json()["rule"] == "NotYoursToRead", (method, path)
        else:
            document = problem(answer, 403, "RoleMayNot")
            assert role in document["detail"], path
    refusals = records.refusals(service, actor=asking.actor)
    assert len(refusals) == refused
    assert {each["role"] for each in refusals} <= {role}
    assert records.stored_by(asking, service) == 0


def requested(asking: Caller, method: str, service: str, path: str) -> httpx2.Response:
    """Send a body that no command accepts: an authorized caller gets a schema violation."""
    if method == "GET":
        return asking.get(service, path)
    return asking.request(method, service, path, json=NO_COMMAND, headers={"Idempotency-Key": str(uuid4())})


@pytest.mark.parametrize("service", ALL_FOUR)
def test_nothing_but_queries_admits_the_auditor(service: str) -> None:
    assert {method for (method, _), roles in expected(service).items() if "auditor" in roles} == {"GET"}


@pytest.mark.parametrize("role", ["auditor", "expert", "operator"])
def test_an_unauthorized_role_is_refused_before_the_body_is_read(role: str, caller: Callable[..., Caller]) -> None:
    asking = caller(role)
    for content in (b"{", b"\xff", b"x" * 2_000_000, b""):
        problem(asking.raw("meetings", "/meetings", content), 403, "RoleMayNot")


def test_only_the_roles_that_may_write_have_written(records: Records) -> None:
    for service in ALL_FOUR:
        roles: set[Any] = set()
        for commit in records.commits(service):
            roles |= {
                b'"role":"%b"' % role.encode() in bytes(raw) and role for raw in commit["events"] for role in ROLES
            }
        assert roles - {False} <= {"secretariat", "focal_point", "chair"}
