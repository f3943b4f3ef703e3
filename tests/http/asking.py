"""Callers of every role on the real servers, and the documents that the servers store for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2
from pymongo import MongoClient

from tools.client.tokens import actor, mint
from tools.deployment import grants
from tools.local.stack import Stack

ROLES = ("secretariat", "focal_point", "chair", "expert", "operator", "auditor")


def new_id(what: str = "synthetic") -> str:
    """Return an id that no other test uses."""
    return f"{what}-{uuid4().hex[:12]}"


@dataclass
class Caller:
    """One person with a token and an `actor` of its own, by which stored commits and refusals are found."""

    stack: Stack
    client: httpx2.Client
    role: str = "secretariat"
    member: str | None = None
    expert: str | None = None
    name: str | None = None
    subject: str = field(default_factory=lambda: new_id("subject"))

    def __post_init__(self) -> None:
        if self.role == "focal_point" and self.member is None:
            self.member = "FJI"
        self.actor = actor(self.stack.home, self.subject)
        claims = {"member": self.member, "expert": self.expert, "name": self.name}
        self.token = mint(self.stack.home, role=self.role, subject=self.subject, **claims)

    def post(self, service: str, path: str, body: Any = None, *, key: str | None = None, **headers: str) -> Any:
        """Send a command and return the answer; `headers` are written with underscores."""
        given = {"Idempotency-Key": key or str(uuid4())} | {name.replace("_", "-"): v for name, v in headers.items()}
        return self.request("POST", service, path, json={} if body is None else body, headers=given)

    def get(self, service: str, path: str, **query: Any) -> httpx2.Response:
        """Send a query and return the answer."""
        return self.request("GET", service, path, params=query or None)

    def request(self, method: str, service: str, path: str, *, headers: Any = None, **more: Any) -> httpx2.Response:
        """Send a request with this caller's token."""
        given = {"Authorization": f"Bearer {self.token}"} | dict(headers or {})
        return self.client.request(method, self.stack.urls[service] + path, headers=given, **more)

    def raw(self, service: str, path: str, content: Any, **headers: str) -> httpx2.Response:
        """Send bytes as the body of a command, as JSON unless the headers say otherwise."""
        given = {"Idempotency-Key": str(uuid4()), "Content-Type": "application/json"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request("POST", service, path, content=content, headers=given)


class Records:
    """The collections of the four services, read as the administrator."""

    def __init__(self, stack: Stack) -> None:
        self._mongo: MongoClient[dict[str, Any]] = MongoClient(stack.mongodb_admin_uri)

    def close(self) -> None:
        self._mongo.close()

    def commits(self, service: str, **query: Any) -> list[dict[str, Any]]:
        return list(self._mongo[grants.database(service)].commits.find(query))

    def refusals(self, service: str, **query: Any) -> list[dict[str, Any]]:
        return list(self._mongo[grants.database(service)].refusals.find(query).sort("_id", 1))

    def consumed(self, service: str) -> dict[str, int]:
        """Return the version up to which a service has folded each stream."""
        return {each["_id"]: each["version"] for each in self._mongo[grants.database(service)].states.find()}

    def dead_letters_about(self, service: str, streams: Iterable[str]) -> list[dict[str, Any]]:
        query = {"stream": {"$in": list(streams)}}
        return list(self._mongo[grants.database(service)].dead_letters.find(query, {"value": 0}))

    def stored_by(self, caller: Caller, service: str) -> int:
        return len(self.commits(service, actor=caller.actor))


def problem(answer: httpx2.Response, status: int, rule: str) -> dict[str, Any]:
    """Assert that an answer is this problem, well formed, and return its document."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json"), answer.text
    document: dict[str, Any] = answer.json()
    assert document["rule"] == rule, document
    assert document["type"] == f"urn:throughline:problem:{rule}"
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    assert answer.headers["X-Correlation-Id"]
    return document


def accepted(answer: httpx2.Response) -> dict[str, Any]:
    """Assert that a command was accepted, and return its result."""
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    assert answer.headers["ETag"] == f'"{document["version"]}"'
    return document


def meeting(key: str, **more: Any) -> dict[str, Any]:
    """A synthetic meeting to be proposed."""
    return {
        "meeting": key,
        "title": "Synthetic meeting",
        "kind": "technical_expert_group",
        "modality": "online",
        "starts_at": "2021-03-01T09:00:00+07:00",
        "ends_at": "2021-03-01T12:00:00+07:00",
    } | more


def nomination(key: str, member: str = "FJI", **more: Any) -> dict[str, Any]:
    """A synthetic nomination by a Government."""
    return {
        "nomination": key,
        "member": member,
        "details": {"name": "Synthetic Nominee", "contact": "synthetic.nominee@example.org"},
        "note_verbale": {"channel": "note_verbale", "reference": "SYNTHETIC/NV/1"},
        "institution": "Synthetic institute",
        "category": "academia",
    } | more


def draft(**more: Any) -> dict[str, Any]:
    """A synthetic recommendation under a reference of its own."""
    number = uuid4().int % 99_999 + 1
    return {"reference": f"SYN/2031/R{number}", "title": "Synthetic recommendation"} | more
