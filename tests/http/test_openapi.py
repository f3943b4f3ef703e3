"""The OpenAPI documents say what the services do, and their examples are taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from jsonschema import Draft202012Validator

from services.meetings import api as meetings
from services.nominations import api as nominations
from services.notifications import api as notifications
from services.recommendations import api as recommendations
from tests.http.asking import Caller, problem
from tests.http.matrix import filled
from tools.local.stack import ALL_FOUR, Stack

pytestmark = pytest.mark.servers
COMMAND_ROUTES = {
    "nominations": nominations.COMMAND_ROUTES,
    "meetings": meetings.COMMAND_ROUTES,
    "recommendations": recommendations.COMMAND_ROUTES,
    "notifications": notifications.COMMAND_ROUTES,
}
PROBLEM = {"$ref": "#/components/schemas/ProblemDetails"}
HEALTH = ("/healthz", "/livez", "/servez", "/readyz", "/metrics")


@pytest.fixture(params=ALL_FOUR)
def service(request: pytest.FixtureRequest) -> str:
    """Each of the four."""
    name: str = request.param
    return name


@pytest.fixture
def document(service: str, stack: Stack, web: httpx2.Client) -> dict[str, Any]:
    """The OpenAPI document that the service serves."""
    served: dict[str, Any] = web.get(f"{stack.urls[service]}/openapi.json").json()
    return served


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def references(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for name, member in value.items():
                yield from [member] if name == "$ref" and isinstance(member, str) else references(member)
        case list():
            for item in value:
                yield from references(item)


def test_the_document_is_whole(document: dict[str, Any], service: str) -> None:
    assert document["openapi"].startswith("3.1.")
    assert document["info"]["title"] == f"Throughline {service}"
    schemas = document["components"]["schemas"]
    assert {f"#/components/schemas/{name}" for name in schemas} >= set(references(document))
    for name, schema in schemas.items():
        Draft202012Validator.check_schema(schema)
        assert "HTTPValidationError" not in name
    assert document["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"


def test_every_operation_has_a_name_a_summary_and_its_problems(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)
    for method, path, operation in operations(document):
        assert operation["summary"].strip(), path
        assert operation["tags"], path
        if path in HEALTH:
            assert "security" not in operation
            continue
        assert operation["security"] == [{"HTTPBearer": []}], path
        documented = {"400", "401", "403", "404", "409", "412", "413", "415", "422", "503"}
        assert documented <= operation["responses"].keys(), path
        for status in documented:
            content = operation["responses"][status]["content"]
            assert content == {"application/problem+json": {"schema": PROBLEM}}, (method, path, status)


def test_every_command_documents_its_id_and_its_result(document: dict[str, Any], service: str) -> None:
    for post in COMMAND_ROUTES[service]:
        operation = document["paths"][post.path]["post"]
        headers = {each["name"]: each for each in operation["parameters"] if each["in"] == "header"}
        assert headers["Idempotency-Key"]["required"]
        assert headers["Idempotency-Key"]["description"]
        assert not headers["If-Match"]["required"]
        result = operation["responses"]["200"]["content"]["application/json"]["schema"]
        assert result == {"$ref": "#/components/schemas/CommandAccepted"}


def test_every_command_has_an_example_that_its_model_and_its_schema_take(
    document: dict[str, Any], service: str
) -> None:
    for post in COMMAND_ROUTES[service]:
        content = document["paths"][post.path]["post"]["requestBody"]["content"]["application/json"]
        schema = content["schema"] | {"components": document["components"]}
        Draft202012Validator(schema).validate(content["example"])
        assert post.command.model_validate(content["example"])


def test_every_example_is_taken_by_the_service(
    document: dict[str, Any], service: str, caller: Callable[..., Caller]
) -> None:
    asking = caller()
    for method, path, operation in operations(document):
        if method != "post" or "requestBody" not in operation:
            continue
        example = operation["requestBody"]["content"]["application/json"]["example"]
        answer = asking.post(service, filled(path), example, If_Match='"999999999"')
        if path.startswith("/dead-letters/"):
            problem(answer, 404, "NotOnRecord")
        else:
            problem(answer, 412, "VersionConflict")
