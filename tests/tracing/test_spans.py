"""Spans of one process: what is sampled, what an attribute holds, and what a collector that is away costs."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import httpx2
import pytest
from aiokafka import ConsumerRecord
from fastapi import FastAPI

from shared.consumer.decoding import decode_record
from shared.consumer.event_spans import FRESH_SECONDS, EventSpans
from shared.consumer.record import ConsumedEvent
from shared.runtime.settings import CannotStart
from shared.runtime.tracing import traced as tracing_process
from shared.store.commits import commit_document, stored_commit
from shared.tracing import sdk, spans
from shared.tracing.messaging import appending, sending
from shared.tracing.requests import TracedRequests
from shared.tracing.spans import MOST_LINKS, tracing
from shared.tracing.traceparent import TRACEPARENT, well_formed
from tests.history import a_history
from tests.patience import AT_MOST_SECONDS
from tests.proofs import TRUST
from tests.tracing.receiver import Collector

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = f"00-{TRACE}-b7ad6b7169203331-01"
GARBAGE = (
    b"\xff\xfe\x00", b"", None, b"00-" + b"0" * 32 + b"-b7ad6b7169203331-01", CALLER.upper().encode(),
    f"{CALLER}-x".encode(), f"01{CALLER[2:]}".encode(), f"00-{TRACE}-{'0' * 16}-01".encode(), b"x" * 100_000,
)  # fmt: skip
SDK = "opentelemetry.sdk"
ADDRESS = "/synthetic/Person?name=Synthetic"


def test_off_nothing_is_stored_or_handed_on() -> None:
    assert not tracing().is_on
    with tracing().request("GET", CALLER, {}), appending("throughline.meetings", 1) as span:
        span.set_attribute("synthetic", 1)
        assert (tracing().headers(), tracing().traceparent(), tracing().trace_id()) == ({}, None, None)
    document = commit_document("meeting/m1", 1, [b"{}"], command_id="c", actor="a", traceparent=None)
    assert "trace" not in document


def test_off_the_sdk_is_not_even_imported() -> None:
    code = f"import sys, services.meetings.app, tools.console.app; print({SDK!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("value", [*GARBAGE, 7, ["x"]])
def test_what_is_no_traceparent_is_none(value: object) -> None:
    assert well_formed(value) is None
    document = commit_document("meeting/m1", 1, [b"{}"], command_id="c", actor="a") | {"trace": value}
    assert stored_commit(document).traceparent is None


def test_a_header_that_is_garbage_is_no_poison() -> None:
    record = a_history().records["instrument/i1"][0]
    event = decode_record(record, TRUST)
    assert isinstance(event, ConsumedEvent)
    for value in GARBAGE:
        carrying = replace(record, headers=(*record.headers, (TRACEPARENT, value)))
        assert decode_record(carrying, TRUST) == event


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317", "should match pattern"),
        ("OTEL_TRACES_SAMPLER_ARG", "5 %", "valid number"),
        ("OTEL_TRACES_SAMPLER_ARG", "5", "less than or equal to 1"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(CannotStart, match=f"^{name}: .*{says}"), tracing_process("synthetic", "synthetic-0"):
        pass
    assert not tracing().is_on


def is_sampled(traceparent: str) -> bool:
    return int(traceparent[-2:], 16) & 1 == 1


@contextmanager
def at_ratio(ratio: float) -> Iterator[None]:
    spans.start({"service.name": "synthetic"}, ratio)
    try:
        yield
    finally:
        spans.stop()


def test_a_request_that_is_not_sampled_is_handed_on_as_such_and_stores_nothing(collector: Collector) -> None:
    with at_ratio(0.0):
        with tracing().request("GET", None, {}), appending("throughline.meetings", 1):
            assert not is_sampled(tracing().headers()[TRACEPARENT])
            assert tracing().traceparent() is None
        with tracing().request("GET", f"{CALLER[:-1]}0", {}), tracing().child("synthetic"):
            assert tracing().headers()[TRACEPARENT].startswith(f"00-{TRACE}-")
            assert not is_sampled(tracing().headers()[TRACEPARENT])
    assert collector.spans == []


def test_a_caller_who_samples_decides(collector: Collector) -> None:
    with at_ratio(0.0), tracing().request("GET", CALLER, {}), appending("throughline.meetings", 1):
        appended = tracing().traceparent() or ""
    request, append = collector.await_name("GET"), collector.await_name("append throughline.meetings")
    assert (request.trace, request.parent) == (TRACE, CALLER.split("-")[2])
    assert (append.trace, append.parent, append.id) == (TRACE, request.id, appended.split("-")[2])


@pytest.mark.parametrize("value", GARBAGE)
def test_a_request_with_garbage_begins_a_trace(value: Any, traced: Collector) -> None:
    with tracing().request("GET", value, {}):
        pass
    assert traced.await_name("GET").trace != TRACE


def test_the_span_of_a_batch_has_128_links_at_most_and_is_sampled_with_one(collector: Collector) -> None:
    with at_ratio(0.0):
        with sending("throughline.meetings", 2_000, (f"00-{n:032x}-{n:016x}-01" for n in range(1, 300))):
            pass
        with sending("throughline.unsampled", 2, [f"{CALLER[:-1]}0"]):
            pass
    span = collector.await_name("send throughline.meetings")
    assert len(span.links) == MOST_LINKS
    assert span.attributes["messaging.batch.message_count"] == 2_000
    assert [each.name for each in collector.spans] == ["send throughline.meetings"]


def a_record(offset: int, traceparent: object, age: float = 0.0) -> ConsumerRecord[Any, Any]:
    headers = [("position", b"0"), (TRACEPARENT, traceparent)]
    at = int((time.time() - age) * 1000)
    return ConsumerRecord("throughline.meetings", 0, offset, at, 0, b"k", b"v", None, 1, 1, headers)


def test_only_well_formed_fresh_and_sampled_events_have_spans_until_they_are_flushed(traced: Collector) -> None:
    opened = EventSpans("throughline.synthetic")
    wrong = [a_record(n, value) for n, value in enumerate(GARBAGE, start=10)]
    old, unsampled = a_record(90, CALLER, age=FRESH_SECONDS * 2), a_record(91, f"{CALLER[:-1]}0")
    with opened.batch([a_record(1, CALLER.encode()), *wrong, old, unsampled]), opened.flush():
        with tracing().in_each_event("compose"):
            pass
        with tracing().in_event("throughline.meetings/0/1"), appending("throughline.recommendations", 1):
            pass
    event, compose = traced.await_name("process throughline.meetings"), traced.await_name("compose")
    append, batch = traced.await_name("append throughline.recommendations"), traced.await_name("process batch")
    assert (event.trace, event.parent) == (TRACE, CALLER.split("-")[2])
    assert {(compose.trace, compose.parent), (append.trace, append.parent)} == {(TRACE, event.id)}
    assert batch.trace != TRACE
    assert (batch.links, event.links) == ((event.parent,), (batch.id,))
    assert len(traced.spans) == 4


def test_no_more_than_128_events_have_a_span_at_a_time(traced: Collector) -> None:
    opened = EventSpans("throughline.synthetic")
    for start in (0, 100):
        with opened.batch([a_record(start + n, f"00-{n + 1:032x}-{n + 1:016x}-01") for n in range(100)]):
            pass
    with opened.flush():
        pass
    spans.stop()
    assert len(traced.named("process throughline.meetings")) == MOST_LINKS


def test_the_spans_of_a_batch_that_fails_are_failed_by_the_class_of_the_error(traced: Collector) -> None:
    opened = EventSpans("throughline.synthetic")
    with pytest.raises(LookupError), opened.batch([a_record(1, CALLER)]):
        raise LookupError("Synthetic Person")
    event, batch = traced.await_name("process throughline.meetings"), traced.await_name("process batch")
    assert event.is_failed
    assert batch.is_failed
    assert event.attributes["error.type"] == batch.attributes["error.type"] == "LookupError"
    assert b"Synthetic Person" not in traced.bodies


async def test_the_span_of_a_request_names_its_route_and_nothing_that_was_typed(traced: Collector) -> None:
    app = FastAPI()
    app.add_middleware(TracedRequests, continues=True)

    @app.get("/synthetic/{who}")
    async def fail(who: str, name: str) -> None:
        raise LookupError(f"{who} {name}")

    @app.get("/readyz")
    async def ready() -> None:
        """Answer."""

    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://synthetic.invalid") as client:
        assert (await client.get("/readyz")).status_code == 200
        with pytest.raises(LookupError):
            await client.get(ADDRESS, headers={TRACEPARENT: CALLER, "X-Synthetic": "Synthetic"})
    span = traced.await_name("GET /synthetic/{who}")
    assert (span.trace, span.is_failed, span.attributes) == (
        *(TRACE, True),
        {"http.request.method": "GET", "http.route": "/synthetic/{who}", "error.type": "LookupError"},
    )
    for typed in (b"Person", b"Synthetic", b"synthetic.invalid"):
        assert typed not in traced.bodies
    assert len(traced.spans) == 1


async def test_a_front_that_continues_nothing_begins_its_own_trace(traced: Collector) -> None:
    app = FastAPI()
    app.add_middleware(TracedRequests, continues=False)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://synthetic.invalid") as client:
        await client.request("FREE", "/nothing", headers={TRACEPARENT: CALLER})
    span = traced.await_name("_OTHER")
    assert span.trace != TRACE
    assert span.attributes["http.response.status_code"] == 404


def test_a_collector_that_is_away_delays_the_end_of_a_process_by_a_stated_time(collector: Collector) -> None:
    with patch.object(sdk, "LAST_EXPORT_SECONDS", 0.2), patch.object(Collector, "take", lambda *_: time.sleep(9)):
        spans.start({"service.name": "synthetic"}, 1.0)
        with tracing().request("GET", None, {}):
            pass
        begun = time.monotonic()
        spans.stop()
    assert time.monotonic() - begun < min(8.0, AT_MOST_SECONDS)
