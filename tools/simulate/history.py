"""The history: the commits of all lifecycles in the order of time."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush

from tools.simulate.commits import SimulatedCommit
from tools.simulate.convening import quarters
from tools.simulate.nominating import calls
from tools.simulate.notifying import sending, subscribers
from tools.simulate.recommending import recommendations
from tools.simulate.registering import priorities, programme, register, sessions
from tools.simulate.world import Group, Lifecycle, World

EVENTS_OF_A_GROUP_IN_TEN_YEARS = 3_600
MOST_GROUPS = 28


def history(events: int, seed: int) -> Iterator[SimulatedCommit]:
    """Yield commits in a plausible order until they hold `events` events; deterministic in its arguments.

    Up to 100,000 events a longer history has more groups, beyond that more years.
    """
    groups = max(1, min(MOST_GROUPS, events // EVENTS_OF_A_GROUP_IN_TEN_YEARS))
    count = 0
    for commit in commits_of(World(seed, groups)):
        yield commit
        count += len(commit.raws)
        if count >= events:
            return


def commits_of(world: World) -> Iterator[SimulatedCommit]:
    """Yield the commits of all lifecycles in a world, without end."""
    world.start(subscribers(world))
    world.start(sessions(world))
    world.start(register(world, yearly=2 + len(world.groups)))
    for group in world.groups:
        _begin_group(world, group)
    due: list[tuple[int, int, Lifecycle]] = []
    for step in _count_steps(due, world):
        at, _, lifecycle = heappop(due)
        world.now = at
        following = next(lifecycle, None)
        if following is not None:
            heappush(due, (max(following, at), step, lifecycle))
        for commit in world.platform.take_commits():
            yield commit
            if commit.first == 1 and commit.stream.startswith("notification/"):
                world.start(sending(world, commit.stream))


def _begin_group(world: World, group: Group) -> None:
    for lifecycle in (calls, quarters, priorities, programme, recommendations):
        world.start(lifecycle(world, group))


def _count_steps(due: list[tuple[int, int, Lifecycle]], world: World) -> Iterator[int]:
    """Schedule started lifecycles, and count steps while any lifecycle is due."""
    step = 0
    while True:
        for at, lifecycle in world.started:
            step += 1
            heappush(due, (at, step, lifecycle))
        world.started.clear()
        if not due:
            return
        step += 1
        yield step
