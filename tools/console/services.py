"""An asynchronous HTTP client of the services, with the person's own token."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2
import orjson
import structlog

from shared.tracing.spans import Span, tracing

log = structlog.get_logger()

_COMMAND_ID = re.compile(r"[0-9a-f-]{32,36}")
_NOT_READ_BACK = "NotHeardYet"
ANSWER_SECONDS = 10.0
LIMITS = httpx2.Limits(max_connections=100, max_keepalive_connections=50)


@dataclass(frozen=True)
class FieldFault:
    """An error of one field of a command."""

    field: str
    message: str


class ServiceDown(Exception):
    """A service that does not answer, or cannot take requests now."""

    def __init__(self, service: str) -> None:
        super().__init__(service)
        self.service = service


class Refusal(Exception):
    """An answer of a service that refuses (RFC 9457): status, rule, sentence, paragraph, errors of fields."""

    def __init__(self, service: str, status: int, document: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {document.get('rule')}")
        self.service, self.status = service, status
        self.rule: str = str(document.get("rule", f"Http{status}"))
        self.title: str = str(document.get("title", self.rule))
        self.detail: str = str(document.get("detail", ""))
        self.paragraph: str | None = document.get("paragraph")
        self.faults = tuple(FieldFault(each["field"], each["message"]) for each in document.get("errors", ()))


class Problem(Refusal):
    """A refusal of a request, which the page that sent it may show."""


class TokenRefused(Refusal):
    """A refusal of the person's token: the session is over, at whatever page."""


@dataclass(frozen=True)
class Missing:
    """A part of a page that could not be had, and the service that should have given it."""

    service: str
    refused: bool = False


@dataclass(frozen=True)
class Recorded:
    """An accepted command: stream, version, and whether it had been executed before."""

    stream: str
    version: int
    replayed: bool


@dataclass
class Services:
    """The services as one person sees them; any request raises TokenRefused where the session is over."""

    client: httpx2.AsyncClient
    addresses: Mapping[str, str]
    token: str
    down: set[str] = field(default_factory=set)
    is_behind: bool = False
    """True once a record could be had only as it was before this person's last command."""

    async def get(self, service: str, path: str, **query: Any) -> Any:
        """Return the JSON of a query; None and blank are left out. Raises Problem, ServiceDown.

        A record that its service has not read back at the version asked for is returned as it is there now.
        """
        try:
            return orjson.loads((await self.send(service, "GET", path, params=_filled(query))).content)
        except Problem as problem:
            if problem.rule != _NOT_READ_BACK or not query.pop("at_least", None):
                raise
            self.is_behind = True
            return await self.get(service, path, **query)

    async def find(self, service: str, path: str, **query: Any) -> Any | None:
        """Return the JSON of a query, or None where it is not on record. Raises Problem, ServiceDown."""
        try:
            return await self.get(service, path, **query)
        except Problem as problem:
            if problem.status == 404:
                return None
            raise

    async def part(self, service: str, path: str, **query: Any) -> Any | Missing:
        """Return the JSON of a query, or what is missing where the service does not answer or refuses it."""
        try:
            return await self.get(service, path, **query)
        except ServiceDown:
            return Missing(service)
        except Problem as problem:
            return Missing(service, refused=problem.status in (403, 404))

    async def parts(self, *parts: tuple[str, str, Mapping[str, Any]]) -> list[Any | Missing]:
        """Return several parts of a page, got at the same time."""
        return list(await asyncio.gather(*(self.part(service, path, **query) for service, path, query in parts)))

    async def command(
        self, service: str, path: str, body: Mapping[str, Any], command_id: str, version: int | None = None
    ) -> Recorded:
        """Send a command once under its id. Raises Problem, ServiceDown."""
        headers = {"Idempotency-Key": command_id} | _seen(version)
        answer = orjson.loads((await self.send(service, "POST", path, json=body, headers=headers)).content)
        return Recorded(answer["stream"], answer["version"], answer["replayed"])

    async def validated(
        self, service: str, path: str, body: Mapping[str, Any], version: int | None = None
    ) -> list[dict[str, Any]]:
        """Return the events that a command would record. Raises Problem, ServiceDown."""
        headers, query = {"Idempotency-Key": uuid4().hex} | _seen(version), {"validate": "true"}
        sent = await self.send(service, "POST", path, json=body, params=query, headers=headers)
        return list(orjson.loads(sent.content)["events"])

    async def send(self, service: str, method: str, path: str, **more: Any) -> httpx2.Response:
        """Send a request and return its response. Raises Problem, ServiceDown."""
        try:
            with _request_span(method, service) as span:
                response = await self.client.request(
                    method, self.addresses[service] + path, **more | {"headers": self._headers(more)}
                )
                span.set_attribute("http.response.status_code", response.status_code)
        except httpx2.TransportError as error:
            raise self._away(service, type(error).__name__) from None
        if response.is_error:
            raise self._problem(service, response)
        return response

    async def open(self, service: str, path: str) -> httpx2.Response:
        """Return a response whose body is still to be read, and which is to be closed. Raises Problem, ServiceDown."""
        try:
            with _request_span("GET", service):
                request = self.client.build_request("GET", self.addresses[service] + path, headers=self._headers({}))
                response = await self.client.send(request, stream=True)
            if response.is_error:
                await response.aread()
        except httpx2.TransportError as error:
            raise self._away(service, type(error).__name__) from None
        if response.is_error:
            raise self._problem(service, response)
        return response

    def _headers(self, more: Mapping[str, Any]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", **more.get("headers", {}), **tracing().headers()}

    def _problem(self, service: str, response: httpx2.Response) -> Refusal | ServiceDown:
        try:
            document = orjson.loads(response.content)
        except orjson.JSONDecodeError:
            document = None
        if not isinstance(document, dict) or "rule" not in document:
            return self._away(service, f"http {response.status_code}")
        if response.status_code == 503:
            return self._away(service, document["rule"])
        kind = TokenRefused if response.status_code == 401 else Problem
        return kind(service, response.status_code, document)

    def _away(self, service: str, why: str) -> ServiceDown:
        self.down.add(service)
        log.warning("service_down", service=service, why=why)
        return ServiceDown(service)


def _request_span(method: str, service: str) -> AbstractContextManager[Span]:
    return tracing().child(f"{method} {service}", "client", {"http.request.method": method, "peer.service": service})


def is_command_id(text: str) -> bool:
    """Tell whether a text is a command's id as forms carry it, and as a header can."""
    return _COMMAND_ID.fullmatch(text) is not None


def make_client() -> httpx2.AsyncClient:
    """Return the connections that all requests share."""
    timeout = httpx2.Timeout(ANSWER_SECONDS, connect=2.0)
    return httpx2.AsyncClient(limits=LIMITS, timeout=timeout, trust_env=False)


def _seen(version: int | None) -> dict[str, str]:
    return {} if version is None else {"If-Match": f'"{version}"'}


def _filled(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value not in (None, "")}
