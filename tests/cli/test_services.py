"""The client of the services: how long it waits, and what it says of a refused query."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tools.client.connection import Connection
from tools.client.errors import BadInput, Refused
from tools.client.services import Services

Answers = list[tuple[int, dict[str, str], object]]


@pytest.fixture
def answers() -> Answers:
    """The answers of the service, one for each request."""
    return []


@pytest.fixture
def services(answers: Answers) -> Iterator[Services]:
    """A client of a stand-in for the recommendations service."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, content = answers.pop(0)
            body = json.dumps(content).encode()
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = {"recommendations": f"http://127.0.0.1:{server.server_port}"}
    with Services(Connection(token="synthetic", addresses=address), "auditor") as client:
        yield client
    server.shutdown()
    server.server_close()


def problem(status: int, rule: str, detail: str = "Synthetic") -> dict[str, object]:
    return {"status": status, "rule": rule, "detail": detail}


@pytest.mark.slow
@pytest.mark.parametrize("after", ["0", "1", "Sun, 29 Nov 2020 10:00:00 GMT", "soon", "-1"])
def test_a_time_to_wait_is_read_in_any_form(after: str, services: Services, answers: Answers) -> None:
    answers += [(503, {"Retry-After": after}, problem(503, "StoreUnavailable")), (200, {}, {"items": []})]
    assert services.get("recommendations", "/traces") == {"items": []}


def test_a_refused_query_is_bad_input_by_the_names_of_the_options(services: Services, answers: Answers) -> None:
    answers += [(422, {}, problem(422, "SchemaViolation", "query.as_of: is not a day; query.known_at: is not a time"))]
    with pytest.raises(BadInput, match=r"^--as-of: is not a day; --known-at: is not a time$"):
        services.get("recommendations", "/traces")


def test_another_refusal_stays_a_refusal(services: Services, answers: Answers) -> None:
    answers += [(403, {}, problem(403, "RoleMayNot"))]
    with pytest.raises(Refused, match="RoleMayNot: Synthetic"):
        services.get("recommendations", "/traces")
