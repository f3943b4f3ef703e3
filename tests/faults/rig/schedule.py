"""Schedules of faults: each once in a short run, or at random for a number of minutes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence, Set

from tests.faults.rig.injecting import histories, mail, poison, processes, races, servers, strangers
from tests.faults.rig.injecting.fault import FAULTS, Fault
from tests.faults.rig.rig import Rig
from tests.faults.rig.run import Injection, Schedule, Stage

HOMES = (processes, servers, mail, races, strangers, poison, histories)
TWO_CONCURRENTLY = 0.4

SHORT: tuple[tuple[tuple[str, ...], ...], ...] = (
    (
        (
            "recommendations",
            "relay_killed_after_ledger",
            "relay_killed_half_published",
            "append_without_answer",
            "same_command_id",
            "killed_after_states",
            "batches_fail",
            "rebuilt",
        ),
        (
            "meetings",
            "killed_after_effects",
            "killed_with_batch",
            "gap",
            "ended_in_mid_batch",
        ),
        (
            "nominations",
            "nominating_for_another",
            "tokens_that_do_not_hold",
            "relay_killed_after_publishing",
            "killed_after_offsets",
            "killed_after_append",
            "relay_cut_off",
            "relay_cut_off_and_killed",
            "oplog_rolled_over",
        ),
        (
            "notifications",
            "killed_after_sending",
            "smtp_down",
            "smtp_refusing",
            "smtp_answer_lost",
            "smtp_dropped_before_message",
            "smtp_slow",
            "killed_before_sending",
            "clock_back",
        ),
    ),
    (
        (
            "recommendations",
            "poisoned",
            "forged_then_named",
            "forged_then_replayed",
            "unknown_then_replayed",
            "unknown_then_restarted",
            "forged_then_dismissed",
            "forged_then_restarted",
        ),
    ),
    (("recommendations", "mongod_killed", "broker_killed", "disk_full", "restored"),),
    (
        ("recommendations", "two_relays", "stopped_writer", "two_composers"),
        ("meetings", "rebalanced_in_mid_batch", "zombie"),
        ("nominations", "killed_in_backlog", "broker_silent", "broker_slow"),
        ("notifications", "heard_again", "mongodb_cut_off"),
    ),
    (("recommendations", "rolling_restart", "broker_down"),),
)


BRIEF = frozenset(
    {
        "batches_fail",
        "broker_killed",
        "ended_in_mid_batch",
        "gap",
        "killed_after_append",
        "killed_after_sending",
        "killed_after_states",
        "mongod_killed",
        "relay_cut_off_and_killed",
        "relay_killed_after_publishing",
        "same_command_id",
    }
)
"""Faults of the brief run: one or two of each row that needs neither two instances nor a history of its own."""


def each_once(rig: Rig) -> Iterator[Stage]:
    """Yield the stages of the short run, which has every fault once; each lane of `SHORT` begins with its service."""
    yield from _stages(rig, FAULTS.keys())


def some_once(rig: Rig) -> Iterator[Stage]:
    """Yield the stages of the brief run: those of the short one, with the faults of `BRIEF` alone."""
    yield from _stages(rig, BRIEF)


def _stages(rig: Rig, chosen: Set[str]) -> Iterator[Stage]:
    for lanes in SHORT:
        stage = [[(FAULTS[name], service) for name in names if name in chosen] for service, *names in lanes]
        single = all(len(instances) == 1 for instances in rig.platform.instances.values())
        if single and any(fault.needs_two for lane in stage for fault, _ in lane):
            rig.platform.add_all()
        if any(stage):
            yield stage


def at_random(minutes: float, only: Sequence[str] = ()) -> Schedule:
    """Return a schedule of random faults, one or two at a time, each at least once if there is time."""

    def schedule(rig: Rig) -> Iterator[Stage]:
        until = time.monotonic() + 60 * minutes
        rig.platform.add_all()
        due: list[Fault] = []
        while time.monotonic() < until:
            if len(due) < 2:
                fresh = [FAULTS[name] for name in only or FAULTS]
                rig.chance.shuffle(fresh)
                due += fresh
            yield [[injection] for injection in _some(rig, due)]

    return schedule


def _some(rig: Rig, due: list[Fault]) -> list[Injection]:
    """Take the next fault, and sometimes a second one at services that the first does not touch."""
    fault = due.pop(0)
    chosen = [(fault, rig.chance.choice(fault.services))]
    if rig.chance.random() < TWO_CONCURRENTLY:
        touched = fault.touches(chosen[0][1])
        for other in due:
            free = [service for service in other.services if not other.touches(service) & touched]
            if free:
                due.remove(other)
                return [*chosen, (other, rig.chance.choice(free))]
    return chosen
