"""Records that no service stored: poison of each kind, forgeries delivered first, gaps; and batches that fail."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace

from shared.events.canonical import sha256_hex
from tests.faults.rig.forging import Record, forgery, poisons, signed
from tests.faults.rig.injecting.fault import fault
from tests.faults.rig.injecting.servers import is_producer
from tests.faults.rig.injecting.stream import Stream
from tests.faults.rig.rig import Rig
from tests.faults.rig.work import convening

SERVICE = "recommendations"


@fault(
    "11",
    "poison of every kind: dead letters, its stream stalled, others current, until its next event comes",
    SERVICE,
    touches_consumers=True,
)
def poisoned(rig: Rig, _service: str) -> None:
    stream = Stream.begun(rig)
    stream.put(*poisons(stream.last_bytes(), stream.signer))
    stream.everywhere(stream.has_dead_letters, "did not make each poison a dead letter for its reason")
    stream.everywhere(stream.is_stalled, "does not show it as stalled")
    Stream.begun(rig)
    stream.append()
    stream.expect_recovery()


def _disputed(rig: Rig) -> Stream:
    """Publish a forgery, then the true event: both become dead letters, the stream stalls, and others do not."""
    stream = Stream.begun(rig)
    true = stream.last_bytes()
    stream.put(replace(forgery(true, sha256_hex(true), stream.signer), reason="conflicting_bytes"))
    stream.everywhere(stream.is_at(4), "does not consume the forgery")
    stream.append()
    stream.everywhere(stream.has_dead_letters, "does not make the forgery a dead letter")
    stream.everywhere(stream.is_stalled, "does not show it as stalled")
    Stream.begun(rig)
    return stream


@fault("11", "a forgery delivered first: the next true event names the true one", SERVICE, touches_consumers=True)
def forged_then_named(rig: Rig, _service: str) -> None:
    stream = _disputed(rig)
    stream.append()
    stream.expect_recovery()


@fault("11", "a forgery delivered first: an operator replays the true one", SERVICE, touches_consumers=True)
def forged_then_replayed(rig: Rig, _service: str) -> None:
    stream = _disputed(rig)
    for service in stream.consumers:
        with rig.database(service) as database:
            true = database["dead_letters"].find_one({"stream": stream.name, "_id": {"$nin": [*stream.dead_letters]}})
        rig.expect(true is not None, f"{service} has no dead letter of the true event")
        if true is not None:
            stream.decide(service, true["_id"], "replay")
    stream.everywhere(stream.is_current, "does not apply the operator's replay")
    stream.append()
    stream.expect_recovery()


@fault("11", "an event that older code does not know: newer code replays it", SERVICE, touches_consumers=True)
def unknown_then_replayed(rig: Rig, _service: str) -> None:
    stream = Stream.begun(rig)
    with ExitStack() as armed:
        for instance in [each for consumer in stream.consumers for each in rig.platform.instances[consumer]]:
            armed.enter_context(instance.points.armed_while("older code", stream.name))
        stream.append()
        stream.everywhere(stream.is_stalled, "does not show it as stalled")
    for service in stream.consumers:
        with rig.database(service) as database:
            dead_letter = database["dead_letters"].find_one({"stream": stream.name, "reason": "unknown_type"})
        rig.expect(dead_letter is not None, f"{service} has no dead letter of the unknown event")
        if dead_letter is not None:
            stream.decide(service, dead_letter["_id"], "replay")
    stream.everywhere(stream.is_current, "does not apply the event that it now knows")
    stream.append()
    stream.expect_recovery()


@fault(
    "11", "an event that older code does not know: newer code takes it at its start", SERVICE, touches_consumers=True
)
def unknown_then_restarted(rig: Rig, _service: str) -> None:
    stream = Stream.begun(rig)
    instances = [each for consumer in stream.consumers for each in rig.platform.instances[consumer]]
    with ExitStack() as armed:
        for instance in instances:
            armed.enter_context(instance.points.armed_while("older code", stream.name))
        stream.append()
        stream.everywhere(stream.is_stalled, "does not show it as stalled")
    for instance in instances:
        instance.kill()
        rig.restart(instance)
    stream.everywhere(stream.is_current, "does not take the event that it now knows")
    stream.append()
    stream.expect_recovery()


@fault(
    "11",
    "a forgery delivered first that does not continue its stream: an operator dismisses it",
    SERVICE,
    touches_consumers=True,
)
def forged_then_dismissed(rig: Rig, _service: str) -> None:
    stream = Stream.begun(rig)
    stream.put(replace(forgery(stream.last_bytes(), "f" * 64, stream.signer), reason="broken_chain"))
    stream.everywhere(stream.has_dead_letters, "does not report its broken chain")
    stream.everywhere(stream.is_stalled, "does not show it as stalled")
    for service in stream.consumers:
        stream.dismiss_all(service)
    stream.everywhere(stream.is_current, "shows it as stalled after the forgery was dismissed")
    stream.append()
    stream.expect_recovery()


@fault(
    "11",
    "a forgery delivered first, and the service restarted before the true event comes",
    SERVICE,
    touches_consumers=True,
)
def forged_then_restarted(rig: Rig, service: str) -> None:
    stream = Stream.begun(rig)
    true = stream.last_bytes()
    stream.put(forgery(true, sha256_hex(true), stream.signer))
    instance = rig.platform.first(service)
    instance.kill()
    rig.restart(instance)
    stream.append()
    stream.append()
    stream.expect_recovery()


@fault(
    "10",
    "a gap in a stream's versions: the stream is stalled until the missing one comes",
    "meetings",
    touches_consumers=True,
)
def gap(rig: Rig, service: str) -> None:
    stream = Stream(rig, service, f"meeting/{convening.a_meeting_half_confirmed(rig.desks(), rig.load.world)}")
    stream.everywhere(stream.is_current, "does not show it")
    with rig.load.held_back():
        rig.await_that(stream.is_all_published, f"{service} did not publish all stored events")
        with rig.platform.kafka[service].shut(is_producer):
            rig.client("chair").send(service, f"/meetings/{stream.name.partition('/')[2]}/confirm")
            position, raw = stream.position(4), stream.last_bytes()
            if position is not None:
                stream.put(Record(raw, signed(raw, stream.signer, position), stream.name.encode()))
                stream.everywhere(stream.is_stalled, "does not show it as stalled")
    stream.everywhere(stream.is_current, "still shows it as stalled")


@fault("12", "batches fail before and after their effects, good ones following bad ones")
def batches_fail(rig: Rig, service: str) -> None:
    instances = rig.platform.instances[service]
    with ExitStack() as armed:
        for instance in instances:
            instance.points.disarm("batch failed")
            armed.enter_context(instance.points.armed_while("batches fail"))
        time.sleep(20 if rig.long else 6)
        rig.await_that(lambda: any(each.points.armed("batch failed") for each in instances),
                       f"no batch of {service} failed")  # fmt: skip
