"""The services over HTTP: problems become refusals, what was not heard yet is asked again for a stated time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx
import orjson
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential

from shared.events.catalogue import Recorded, decode
from tools.client.connection import Connection
from tools.client.errors import Refused, Unreachable
from tools.record.loading import CommandRefused

PATIENCE_SECONDS = 30.0
OUTAGE_SECONDS = 2.0
_AGAIN = frozenset({409, 503})


class NotYet(Exception):
    """The service says to ask again (409 or 503 with Retry-After), or did not answer."""

    def __init__(self, problem: Problem, seconds: float) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.seconds = seconds


@dataclass(frozen=True)
class Problem:
    """An RFC 9457 problem: the status, the rule, and the sentence."""

    status: int
    rule: str
    detail: str
    paragraph: str | None = None

    def __str__(self) -> str:
        cited = f" (founding note, para. {self.paragraph})" if self.paragraph else ""
        return f"{self.rule}: {self.detail}{cited}"


@dataclass
class Services:
    """A client of all four services that speaks for one role.

    It asks again for `patience` seconds where a service says so, for `outage` seconds where one does not answer.
    """

    connection: Connection
    role: str
    patience: float = PATIENCE_SECONDS
    outage: float = OUTAGE_SECONDS
    _clients: dict[str, httpx.Client] = field(default_factory=dict)

    def get(self, service: str, path: str, **query: Any) -> Any:
        """Return the JSON of a query; None is left out of `query`. Raises Refused, Unreachable."""
        return orjson.loads(self._asked(service, "GET", path, params=_known(query)).content)

    def raw(self, service: str, path: str) -> bytes:
        """Return the bytes of an answer. Raises Refused, Unreachable."""
        return self._asked(service, "GET", path).content

    def find(self, service: str, path: str, **query: Any) -> Any | None:
        """Return the JSON of a query, or None where it is not on record."""
        response = self._asked(service, "GET", path, accept=(404,), params=_known(query))
        return None if response.status_code == 404 else orjson.loads(response.content)

    def pages(self, service: str, path: str, **query: Any) -> Iterator[Any]:
        """Yield the items of a list, page by page."""
        after: str | None = None
        while True:
            page = self.get(service, path, limit=500, after=after, **query)
            yield from page["items"]
            if (after := page.get("next")) is None:
                return

    def post(self, service: str, path: str, body: dict[str, Any], command_id: str | None = None) -> Any:
        """Send a command or request and return the JSON of the answer. Raises Refused, Unreachable."""
        headers = {"Idempotency-Key": command_id} if command_id else {}
        return orjson.loads(self._asked(service, "POST", path, json=body, headers=headers).content)

    def lines(self, service: str, method: str, path: str) -> Iterator[bytes]:
        """Yield the lines of a streamed answer as they come, each whole. Raises Refused, Unreachable."""
        try:
            with self._client(service).stream(method, path, timeout=httpx.Timeout(10, read=600)) as response:
                if response.is_error:
                    response.read()
                    raise Refused(str(_problem(response)))
                yield from _lines(response.iter_bytes())
        except httpx.TransportError as error:
            raise _unreachable(self.connection.url(service), error) from None

    def stream(self, service: str, stream: str) -> list[Recorded]:
        """Return a stream's events from the service's own store; none where it is not there."""
        events = self.find(service, f"/streams/{stream}") or []
        return [decode(orjson.dumps(event)) for event in events]

    def send(self, service: str, path: str, body: dict[str, Any], command_id: str) -> int:
        """Carry out a command and return the stream's version after it. Raises CommandRefused, Unreachable."""
        response = self._asked(
            service, "POST", path, accept=(409, 412, 413, 422), json=body, headers={"Idempotency-Key": command_id}
        )
        if response.is_error:
            problem = _problem(response)
            raise CommandRefused(problem.rule, str(problem).removeprefix(f"{problem.rule}: "))
        return int(orjson.loads(response.content)["version"])

    def _asked(self, service: str, method: str, path: str, accept: tuple[int, ...] = (), **more: Any) -> httpx.Response:
        again = Retrying(
            retry=retry_if_exception_type(NotYet),
            stop=self._gives_up,
            wait=_as_long_as_said,
            reraise=True,
        )
        try:
            response: httpx.Response = again(self._once, service, method, path, **more)
        except NotYet as late:
            if late.problem.status == 0:
                raise Unreachable(late.problem.detail) from None
            if late.problem.status in accept:
                raise CommandRefused(late.problem.rule, f"{late.problem.detail} (for {self.patience:.0f} s)") from None
            raise Refused(f"{late.problem} (for {self.patience:.0f} s)") from None
        if response.is_error and response.status_code not in accept:
            raise Refused(str(_problem(response)))
        return response

    def _gives_up(self, state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        silent = isinstance(error, NotYet) and error.problem.status == 0
        return (state.seconds_since_start or 0.0) >= (self.outage if silent else self.patience)

    def _once(self, service: str, method: str, path: str, **more: Any) -> httpx.Response:
        client = self._client(service)
        try:
            response = client.request(method, path, **more)
        except httpx.TransportError as error:
            late = _unreachable(str(client.base_url), error)
            raise NotYet(Problem(0, "Unreachable", str(late)), 0.5) from None
        if response.status_code in _AGAIN and "Retry-After" in response.headers:
            raise NotYet(_problem(response), float(response.headers["Retry-After"]))
        return response

    def _client(self, service: str) -> httpx.Client:
        if service not in self._clients:
            url = self.connection.url(service)
            token = self.connection.token_for(service, self.role)
            self._clients[service] = httpx.Client(
                base_url=url,
                headers={"Authorization": f"Bearer {token}"},
                timeout=httpx.Timeout(30, connect=3),
                trust_env=not url.startswith(("http://127.0.0.1", "http://localhost")),
            )
        return self._clients[service]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for client in self._clients.values():
            client.close()


_backs_off = wait_exponential(multiplier=0.1, max=2)


def _as_long_as_said(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    said = error.seconds if isinstance(error, NotYet) else 0.0
    return min(said, float(_backs_off(state)))


def _known(query: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _unreachable(where: str, error: httpx.TransportError) -> Unreachable:
    return Unreachable(f"{where} does not answer ({type(error).__name__}): is the stack up? throughline stack status")


def _problem(response: httpx.Response) -> Problem:
    try:
        body = orjson.loads(response.content)
        return Problem(response.status_code, body["rule"], body["detail"], body.get("paragraph"))
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return Problem(response.status_code, f"Http{response.status_code}", response.reason_phrase)


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Cut on line feeds only: other line ends may stand inside an event's texts."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if rest:
        yield rest
