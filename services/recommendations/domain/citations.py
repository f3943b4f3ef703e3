"""Citations of provisions, and how their facts fold."""

from __future__ import annotations

from typing import Any

from services.recommendations.domain.recorded_fact import RecordedFact, recorded_fact
from shared.domain.facts import Fact
from shared.events.recommendations import CitationReconfirmed, MandateCited, MandateUncited
from shared.events.values import Model


class Citation(Model):
    """A provision cited, perhaps uncited since, perhaps reconfirmed against supersessions."""

    cited: RecordedFact[MandateCited]
    uncited: RecordedFact[MandateUncited] | None = None
    reconfirmed: tuple[RecordedFact[CitationReconfirmed], ...] = ()

    def is_of(self, instrument: str, provision: str) -> bool:
        """Tell whether it cites this provision."""
        return (self.cited.data.instrument, self.cited.data.provision) == (instrument, provision)

    def reconfirmed_against(self, instrument: str) -> RecordedFact[CitationReconfirmed] | None:
        """Return the reconfirmation that names this superseding instrument."""
        return next((item for item in self.reconfirmed if item.data.superseded_by == instrument), None)


def cited(citations: tuple[Citation, ...], fact: Fact) -> tuple[Citation, ...]:
    """Fold a citation, one taken back or one reconfirmed."""
    match fact.data:
        case MandateCited():
            return (*citations, Citation(cited=recorded_fact(fact, MandateCited)))
        case MandateUncited(instrument=instrument, provision=provision):
            change: dict[str, Any] = {"uncited": recorded_fact(fact, MandateUncited)}
        case CitationReconfirmed(instrument=instrument, provision=provision):
            return tuple(
                c.model_copy(update={"reconfirmed": (*c.reconfirmed, recorded_fact(fact, CitationReconfirmed))})
                if c.uncited is None and c.is_of(instrument, provision)
                else c
                for c in citations
            )
        case _:
            return citations
    return tuple(
        c.model_copy(update=change) if c.uncited is None and c.is_of(instrument, provision) else c for c in citations
    )
