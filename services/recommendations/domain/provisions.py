"""Provisions as facets hold them: what a recommendation and an initiative rest on, to find the one by the other."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import TypeAdapter, ValidationError

from shared.events.event import Correction, Event
from shared.events.recommendations import MandateCited
from shared.events.values import ProvisionRef

_REFS = TypeAdapter(list[ProvisionRef])


def as_facets(named: Iterable[ProvisionRef | MandateCited]) -> list[str]:
    """Return provisions as facets hold them: instrument and provision, each once."""
    return sorted({f"{ref.instrument} {ref.provision}" for ref in named})


def well_formed(named: object) -> list[ProvisionRef]:
    """Return the provisions of recorded data; none where these are no provisions."""
    try:
        return _REFS.validate_python(named)
    except ValidationError:
        return []


def provisions_in(event: Event) -> list[str]:
    """Return the provisions that an event of an initiative names, as facets hold them.

    A correction may name others than the event that it corrects: older code did not refuse it.
    """
    named = event.data.get("provisions", ()) if isinstance(event, Correction) else getattr(event, "provisions", ())
    return as_facets(well_formed(named))
