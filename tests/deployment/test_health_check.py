"""The health check of the image, against a server that answers over a real socket."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from shared.runtime.health_check import answer, place
from tools.files import CHECKOUT

ANSWERS = {
    "/readyz": (503, b'{"ready":false,"troubles":{"mongodb":"ServerSelectionTimeoutError"}}'),
    "/servez": (200, b'{"serving":true,"troubles":{}}'),
    "/metrics": (200, b"throughline_ready 1.0\n" * 1_000),
}


class Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body = ANSWERS[self.path]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_it_asks_the_port_of_the_settings_and_says_why_not(port: int) -> None:
    settings = {"THROUGHLINE_PORT": str(port), "THROUGHLINE_HOST": ""}
    assert answer(settings, "/servez") == (True, '{"serving":true,"troubles":{}}')
    says_yes, trouble = answer(settings)
    assert not says_yes
    assert trouble.startswith("/readyz: 503")
    assert "ServerSelectionTimeoutError" in trouble


def test_a_port_that_nobody_listens_on_is_named() -> None:
    assert answer({"THROUGHLINE_PORT": "1"}) == (False, "/readyz: no answer (ConnectionRefusedError)")


@pytest.mark.parametrize(("path", "code"), [("/servez", 0), ("/metrics", 0), ("/readyz", 1)])
def test_the_module_ends_with_the_code_that_an_engine_reads(port: int, path: str, code: int) -> None:
    command = [sys.executable, "-m", "shared.runtime.health_check", path, "SYNTHETIC_"]
    environment = os.environ | {"SYNTHETIC_PORT": str(port)}
    ended = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == code
    assert ended.stderr.startswith("/readyz: 503") is bool(code)
    assert ended.stdout.strip() == ("" if code else ANSWERS[path][1].decode().strip())


@pytest.mark.parametrize(
    ("host", "target"),
    [("", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("10.0.0.5", "10.0.0.5")],  # noqa: S104
)
def test_a_host_that_means_all_addresses_is_asked_on_loopback(host: str, target: str) -> None:
    assert place({"THROUGHLINE_HOST": host}, "THROUGHLINE_") == (target, 8000)


def test_it_imports_nothing_that_makes_each_check_slow() -> None:
    code = "import sys, shared.runtime.health_check; print(len(sys.modules), 'pydantic' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert ran.stdout.split()[1] == "False"
