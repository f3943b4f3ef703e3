"""A desk with a token: it sends commands as a secretariat would, retries under the same id, and queries results."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2

from tests.patience import AT_MOST_SECONDS
from tools.client.tokens import mint
from tools.local.stack import Stack


@dataclass
class Desk:
    """One person's session with the four services."""

    stack: Stack
    role: str = "secretariat"
    member: str | None = None
    events: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        token = mint(self.stack.home, role=self.role, subject=f"{self.role}-synthetic", member=self.member)
        self._headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx2.Client(trust_env=False, timeout=AT_MOST_SECONDS)

    def send(self, service: str, path: str, **body: Any) -> dict[str, Any]:
        """Send a command until it is accepted; retry under the same id while the service is down or lacks a fact."""
        headers = {**self._headers, "Idempotency-Key": str(uuid4())}
        until = time.monotonic() + AT_MOST_SECONDS
        while True:
            answer = self._request("POST", service, path, headers=headers, json=body)
            if answer is not None and answer.status_code < 300:
                accepted: dict[str, Any] = answer.json()
                self.events += [event["id"] for event in accepted["events"]]
                return accepted
            retryable = answer is None or answer.status_code == 503 or "Retry-After" in answer.headers
            if not retryable or time.monotonic() > until:
                raise AssertionError(f"{path}: {answer and (answer.status_code, answer.text)}")
            time.sleep(0.2)

    def refused(self, service: str, path: str, **body: Any) -> str:
        """Send a command that is refused, and return the rule."""
        headers = {**self._headers, "Idempotency-Key": str(uuid4())}
        answer = self._request("POST", service, path, headers=headers, json=body)
        assert answer is not None
        assert answer.status_code >= 400, answer.text
        rule: str = answer.json()["rule"]
        return rule

    def query(self, service: str, path: str, **query: Any) -> dict[str, Any]:
        """Query until there is an answer."""
        return self.query_until(service, path, lambda _: True, **query)

    def query_until(
        self, service: str, path: str, enough: Callable[[dict[str, Any]], bool], **query: Any
    ) -> dict[str, Any]:
        """Query until the answer satisfies `enough`."""
        until = time.monotonic() + AT_MOST_SECONDS
        while True:
            answer = self._request("GET", service, path, headers=self._headers, params=query)
            if answer is not None and answer.status_code == 200 and enough(body := answer.json()):
                result: dict[str, Any] = body
                return result
            if time.monotonic() > until:
                raise AssertionError(f"{path}: {answer and (answer.status_code, answer.text[:2_000])}")
            time.sleep(0.1)

    def _request(self, method: str, service: str, path: str, **more: Any) -> httpx2.Response | None:
        try:
            return self._http.request(method, self.stack.urls[service] + path, timeout=60, **more)
        except httpx2.TransportError:
            return None

    def rebuilt(self, service: str) -> bool:
        """Request a rebuild, and return True if it finished."""
        url = f"{self.stack.urls[service]}/operations/rebuild"
        answer = self._http.post(url, headers=self._headers)
        assert answer.status_code == 200, answer.text
        return '"finished":true' in answer.text
