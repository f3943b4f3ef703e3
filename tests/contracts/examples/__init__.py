"""Hand-written synthetic examples, the source of the golden files; variants follow the name after a dot."""

from __future__ import annotations

from itertools import chain

from shared.events.event import Event
from tests.contracts.examples import meetings, nominations, notifications, recommendations, register

EXAMPLES: dict[str, Event] = {
    ".".join([event.type_name(), *name.split(".")[1:]]): event
    for name, event in chain.from_iterable(
        module.EXAMPLES.items() for module in (nominations, meetings, register, recommendations, notifications)
    )
}
