"""An HTTP client of the services: problems become refusals; requests are retried for a stated time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import httpx2
import orjson
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential

from tools.client.connection import Connection
from tools.client.errors import BadInput, CommandRefused, OutcomeUnknown, Refused, Unreachable
from tools.client.progress import Advance
from tools.client.responses import Problem, by_options, json_of, lines_of, problem_of
from tools.client.retry_after import seconds_of

if TYPE_CHECKING:
    from shared.events.catalogue import Recorded

PATIENCE_SECONDS = 30.0
OUTAGE_SECONDS = 2.0
SHOWN = 10
_RETRIED = frozenset({409, 503})


class NotYet(Exception):
    """A response to retry (409 or 503 with Retry-After), or none."""

    def __init__(self, problem: Problem, seconds: float) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.seconds = seconds


@dataclass
class Services:
    """An HTTP client of all services, with the token of one role, for several threads.

    It retries for `patience` seconds where a service says so, for `outage` seconds where none answers, though not long
    where nobody said that there is one: the address is only remembered from a stack that does not run any more.
    """

    connection: Connection
    role: str
    patience: float = PATIENCE_SECONDS
    outage: float = OUTAGE_SECONDS
    _clients: dict[str, httpx2.Client] = field(default_factory=dict)
    _connecting: Lock = field(default_factory=Lock)

    def get(self, service: str, path: str, **query: Any) -> Any:
        """Return the JSON of a query; None is left out of `query`. Raises Refused, Unreachable."""
        return json_of(self._request(service, "GET", path, params=_without_none(query)))

    def raw(self, service: str, path: str) -> bytes:
        """Return the body of a response. Raises Refused, Unreachable."""
        return self._request(service, "GET", path).content

    def find(self, service: str, path: str, *, method: str = "GET", **query: Any) -> Any | None:
        """Return the JSON of a query or request, or None where it is not on record."""
        response = self._request(service, method, path, accept=(404,), params=_without_none(query))
        return None if response.status_code == 404 else json_of(response)

    def pages(self, service: str, path: str, **query: Any) -> Iterator[Any]:
        """Yield the items of a list, page by page."""
        for page in self.whole_pages(service, path, 500, **query):
            yield from page["items"]

    def whole_pages(self, service: str, path: str, size: int, **query: Any) -> Iterator[dict[str, Any]]:
        """Yield the pages of a list, of at most `size` items each."""
        after: Any = None
        while True:
            page = self.get(service, path, limit=size, after=after, **query)
            yield page
            if (after := page.get("next")) is None:
                return

    def post(self, service: str, path: str, body: dict[str, Any], command_id: str | None = None) -> Any:
        """Send a command or request and return the JSON of the response. Raises Refused, Unreachable."""
        headers = {"Idempotency-Key": command_id} if command_id else {}
        return json_of(self._request(service, "POST", path, json=body, headers=headers))

    def put(self, service: str, path: str, content: bytes, media_type: str) -> Any:
        """Store bytes, and return the JSON of the response. Raises Refused, Unreachable."""
        return json_of(self._request(service, "PUT", path, content=content, headers={"Content-Type": media_type}))

    def lines(self, service: str, method: str, path: str) -> Iterator[bytes]:
        """Yield the lines of a streamed response as they come, each whole. Raises Refused, Unreachable."""
        try:
            with self._client(service).stream(method, path, timeout=httpx2.Timeout(10, read=600)) as response:
                if response.is_error:
                    response.read()
                    raise Refused(str(problem_of(response)))
                yield from lines_of(response.iter_bytes())
        except httpx2.TransportError as error:
            raise _unreachable(self.connection.url(service), error) from None

    def operate(self, service: str, path: str, advance: Advance) -> dict[str, int]:
        """Run a long operation, and return its last progress: without `finished` if the display broke off.

        Raises Refused, Unreachable.
        """
        progress: dict[str, int] = {}
        for line in self.lines(service, "POST", path):
            progress = orjson.loads(line)
            advance(progress["done"], progress["of"])
        return progress

    def stream(self, service: str, stream: str) -> list[Recorded]:
        """Return a stream's events from the service's own store; an empty list where it has none."""
        from shared.events.canonical import canonical
        from shared.events.catalogue import decode

        events = self.find(service, f"/streams/{stream}") or []
        return [decode(canonical(event)) for event in events]

    def dependants(self, stream: str) -> str:
        """Say which traces rest on a stream, or that it could not be asked."""
        try:
            answer = self.get("recommendations", "/dependants", stream=stream, limit=SHOWN)
        except (Refused, Unreachable) as failure:
            return f"Which traces rest on {stream} could not be asked: {failure}"
        count, named = answer["count"], ", ".join(answer["traces"])
        more = f" and {count - len(answer['traces'])} more" if count > len(answer["traces"]) else ""
        return f"Traces that rest on {stream}: {named}{more}." if count else f"No trace rests on {stream}."

    def send(self, service: str, path: str, body: dict[str, Any], command_id: str) -> int:
        """Send a command and return the stream's version after it. Raises CommandRefused, Unreachable."""
        return int(self.execute(service, path, body, {"Idempotency-Key": command_id})["version"])

    def execute(
        self, service: str, path: str, body: dict[str, Any], headers: dict[str, str], **query: Any
    ) -> dict[str, Any]:
        """Send a command and return its result. Raises CommandRefused, OutcomeUnknown, Unreachable."""
        more: dict[str, Any] = {"json": body, "headers": headers, "params": _without_none(query)}
        response = self._request(service, "POST", path, accept=(409, 412, 413, 422), **more)
        if response.is_error:
            problem = problem_of(response)
            raise CommandRefused(problem.rule, str(problem).removeprefix(f"{problem.rule}: "))
        result = json_of(response)
        if not isinstance(result, dict) or not {"stream", "version", "events", "replayed"} <= result.keys():
            raise OutcomeUnknown(f"{response.url} answers without a result: is it a service of ours?")
        return result

    def content(self, service: str, path: str, **query: Any) -> tuple[str, bytes] | None:
        """Return the media type and the bytes of a response, or None where it is not on record."""
        response = self._request(service, "GET", path, accept=(404,), params=_without_none(query))
        if response.status_code == 404:
            return None
        return response.headers.get("Content-Type", "").partition(";")[0], response.content

    def _request(
        self, service: str, method: str, path: str, accept: tuple[int, ...] = (), **more: Any
    ) -> httpx2.Response:
        retrying = Retrying(
            retry=retry_if_exception_type(NotYet),
            stop=partial(self._is_over, service),
            wait=_retry_seconds,
            reraise=True,
        )
        try:
            response: httpx2.Response = retrying(self._once, service, method, path, **more)
        except NotYet as failure:
            problem = failure.problem
            if problem.status == 0:
                raise Unreachable(problem.detail) from None
            if problem.status in accept:
                raise CommandRefused(problem.rule, f"{problem.detail} (for {self.patience:.0f} s)") from None
            raise OutcomeUnknown(f"{problem} (for {self.patience:.0f} s).") from None
        if response.is_error and response.status_code not in accept:
            problem = problem_of(response)
            if method == "GET" and problem.rule == "SchemaViolation":
                raise BadInput(by_options(problem.detail))
            raise (OutcomeUnknown if problem.status >= 500 else Refused)(str(problem))
        return response

    def _is_over(self, service: str, state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        limit = self.patience
        if isinstance(error, NotYet) and error.problem.status == 0:
            limit = self.outage if self.connection.is_expected(service) else min(self.outage, OUTAGE_SECONDS)
        return (state.seconds_since_start or 0.0) >= limit

    def _once(self, service: str, method: str, path: str, **more: Any) -> httpx2.Response:
        client = self._client(service)
        try:
            response = client.request(method, path, **more)
        except httpx2.TransportError as error:
            unreachable = _unreachable(str(client.base_url), error)
            raise NotYet(Problem(0, "Unreachable", str(unreachable)), 0.5) from None
        if response.status_code in _RETRIED and "Retry-After" in response.headers:
            raise NotYet(problem_of(response), seconds_of(response.headers["Retry-After"]))
        return response

    def _client(self, service: str) -> httpx2.Client:
        with self._connecting:
            if service not in self._clients:
                self._clients[service] = self._new_client(service)
            return self._clients[service]

    def _new_client(self, service: str) -> httpx2.Client:
        url = self.connection.url(service)
        token = self.connection.token_for(service, self.role)
        return httpx2.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx2.Timeout(30, connect=3),
            trust_env=not url.startswith(("http://127.0.0.1", "http://localhost")),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for client in self._clients.values():
            client.close()


_backoff = wait_exponential(multiplier=0.1, max=2)


def _retry_seconds(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    retry_after = error.seconds if isinstance(error, NotYet) else 0.0
    return min(retry_after, float(_backoff(state)))


def _without_none(query: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _unreachable(where: str, error: httpx2.TransportError) -> Unreachable:
    return Unreachable(f"{where} does not answer ({type(error).__name__}): is the stack up? throughline stack status")
