"""The closing of recommendations: withdrawn, merged, superseded, split. Policies record the other side."""

from __future__ import annotations

from services.recommendations import commands
from shared.domain.aggregate import Command
from tools.simulate.chance import day
from tools.simulate.world import Group, World


def close(world: World, group: Group, stream: str, withdrawn: float, lineage: float) -> bool:
    """Close and discard a recommendation with the given probabilities; return True if it was closed."""
    command = _withdraw(world, withdrawn) or _in_favour(world, group, lineage)
    if command is None:
        return False
    world.execute(stream, command)
    world.platform.discard(stream)
    return True


def _withdraw(world: World, share: float) -> Command | None:
    if not world.chance.happens(share):
        return None
    return commands.WithdrawRecommendation(reason="Synthetic: overtaken by events.", on=day(world.now))


def _in_favour(world: World, group: Group, share: float) -> Command | None:
    others = tuple(group.recommendations)
    if len(others) < 2 or not world.chance.happens(share):
        return None
    today, (one, two) = day(world.now), world.chance.some(others, 2)
    match world.chance.between(1, 5):
        case 1:
            return commands.SplitRecommendation(into=(one, two), on=today)
        case 2 | 3:
            return commands.MergeRecommendation(into=one, on=today, note="Synthetic: the two said the same.")
        case _:
            return commands.SupersedeRecommendation(by=one, on=today)
