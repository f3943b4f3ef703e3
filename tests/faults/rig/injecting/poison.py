"""Records that nobody stored: poison of every kind, forgeries that come first, gaps; and batches that fail."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace

from shared.events.canonical import sha256_hex
from tests.faults.rig.forging import Record, forgery, poisons, with_leaf
from tests.faults.rig.injecting.fault import fault
from tests.faults.rig.injecting.servers import is_producer
from tests.faults.rig.injecting.stream import Stream
from tests.faults.rig.rig import Rig
from tests.faults.rig.work import convening

SERVICE = "recommendations"


@fault(
    "11",
    "poison of every kind: set aside, its stream stalled, others current, until its next event comes",
    SERVICE,
    touches_hearers=True,
)
def poisoned(rig: Rig, _service: str) -> None:
    stream = Stream.begun(rig)
    stream.put(*poisons(stream.last_bytes()))
    stream.everywhere(stream.is_set_aside, "did not set every poison aside for its reason")
    stream.everywhere(stream.is_stalled, "does not show it as stalled")
    Stream.begun(rig)
    stream.goes_on()
    stream.ends_well()


def _disputed(rig: Rig) -> Stream:
    """Have a forgery arrive first, then the true event; both are set aside, the stream stands still, others do not."""
    stream = Stream.begun(rig)
    true = stream.last_bytes()
    stream.put(replace(forgery(true, sha256_hex(true)), reason="conflicting_bytes"))
    stream.everywhere(stream.is_at(4), "does not hear the forgery")
    stream.goes_on()
    stream.everywhere(stream.is_set_aside, "does not set the forgery aside")
    stream.everywhere(stream.is_stalled, "does not show it as stalled")
    Stream.begun(rig)
    return stream


@fault("11", "a forged first arrival: the next true event names the true one", SERVICE, touches_hearers=True)
def forged_then_named(rig: Rig, _service: str) -> None:
    stream = _disputed(rig)
    stream.goes_on()
    stream.ends_well()


@fault("11", "a forged first arrival: an operator replays the true one", SERVICE, touches_hearers=True)
def forged_then_replayed(rig: Rig, _service: str) -> None:
    stream = _disputed(rig)
    for service in stream.hearers:
        with rig.database(service) as database:
            true = database["dead_letters"].find_one({"stream": stream.name, "_id": {"$nin": [*stream.letters]}})
        rig.expect(true is not None, f"{service} did not keep the true event beside the forged one")
        if true is not None:
            stream.decide(service, true["_id"], "replay")
    stream.everywhere(stream.is_current, "does not take the operator's word")
    stream.goes_on()
    stream.ends_well()


@fault("11", "an event that older code does not know: newer code replays it", SERVICE, touches_hearers=True)
def unknown_then_replayed(rig: Rig, _service: str) -> None:
    stream = Stream.begun(rig)
    with ExitStack() as armed:
        for instance in [each for hearer in stream.hearers for each in rig.platform.instances[hearer]]:
            armed.enter_context(instance.points.armed_while("older code", stream.name))
        stream.goes_on()
        stream.everywhere(stream.is_stalled, "does not show it as stalled")
    for service in stream.hearers:
        with rig.database(service) as database:
            letter = database["dead_letters"].find_one({"stream": stream.name, "reason": "unknown_type"})
        rig.expect(letter is not None, f"{service} did not keep what it did not know")
        if letter is not None:
            stream.decide(service, letter["_id"], "replay")
    stream.everywhere(stream.is_current, "does not take what it knows now")
    stream.goes_on()
    stream.ends_well()


@fault(
    "11",
    "a forged first arrival that does not continue its stream: an operator dismisses it",
    SERVICE,
    touches_hearers=True,
)
def forged_then_dismissed(rig: Rig, _service: str) -> None:
    stream = Stream.begun(rig)
    stream.put(replace(forgery(stream.last_bytes(), "f" * 64), reason="broken_chain"))
    stream.everywhere(stream.is_set_aside, "does not see that its chain is broken")
    stream.everywhere(stream.is_stalled, "does not show it as stalled")
    for service in stream.hearers:
        stream.dismiss_all(service)
    stream.everywhere(stream.is_current, "shows it as stalled after the forgery was dismissed")
    stream.goes_on()
    stream.ends_well()


@fault(
    "11", "a forged first arrival, and the service restarted before the true event comes", SERVICE, touches_hearers=True
)
def forged_then_restarted(rig: Rig, service: str) -> None:
    stream = Stream.begun(rig)
    true = stream.last_bytes()
    stream.put(forgery(true, sha256_hex(true)))
    instance = rig.platform.first(service)
    instance.kill()
    rig.restart(instance)
    stream.goes_on()
    stream.goes_on()
    stream.ends_well()


@fault(
    "10",
    "a gap in a stream's versions: it waits, visibly, until the missing one comes",
    "meetings",
    touches_hearers=True,
)
def gap(rig: Rig, service: str) -> None:
    stream = Stream(rig, service, f"meeting/{convening.a_meeting_half_confirmed(rig.desks(), rig.load.world)}")
    stream.everywhere(stream.is_current, "does not hear of it")
    with rig.load.held_back():
        rig.await_that(stream.is_all_published, f"{service} did not publish what it had stored")
        with rig.platform.kafka[service].shut(is_producer):
            rig.client("chair").send(service, f"/meetings/{stream.name.partition('/')[2]}/confirm")
            position, raw = stream.position(4), stream.last_bytes()
            if position is not None:
                stream.put(Record(raw, with_leaf(raw, position), stream.name.encode()))
                stream.everywhere(stream.is_stalled, "does not show that it waits")
    stream.everywhere(stream.is_current, "still waits")


@fault("12", "batches fail before and after their effects, good ones following bad ones")
def batches_fail(rig: Rig, service: str) -> None:
    instances = rig.platform.instances[service]
    with ExitStack() as armed:
        for instance in instances:
            instance.points.disarm("batch failed")
            armed.enter_context(instance.points.armed_while("batches fail"))
        time.sleep(20 if rig.long else 6)
    rig.expect(any(each.points.armed("batch failed") for each in instances), f"no batch of {service} failed")
