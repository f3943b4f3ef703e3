"""A click in the console, on the real services: one trace, from the request to the trace document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack

import httpx2
import pytest
from pymongo import MongoClient

from services.recommendations.trace import trace_bytes
from shared.tracing import spans
from tests.cli.terminal import throughline
from tests.console.conftest import Console, a_console
from tests.console.rendered import parsed, text_of
from tests.console.test_recommendation_pages import SERVICE, a_draft, await_version
from tests.http.asking import Caller
from tests.patience import until
from tests.tracing.receiver import Collector, SeenSpan, collecting
from tools.deployment import grants
from tools.local.stack import Stack

pytestmark = [pytest.mark.servers, pytest.mark.drill]
TITLE, REASON = "Synthetic title, put right", "Synthetic reason"


@pytest.fixture(scope="module")
def collector(stack: Stack) -> Iterator[Collector]:
    """A collector of the recommendations service, which samples nothing itself, and of a console that samples all."""
    with ExitStack() as held, pytest.MonkeyPatch.context() as environment:
        running = held.enter_context(collecting())
        environment.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", running.address)
        environment.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        environment.setenv("OTEL_TRACES_SAMPLER_ARG", "0")
        environment.setenv("NO_PROXY", "127.0.0.1")
        environment.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
        spans.start({"service.name": "throughline-console"}, 1.0)
        held.callback(spans.stop)
        stack.stop_one(SERVICE)
        stack.start_one(SERVICE)
        yield running
    stack.stop_one(SERVICE)
    stack.start_one(SERVICE)


@pytest.fixture(scope="module")
def traced_console(stack: Stack, collector: Collector) -> Iterator[Console]:
    """A console that began while tracing was on."""
    with a_console(stack) as console:
        yield console


@pytest.fixture
def secretariat(stack: Stack) -> Iterator[Caller]:
    with httpx2.Client(timeout=60, trust_env=False) as client:
        yield Caller(stack, client)


def stored(stack: Stack) -> dict[str, bytes]:
    """Return the compared bytes of each stored trace."""
    with MongoClient(stack.mongodb_admin_uri) as client:
        return {trace["_id"]: trace_bytes(trace) for trace in client[grants.database(SERVICE)].traces.find()}


def chain(seen: list[SeenSpan], name: str) -> list[tuple[str, str]]:
    """Return service and name of each span from the first one to the named one."""
    by_id = {span.id: span for span in seen}
    at: SeenSpan | None = next(span for span in seen if span.name == name)
    above = []
    while at is not None:
        above.append((at.service.removeprefix("throughline-"), at.name))
        at = by_id.get(at.parent)
    return above[::-1]


def test_a_click_is_one_trace_that_reaches_the_trace_document(
    stack: Stack, collector: Collector, traced_console: Console, secretariat: Caller
) -> None:
    reference = a_draft(secretariat)
    assert not collector.named("compose traces"), "the draft was not sampled"
    office, address = traced_console.reader(), f"/recommendations/{reference}/do/correct"
    preview = office.send(office.page(f"{address}?version=1"), {"data.title": TITLE, "reason": REASON}, address)
    done = office.send(parsed(preview.text), {}, address, "record")
    assert "Recorded: Correct." in text_of(parsed(done.text)), done.text
    await_version(secretariat, reference, 2)

    composed = collector.await_name("compose traces")
    sent = collector.await_name(f"send throughline.{SERVICE}")
    [append] = collector.named(f"append throughline.{SERVICE}")
    until(lambda: len([span for span in collector.of(composed.trace) if span.service.endswith("console")]) > 2)
    seen = collector.of(composed.trace)
    assert chain(seen, "compose traces") == [
        ("console", f"POST {traced_route(seen)}"),
        ("console", f"POST {SERVICE}"),
        (SERVICE, "POST /recommendations/{committee}/{year}/{number}/correct"),
        (SERVICE, "command CorrectRecord"),
        (SERVICE, f"append throughline.{SERVICE}"),
        (SERVICE, f"process throughline.{SERVICE}"),
        (SERVICE, "compose traces"),
    ]
    assert composed.attributes == {"throughline.traces": 1}
    assert (sent.links, append.trace) == ((append.id,), composed.trace)

    with MongoClient(stack.mongodb_admin_uri) as client:
        draft, corrected = client[grants.database(SERVICE)].commits.find({"_id.s": f"recommendation/{reference}"})
    assert "trace" not in draft
    assert corrected["trace"].split("-")[1] == composed.trace
    assert composed.trace.encode() not in b"".join([*draft["events"], *corrected["events"]])
    logged = (stack.home / "logs" / f"{SERVICE}.log").read_text().splitlines()
    lines = [json.loads(line) for line in logged if composed.trace in line]
    assert {line["trace_id"] for line in lines} == {composed.trace}
    assert "command_accepted" in {line["event"] for line in lines}


def traced_route(seen: list[SeenSpan]) -> str:
    """Return the console's route that the click went to."""
    return next(str(span.attributes["http.route"]) for span in seen if span.parent == "")


def test_no_span_holds_what_somebody_typed_or_who_they_are(
    collector: Collector, traced_console: Console, secretariat: Caller
) -> None:
    reference = a_draft(secretariat, title="Synthetic word-in-a-title")
    traced_console.reader().get(f"/search?q=SyntheticName&reference={reference}")
    traced_console.reader(role="focal_point", member="FJI").get("/recommendations?theme=SyntheticTheme")
    collector.await_name("GET /search")
    spans.tracing().shut_down()
    for word in ("SyntheticName", "SyntheticTheme", TITLE, REASON, reference, secretariat.actor, "word-in-a-title"):
        assert word.encode() not in collector.bodies, word
    assert collector.paths == {"/v1/traces"}
    assert {span.scope for span in collector.spans} == {"throughline"}


def test_with_tracing_on_live_traces_equal_those_rebuilt_and_replayed(
    stack: Stack, collector: Collector, secretariat: Caller
) -> None:
    reference = a_draft(secretariat)
    before = stored(stack)
    assert reference in before
    with httpx2.Client(timeout=60, trust_env=False) as client:
        assert Caller(stack, client, "operator").post(SERVICE, "/operations/rebuild").status_code == 200
    assert stored(stack) == before
    replayed = throughline(stack, "replay", "--compare")
    assert replayed.exit_code == 0, replayed.output
