"""A client that retries a command at any instance, under the same id, until it is acknowledged or refused."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx2

from tests.faults.rig.acknowledged import Acknowledged, Acknowledgement
from tests.faults.rig.patience import AT_MOST
from tests.faults.rig.platform import Platform
from tools.client.tokens import mint

REQUEST_SECONDS = 12.0
RETRY_SECONDS = 0.2
EARLIER = timedelta(hours=2)


class Abandoned(Exception):
    """A request given up at the time limit; the rig has recorded the reason."""


class Refusal(Exception):
    """A service's refusal of a command, by a `rule`."""

    def __init__(self, rule: str, text: str) -> None:
        super().__init__(f"{rule}: {text[:300]}")
        self.rule = rule


@dataclass
class Gate:
    """A gate that lets commands through, or holds new ones back until none is in flight."""

    _open: threading.Event = field(default_factory=threading.Event)
    _in_flight: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self._open.set()

    def __enter__(self) -> None:
        while True:
            self._open.wait()
            with self._changed:
                if self._open.is_set():
                    self._in_flight += 1
                    return

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._in_flight -= 1
            self._changed.notify_all()

    def shut(self) -> None:
        """Hold new commands back, and wait until those in flight are answered."""
        with self._changed:
            self._open.clear()
            self._changed.wait_for(lambda: self._in_flight == 0, AT_MOST)

    def open(self) -> None:
        """Let commands through again."""
        self._open.set()


class Client:
    """One person's session with any instance, or with the one `at` a URL. Not thread-safe."""

    def __init__(
        self,
        platform: Platform,
        acknowledged: Acknowledged,
        role: str,
        member: str | None = None,
        gate: Gate | None = None,
        pace: float = 0.0,
        at: str | None = None,
    ) -> None:
        token = mint(platform.stack.home, role=role, subject=f"{role}-synthetic", member=member, backdated=EARLIER)
        self._platform = platform
        self._acknowledged = acknowledged
        self._gate = gate or Gate()
        self._pace = pace
        self._at = at
        self._http = httpx2.Client(
            trust_env=False, timeout=REQUEST_SECONDS, headers={"Authorization": f"Bearer {token}"}
        )
        self._turn = 0

    def send(self, service: str, path: str, **body: Any) -> Acknowledgement:
        """Send a valid command; record a refusal as an error. Raises Abandoned."""
        time.sleep(random.uniform(0, 2 * self._pace))
        try:
            return self.submit(service, path, **body)
        except Refusal as refusal:
            self._acknowledged.note_refusal(f"{service} {path}: {refusal}")
            raise Abandoned(path) from refusal

    def submit(
        self, service: str, path: str, command_id: str = "", if_match: int | None = None, **body: Any
    ) -> Acknowledgement:
        """Send a command until it is acknowledged. Raises Refusal, or Abandoned after a long silence."""
        with self._gate:
            return self._until_answered(service, path, command_id or str(uuid4()), if_match, body)

    def _until_answered(
        self, service: str, path: str, command_id: str, if_match: int | None, body: dict[str, Any]
    ) -> Acknowledgement:
        headers = {"Idempotency-Key": command_id} | ({"If-Match": f'"{if_match}"'} if if_match is not None else {})
        began, retries, last = time.monotonic(), 0, "nothing"
        while (passed := time.monotonic() - began) < AT_MOST:
            answer = self._request("POST", service, path, headers=headers, json=body)
            if answer is not None and answer.status_code < 300:
                given = _acknowledgement(service, command_id, answer.json())
                self._acknowledged.note(given, retries, passed)
                return given
            if answer is not None and answer.status_code != 503 and "Retry-After" not in answer.headers:
                raise Refusal(_rule(answer), answer.text)
            last = f"{answer.status_code} {_rule(answer)}" if answer is not None else "nothing"
            retries += 1
            time.sleep(RETRY_SECONDS)
        self._acknowledged.note_silence(f"{service} {path} ({command_id}): {last} for {AT_MOST:.0f} s")
        raise Abandoned(path)

    def read(self, service: str, path: str, **query: Any) -> Any:
        """Query any instance once; return None if none answers with 200."""
        answer = self._request("GET", service, path, params=query)
        return answer.json() if answer is not None and answer.status_code == 200 else None

    def await_read(self, service: str, path: str, **query: Any) -> Any:
        """Query until there is an answer with 200. Raises Abandoned, and records the silence."""
        until = time.monotonic() + AT_MOST
        while (document := self.read(service, path, wait=2, **query)) is None:
            if time.monotonic() > until:
                self._acknowledged.note_silence(f"{service} {path} {query} was not found")
                raise Abandoned(path)
            time.sleep(RETRY_SECONDS)
        return document

    def operate(self, service: str, path: str, **body: Any) -> httpx2.Response | None:
        """Send an operator's decision, which is no command, once to one instance."""
        return self._request("POST", service, path, json=body, timeout=AT_MOST)

    def _request(self, method: str, service: str, path: str, **more: Any) -> httpx2.Response | None:
        urls = [self._at] if self._at else self._platform.urls(service)
        self._turn += 1
        try:
            return self._http.request(method, urls[self._turn % len(urls)] + path, **more)
        except httpx2.TransportError:
            return None


def _acknowledgement(service: str, command_id: str, body: dict[str, Any]) -> Acknowledgement:
    events = tuple(event["id"] for event in body["events"])
    return Acknowledgement(service, command_id, body["stream"], body["version"], events, body["replayed"])


def _rule(answer: httpx2.Response) -> str:
    try:
        return str(answer.json().get("rule", answer.status_code))
    except ValueError:
        return str(answer.status_code)
