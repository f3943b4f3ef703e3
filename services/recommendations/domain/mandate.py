"""Standing of a citation on a day: the one place that weighs supersession."""

from __future__ import annotations

from datetime import date

from services.recommendations.domain.citations import Citation
from services.recommendations.domain.instrument import Registered
from services.recommendations.domain.recorded_fact import RecordedFact
from shared.events.recommendations import InstrumentSuperseded
from shared.events.values import earliest_day, latest_day


def unanswered_supersessions(citation: Citation, instrument: Registered) -> list[RecordedFact[InstrumentSuperseded]]:
    """Return the supersessions of a citation's instrument that no reconfirmation names."""
    return [item for item in instrument.superseded if citation.reconfirmed_against(item.data.by) is None]


def was_live(citation: Citation, instrument: Registered, day: date | None) -> bool:
    """Tell whether a cited provision was live on a day: on record, adopted, not superseded, not uncited by then.

    An undated fact counts as later than the day, save the adoption of an instrument; on an unknown day only an
    uncited provision is not live.
    """
    if instrument.provision(citation.cited.data.provision) is None:
        return False
    if day is None:
        return citation.uncited is None
    adopted = instrument.registered.data.adopted_on
    if adopted is not None and earliest_day(adopted) > day:
        return False
    if citation.uncited is not None and _by(citation.uncited.data.on, day, undated=True):
        return False
    return not any(_by(item.data.on, day) for item in unanswered_supersessions(citation, instrument))


def _by(on: str | None, day: date, *, undated: bool = False) -> bool:
    return undated if on is None else latest_day(on) <= day
