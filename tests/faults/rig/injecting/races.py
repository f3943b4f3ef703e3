"""Races of two relays, two writers, two composers, and of many clients with one command id."""

from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import Any
from uuid import uuid4

from tests.faults.rig.acknowledged import Acknowledgement
from tests.faults.rig.client import Refusal
from tests.faults.rig.injecting.fault import fault
from tests.faults.rig.patience import AT_MOST
from tests.faults.rig.platform import run_concurrently
from tests.faults.rig.rig import Rig
from tests.faults.rig.work import recommending
from tests.faults.rig.work.canaries import canary
from tests.faults.rig.work.desks import Desks

SERVICE = "recommendations"
CLIENTS = 20


@fault("9", "two relays of one service, both without regard to the lease", needs_two=True)
def two_relays(rig: Rig, service: str) -> None:
    instances = rig.platform.instances[service]
    with ExitStack() as armed:
        for instance in instances:
            instance.points.disarm("led without lease")
            armed.enter_context(instance.points.armed_while("lease ignored"))
        time.sleep(20 if rig.long else 5)
    rig.expect(any(each.points.armed("led without lease") for each in instances), f"only one relay of {service} led")


@fault("10", "a writer stopped between its read and its insert, resumed after others appended", SERVICE, needs_two=True)
def stopped_writer(rig: Rig, _service: str) -> None:
    desks, world = rig.desks(), rig.load.world
    first, second = rig.platform.instances[SERVICE][:2]
    instrument = recommending.an_instrument(desks, world, shared=False)
    for if_match in (None, 6):
        first.points.arm("stopped before insert", f"instrument/{instrument}")
        with ThreadPoolExecutor(1) as pool:
            late = pool.submit(_provision, rig, first, instrument, f"late-{if_match}", if_match)
            rig.expect(first.stopped(AT_MOST), f"{first.name} did not stop before its insert")
            early = [_provision(rig, second, instrument, f"early-{if_match}-{number}") for number in range(2)]
            first.signal(signal.SIGCONT)
            _judge(rig, late, if_match, max(given.version for given in early))


def _provision(rig: Rig, at: Any, instrument: str, provision: str, if_match: int | None = None) -> Acknowledgement:
    path = f"/instruments/{instrument}/provisions"
    return rig.client(at=at).submit(
        SERVICE, path, if_match=if_match, provision=f"{instrument}/{provision}", summary="Synthetic ask"
    )


def _judge(rig: Rig, late: Future[Acknowledgement], if_match: int | None, passed: int) -> None:
    """Expect that the late writer decides again without If-Match, and is refused with it."""
    try:
        given: Acknowledgement | None = late.result(AT_MOST)
    except Refusal as refusal:
        given = None
        rig.expect(refusal.rule == "VersionConflict", f"the late writer was refused with {refusal}")
    rig.expect((given is None) == (if_match is not None), "If-Match did not decide whether a late writer is refused")
    rig.expect(given is None or given.version > passed, "a late writer got a version of another writer")


@fault("10", "two instances composing one trace while it is cited and its instrument changes", SERVICE, needs_two=True)
def two_composers(rig: Rig, _service: str) -> None:
    desks, world = rig.desks(), rig.load.world
    references = [recommending.a_draft(desks, world) for _ in range(4)]
    with ExitStack() as armed:
        for instance in rig.platform.instances[SERVICE]:
            armed.enter_context(instance.points.armed_while("composing slowly"))
        for _ in range(8 if rig.long else 4):
            _cite_while_superseded(rig, desks, references)
            time.sleep(0.7)


def _cite_while_superseded(rig: Rig, desks: Desks, references: list[str]) -> None:
    """Cite an instrument in several recommendations, and supersede it concurrently."""
    own, later = (recommending.an_instrument(desks, rig.load.world, shared=False) for _ in range(2))
    start = threading.Barrier(len(references) + 1)

    def send(path: str, body: dict[str, str]) -> None:
        client = rig.client()
        start.wait(AT_MOST)
        client.send(SERVICE, path, **body)

    cited = {"instrument": own, "provision": f"{own}/a"}
    cite = [partial(send, f"/recommendations/{reference}/cite", cited) for reference in references]
    run_concurrently([*cite, partial(send, f"/instruments/{own}/supersede", {"by": later})])


@fault("15", "the same command id concurrently from 20 clients, across a crash, and with another body")
def same_command_id(rig: Rig, service: str) -> None:
    key, command_id = rig.load.world.key("same"), str(uuid4())
    path, body, _ = canary(service, key)
    given: list[Acknowledgement] = []
    start = threading.Barrier(CLIENTS + 1)

    def submit() -> None:
        client = rig.client()
        start.wait(AT_MOST)
        given.append(client.submit(service, path, command_id=command_id, **body))

    def crash() -> None:
        instance = rig.chance.choice(rig.platform.instances[service])
        start.wait(AT_MOST)
        time.sleep(rig.chance.uniform(0, 0.08))
        instance.kill()
        rig.restart(instance)

    run_concurrently([submit] * CLIENTS + [crash])
    answers = {(one.stream, one.version, one.events) for one in given}
    rig.expect(len(given) == CLIENTS, f"only {len(given)} of {CLIENTS} clients were acknowledged")
    rig.expect(len(answers) == 1, f"one command id was answered in different ways: {answers}")
    rig.expect(_rule(rig, service, path, command_id, body) == "CommandIdReused", "another body was not refused")


def _rule(rig: Rig, service: str, path: str, command_id: str, body: dict[str, Any]) -> str:
    try:
        rig.client().submit(service, path, command_id=command_id, **body, note="Synthetic: another body")
    except Refusal as refusal:
        return refusal.rule
    return "acknowledged"
