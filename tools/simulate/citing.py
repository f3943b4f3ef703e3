"""Citations of provisions, and their review after a supersession."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from services.recommendations import commands
from services.recommendations.domain.citations import Citation
from services.recommendations.domain.mandate import unanswered_supersessions, was_live
from tools.simulate.chance import day
from tools.simulate.world import World


def cite(world: World, stream: str, named: Iterable[tuple[str, str]]) -> None:
    """Cite provisions that are not cited yet."""
    for instrument, provision in named:
        if world.platform.state(stream).citation_of(instrument, provision) is None:
            citation = commands.CiteMandate(
                instrument=instrument, provision=provision, on=day(world.now),
                status=world.chance.pick(("verified", "inferred")),
            )  # fmt: skip
            world.execute(stream, citation)


def review_citations(world: World, stream: str) -> None:
    """Reconfirm, exchange or leave suspect each citation whose instrument was superseded."""
    for citation in world.platform.state(stream).citations:
        if citation.uncited is not None:
            continue
        cited = citation.cited.data
        for item in unanswered_supersessions(citation, world.platform.state(f"instrument/{cited.instrument}")):
            if world.chance.happens(0.45):
                answer = commands.ReconfirmCitation(
                    instrument=cited.instrument, provision=cited.provision, superseded_by=item.data.by,
                    on=day(world.now),
                )  # fmt: skip
                world.execute(stream, answer)
            elif world.chance.happens(0.5):
                _exchange(world, stream, citation, item.data.by)
                break


def _exchange(world: World, stream: str, citation: Citation, instead: str) -> None:
    cited = citation.cited.data
    reason = "Synthetic: a later instrument took the place of this one."
    uncite = commands.UnciteMandate(
        instrument=cited.instrument, provision=cited.provision, reason=reason, on=day(world.now)
    )
    world.execute(stream, uncite)
    successor = world.platform.state(f"instrument/{instead}")
    cite(world, stream, [(instead, world.chance.pick(successor.provisions).data.provision)])


def cites_live_mandate(world: World, stream: str) -> bool:
    """Tell whether a provision that a recommendation cites is live today."""
    today = date.fromisoformat(day(world.now))
    return any(
        was_live(citation, world.platform.state(f"instrument/{citation.cited.data.instrument}"), today)
        for citation in world.platform.state(stream).citations
    )
