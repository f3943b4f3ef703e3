"""The servers killed, down, cut off or slow."""

from __future__ import annotations

import time
from functools import partial

from tests.faults.rig.injecting.fault import fault
from tests.faults.rig.instance import Instance
from tests.faults.rig.platform import run_concurrently
from tests.faults.rig.proxy import Proxy
from tests.faults.rig.rig import Rig

SAYS_NO_WITHIN = 30.0
_INSERT_OF_COMMIT = b"\x02insert\x00\x08\x00\x00\x00commits\x00"


@fault("6", "the broker killed and restarted", touches_all=True)
def broker_killed(rig: Rig, _service: str) -> None:
    rig.platform.stack.kill("kafka")
    rig.platform.stack.start_one("kafka")


@fault("6", "the broker down for long: everything recovers, or /readyz says no and a restart heals", touches_all=True)
def broker_down(rig: Rig, _service: str) -> None:
    platform = rig.platform
    platform.stack.kill("kafka")
    began, down = time.monotonic(), 60.0 if rig.long else platform.not_ready_after + 4
    said_no: dict[str, float] = {}
    while time.monotonic() < began + down:
        for instance in [each for each in platform.every() if each.name not in said_no]:
            if not instance.ready():
                said_no[instance.name] = time.monotonic() - began
        time.sleep(0.5)
    said_yes = sorted({instance.name for instance in platform.every()} - said_no.keys())
    rig.expect(not said_yes, f"the broker was down for {down:.0f} s, and these were ready: {said_yes}")
    rig.expect(
        max(said_no.values(), default=0) < SAYS_NO_WITHIN, f"/readyz said no only after these seconds: {said_no}"
    )
    platform.stack.start_one("kafka")
    unrecovered = _not_ready_after(rig, 30)
    if unrecovered:
        names = ", ".join(each.name for each in unrecovered)
        rig.say(f"      did not recover, said so by /readyz, and were restarted: {names}")
        run_concurrently([partial(_restart, each) for each in unrecovered])


def _restart(instance: Instance) -> None:
    instance.end()
    instance.restart()


def _not_ready_after(rig: Rig, seconds: float) -> list[Instance]:
    until = time.monotonic() + seconds
    while (unrecovered := [each for each in rig.platform.every() if not each.ready()]) and time.monotonic() < until:
        time.sleep(0.5)
    return unrecovered


@fault("7", "mongod killed under load", touches_all=True)
def mongod_killed(rig: Rig, _service: str) -> None:
    rig.platform.stack.kill("mongodb")
    rig.platform.stack.start_one("mongodb")


@fault("7", "an append whose answer is lost")
def append_without_answer(rig: Rig, service: str) -> None:
    proxy = rig.platform.mongodb[service]
    with proxy.losing_answers(lambda request: _INSERT_OF_COMMIT in request):
        rig.await_that(lambda: proxy.lost_answers >= 6, f"{service} lost only {proxy.lost_answers} answers")


@fault("7", "a service killed after its append, before it answers")
def killed_after_append(rig: Rig, service: str) -> None:
    rig.broken_at(service, "killed after insert")


@fault("8", "relay and broker cut off from each other, connections refused")
def relay_cut_off(rig: Rig, service: str) -> None:
    with rig.platform.kafka[service].shut(is_producer):
        time.sleep(20 if rig.long else 5)


@fault("8", "relay cut off from the broker, and killed with events that it could not publish")
def relay_cut_off_and_killed(rig: Rig, service: str) -> None:
    instances = rig.platform.instances[service]
    with rig.platform.kafka[service].shut(is_producer):
        time.sleep(2)
        for instance in instances:
            instance.kill()
    rig.restart(*instances)


@fault("8", "service and broker cut off from each other, connections silent")
def broker_silent(rig: Rig, service: str) -> None:
    with rig.platform.kafka[service].jammed():
        time.sleep(25 if rig.long else 8)


@fault("8", "the broker's answers delayed")
def broker_slow(rig: Rig, service: str) -> None:
    with rig.platform.kafka[service].slow(1.5):
        time.sleep(20 if rig.long else 6)


@fault("8", "service and MongoDB cut off from each other, then silent")
def mongodb_cut_off(rig: Rig, service: str) -> None:
    proxy: Proxy = rig.platform.mongodb[service]
    for cut in (proxy.shut, proxy.jammed):
        with cut():
            time.sleep(10 if rig.long else 3)


def is_producer(client: str) -> bool:
    """Tell whether a connection is a producer's, and so the relay's."""
    return client.startswith("aiokafka-producer")
