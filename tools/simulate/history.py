"""A history: all the lives, in the order of time."""

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
    """Yield commits in a plausible order until they hold so many events; the same for the same arguments.

    Up to 100,000 events it is a matter of more groups, beyond that of more years.
    """
    groups = max(1, min(MOST_GROUPS, events // EVENTS_OF_A_GROUP_IN_TEN_YEARS))
    made = 0
    for commit in commits_of(World(seed, groups)):
        yield commit
        made += len(commit.raws)
        if made >= events:
            return


def commits_of(world: World) -> Iterator[SimulatedCommit]:
    """Yield what comes of all the lives in a world, without end."""
    world.start(subscribers(world))
    world.start(sessions(world))
    world.start(register(world, yearly=2 + len(world.groups)))
    for group in world.groups:
        _begin_group(world, group)
    due: list[tuple[int, int, Lifecycle]] = []
    for step in _counted(due, world):
        at, _, life = heappop(due)
        world.now = at
        following = next(life, None)
        if following is not None:
            heappush(due, (max(following, at), step, life))
        for commit in world.platform.take_commits():
            yield commit
            if commit.first == 1 and commit.stream.startswith("notification/"):
                world.start(sending(world, commit.stream))


def _begin_group(world: World, group: Group) -> None:
    for life in (calls, quarters, priorities, programme, recommendations):
        world.start(life(world, group))


def _counted(due: list[tuple[int, int, Lifecycle]], world: World) -> Iterator[int]:
    """Take up what was begun, and count steps for as long as anything is due."""
    step = 0
    while True:
        for at, life in world.started:
            step += 1
            heappush(due, (at, step, life))
        world.started.clear()
        if not due:
            return
        step += 1
        yield step
