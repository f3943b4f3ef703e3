"""Hand-written synthetic examples, the source of the golden files; variants follow the name after a dot."""

from __future__ import annotations

from importlib import import_module
from itertools import chain

from shared.events.event import Event
from shared.events.services import SERVICES

EXAMPLES: dict[str, Event] = {
    ".".join([event.type_name(), *name.split(".")[1:]]): event
    for name, event in chain.from_iterable(
        import_module(f"tests.contracts.examples.{module}").EXAMPLES.items() for module in (*SERVICES, "register")
    )
}
