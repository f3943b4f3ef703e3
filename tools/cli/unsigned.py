"""`throughline unsigned`: events that services hold from before records were signed."""

from typing import Any

from shared.events.services import SERVICES
from tools.client.connection import Connection, Format, Home, Token
from tools.client.errors import exits
from tools.client.services import Services
from tools.client.stack_home import DEFAULT_HOME
from tools.render.terminal import print_json, print_line

_LIMIT = 10_000


def unsigned(shown_as: Format = "text", home: Home = DEFAULT_HOME, token: Token = None) -> None:
    """List the events that services consumed before records were signed, and that no proof covers yet.

    Example: throughline unsigned

    They stay believed until their owner republishes its ledger (throughline republish SERVICE), which proves them. What
    stays in this list after that, nobody recorded. Unsigned records since are dead letters.

    Exit code: 0 with the list, also an empty one; 1 when refused; 3 when a service does not answer.
    """
    with exits(), Services(Connection(home, token), "operator") as services:
        rows: dict[str, list[dict[str, Any]]] = {
            name: services.get(name, "/journal/unsigned", limit=_LIMIT) for name in SERVICES
        }
    if shown_as == "json":
        print_json(rows)
        return
    for name, events in rows.items():
        more = " or more" if len(events) == _LIMIT else ""
        print_line(f"{name}: {len(events)}{more} events without a proof")
        for event in events[:20]:
            print_line(f"    {event['stream']} version {event['version']}")
