"""The probes of supervisors while the broker is away or hangs: commands and queries go on, and no process ends."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.faults.losing import troubles
from tests.http.asking import Caller, accepted, meeting, new_id
from tests.patience import AT_MOST_SECONDS, until
from tools.local.stack import ALL_FOUR, Stack, temporary

pytestmark = [pytest.mark.servers, pytest.mark.drill]
HUNG_AFTER = 30.0
AWAY_SECONDS = 2.5 * HUNG_AFTER


@pytest.fixture(scope="module")
def running() -> Iterator[Stack]:
    """A platform whose processes count a loop as hung after a part of the time that the broker is away."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("THROUGHLINE_HUNG_AFTER", str(HUNG_AFTER))
        with temporary(say=lambda _: None) as stack:
            yield stack


def processes(stack: Stack) -> dict[str, int]:
    return {service: stack._child(service).process.pid for service in ALL_FOUR}


def killed(stack: Stack) -> Callable[[], None]:
    stack.kill("kafka")
    return partial(stack.start_one, "kafka")


def stopped(stack: Stack) -> Callable[[], None]:
    stack.kill("kafka", signal.SIGSTOP)
    return partial(stack.kill, "kafka", signal.SIGCONT)


@pytest.mark.parametrize("away", [killed, stopped])
def test_without_a_broker_commands_and_queries_go_on_and_no_process_ends(
    running: Stack, away: Callable[[Stack], Callable[[], None]]
) -> None:
    with httpx2.Client(timeout=AT_MOST_SECONDS, trust_env=False) as client:
        asking, before = Caller(running, client), processes(running)
        come_back = away(running)
        end, taken = time.monotonic() + AWAY_SECONDS, []
        while time.monotonic() < end:
            taken.append(new_id("meeting"))
            accepted(asking.post("meetings", "/meetings", meeting(taken[-1])))
            assert asking.get("recommendations", "/recommendations").status_code == 200
            for service, url in running.urls.items():
                answers = {path: client.get(url + path) for path in ("/servez", "/livez")}
                assert {path: answer.status_code for path, answer in answers.items()} == {
                    "/servez": 200,
                    "/livez": 200,
                }, (
                    service,
                    {path: answer.text for path, answer in answers.items()},
                )
            time.sleep(1)
        assert processes(running) == before
        assert all(running._child(service).running() for service in ALL_FOUR)
        assert age(client, running) > AWAY_SECONDS / 2
        assert [service for service in ALL_FOUR if not says_that_kafka_is_away(client, running, service)] == []
        come_back()
        until(lambda: not troubles(running))
        assert [service for service in ALL_FOUR if says_that_kafka_is_away(client, running, service)] == []
        until(lambda: age(client, running) == 0.0)
        until(lambda: taken[-1] in str(asking.get("meetings", f"/meetings/{taken[-1]}").json()))
        assert processes(running) == before


def says_that_kafka_is_away(client: httpx2.Client, stack: Stack, service: str) -> bool:
    """Return what ThroughlineKafkaAway asks of the metrics."""
    loops = {
        (sample.name, sample.labels["loop"]): sample.value
        for family in text_string_to_metric_families(client.get(f"{stack.urls[service]}/metrics").text)
        for sample in family.samples
        if "loop" in sample.labels
    }
    in_trouble, silent = loops["throughline_loop_trouble", "topic"], loops["throughline_loop_silent_seconds", "relay"]
    return in_trouble == 1 and 10 < silent < math.inf


def age(client: httpx2.Client, stack: Stack) -> float:
    lines = client.get(f"{stack.urls['meetings']}/metrics").text.splitlines()
    (line,) = (line for line in lines if line.startswith("throughline_unpublished_age_seconds{"))
    return float(line.rpartition(" ")[2])
