"""A collector, and tracing in this process, which ends with the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.tracing import spans
from tests.tracing.receiver import Collector, collecting


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A collector that the environment names."""
    with collecting() as running:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", running.address)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield running


@pytest.fixture
def traced(collector: Collector) -> Iterator[Collector]:
    """Tracing of every request in this process, and the collector."""
    spans.start({"service.name": "synthetic"}, 1.0)
    yield collector
    spans.stop()
