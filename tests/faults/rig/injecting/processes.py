"""Services killed, stopped and restarted, at each step of their work."""

from __future__ import annotations

import signal
import time
from functools import partial

from tests.faults.rig.injecting.fault import fault
from tests.faults.rig.injecting.mail import delete_consumed
from tests.faults.rig.instance import Instance
from tests.faults.rig.platform import run_concurrently
from tests.faults.rig.rig import Rig

PAST_THE_SESSION_TIMEOUT = 12.0
PAST_EVERY_GRACE = 45.0


@fault("1", "relay killed between storing ledger entries and publishing")
def relay_killed_after_ledger(rig: Rig, service: str) -> None:
    rig.broken_at(service, "ledger stored")


@fault("1", "relay killed when half of a batch was published", "recommendations", "notifications", "meetings")
def relay_killed_half_published(rig: Rig, service: str) -> None:
    rig.broken_at(service, "half published")


@fault("1", "relay killed between publishing and raising its published position")
def relay_killed_after_publishing(rig: Rig, service: str) -> None:
    rig.broken_at(service, "published")


@fault("2", "service killed with a batch in memory, of which nothing is stored")
def killed_with_batch(rig: Rig, service: str) -> None:
    rig.broken_at(service, "batch in hand")


@fault("2", "service killed in a backlog, with many records consumed and not flushed")
def killed_in_backlog(rig: Rig, service: str) -> None:
    instances = rig.platform.instances[service]
    delete_consumed(rig, service)
    for instance in instances:
        instance.start()
    rig.broken_at(service, "consumed, not flushed")
    for instance in instances:
        instance.await_ready()


@fault("2", "service killed between storing states and composing or running policies")
def killed_after_states(rig: Rig, service: str) -> None:
    rig.broken_at(service, "states stored")


@fault("2", "service killed between writing its read model and acknowledging the batch")
def killed_after_effects(rig: Rig, service: str) -> None:
    rig.broken_at(service, "effects stored")


@fault("2", "service killed between storing its offsets and committing them to Kafka")
def killed_after_offsets(rig: Rig, service: str) -> None:
    rig.broken_at(service, "offsets stored")


@fault("3", "SIGTERM while a handler runs past the graceful timeout")
def ended_in_mid_batch(rig: Rig, service: str) -> None:
    instance = rig.chance.choice(rig.platform.instances[service])
    instance.points.disarm("handler is running")
    with instance.points.armed_while("handler runs long"):
        rig.await_that(partial(instance.points.armed, "handler is running"), f"{instance.name} had no batch")
        code = instance.end(PAST_EVERY_GRACE)
    rig.expect(code != -signal.SIGKILL, f"{instance.name} did not end within {PAST_EVERY_GRACE:.0f} s of SIGTERM")
    rig.restart(instance)


@fault("4", "SIGSTOP past the Kafka session timeout, then SIGCONT (a zombie)", needs_two=True)
def zombie(rig: Rig, service: str) -> None:
    instance = rig.chance.choice(rig.platform.instances[service])
    instance.signal(signal.SIGSTOP)
    time.sleep(PAST_THE_SESSION_TIMEOUT)
    instance.signal(signal.SIGCONT)


@fault("5", "another instance joins and leaves in mid-batch (rebalances)")
def rebalanced_in_mid_batch(rig: Rig, service: str) -> None:
    for instance in rig.platform.instances[service]:
        instance.points.arm("handled slowly")
    newcomer = rig.platform.add(service)
    newcomer.await_ready()
    time.sleep(2)
    newcomer.kill() if rig.chance.random() < 0.5 else newcomer.end()
    rig.platform.instances[service].remove(newcomer)
    for instance in rig.platform.instances[service]:
        instance.points.disarm("handled slowly")


@fault("5", "rolling restart of two instances of each service", touches_all=True, needs_two=True)
def rolling_restart(rig: Rig, _service: str) -> None:
    for number in (0, 1):
        run_concurrently([partial(_restart, instances[number]) for instances in rig.platform.instances.values()])


def _restart(instance: Instance) -> None:
    instance.end()
    instance.restart()
