"""Metrics of the console: on a port of their own, and nowhere on the one that is published."""

from __future__ import annotations

import socket

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import STARTUP_FAILURE

from shared.runtime.telemetry import PAGE_SECONDS
from tests.console.test_mounted import answers, console
from tests.patience import AT_MOST_SECONDS, until
from tools.console.metrics import SERVICE, TimedPages
from tools.local.ports import choose

pytestmark = pytest.mark.slow


def counted(measured: str) -> dict[str, float]:
    """Return the number of answers by status."""
    samples = [sample for family in text_string_to_metric_families(measured) for sample in family.samples]
    return {each.labels["status"]: each.value for each in samples if each.name == "throughline_page_seconds_count"}


def test_metrics_are_served_on_their_port_and_are_no_page() -> None:
    port = choose(())
    own = choose((port,))
    with console(port, METRICS_PORT=str(own)) as process, httpx2.Client(trust_env=False) as web:
        until(lambda: answers(f"http://127.0.0.1:{port}/healthz"))
        as_a_page = web.get(f"http://127.0.0.1:{port}/metrics")
        assert (as_a_page.status_code, as_a_page.headers["Location"]) == (303, "/sign-in?next=%2Fmetrics")
        assert "throughline_" not in as_a_page.text
        assert web.get(f"http://127.0.0.1:{port}/sign-in").status_code == 503
        for path in ("/", "/sign-in", "/healthz", "/static/console.css"):
            assert web.get(f"http://127.0.0.1:{own}{path}").status_code == 404
        measured = web.get(f"http://127.0.0.1:{own}/metrics")
        assert measured.headers["Content-Type"].startswith("text/plain")
        assert 'throughline_build_info{python="' in measured.text
        assert "\nprocess_start_time_seconds " in measured.text
        assert counted(measured.text) == {"503": 1}
        process.terminate()
        assert process.wait(AT_MOST_SECONDS) == -15


def test_a_port_that_is_taken_ends_the_process() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        console(choose(()), METRICS_PORT=str(other.getsockname()[1])) as process,
    ):
        assert process.wait(AT_MOST_SECONDS) == STARTUP_FAILURE


async def test_a_bug_counts_as_500_and_a_probe_does_not_count() -> None:
    async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("synthetic")

    before = total("500")
    for path in ("/today", "/healthz", "/static/console.css"):
        async with client_of(TimedPages(breaks)) as web:
            with pytest.raises(ValueError, match="synthetic"):
                await web.get(path)
    assert total("500") == before + 1


async def test_an_answer_counts_under_its_status() -> None:
    before = total("418")
    async with client_of(TimedPages(PlainTextResponse("synthetic", 418))) as web:
        await web.get("/today")
    assert total("418") == before + 1


def client_of(app: ASGIApp) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://console")


def total(status: str) -> float:
    samples = PAGE_SECONDS.labels(SERVICE, status).collect()[0].samples
    return next(each.value for each in samples if each.name.endswith("_count"))
