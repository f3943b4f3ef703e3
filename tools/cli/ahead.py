"""`throughline ahead`: streams whose last event is dated later than the clock of their database."""

from shared.events.services import SERVICES
from shared.projection.natural_order import natural_order
from tools.client.connection import Connection, Format, Home, Token
from tools.client.errors import exits
from tools.client.services import Services
from tools.client.stack_home import DEFAULT_HOME
from tools.render.terminal import print_json, print_line


def ahead(shown_as: Format = "text", home: Home = DEFAULT_HOME, token: Token = None) -> None:
    """List the streams whose last event is dated later than the clock of their database, with that time.

    Example: throughline ahead

    A service's clock was wrong when it recorded them. They keep their order: further events of such a stream take the
    same time until the clock has passed it.

    Exit code: 0 with the list, also an empty one; 1 when refused; 3 when a service does not answer.
    """
    with exits(), Services(Connection(home, token), "operator") as services:
        times: dict[str, dict[str, str]] = {name: services.get(name, "/ahead") for name in SERVICES}
    if shown_as == "json":
        print_json(times)
    elif not any(times.values()):
        print_line("No stream is ahead of its database's clock.")
    for name, streams in times.items() if shown_as == "text" else ():
        for stream, time in sorted(streams.items(), key=lambda each: natural_order(each[0])):
            print_line(f"{name}: {stream} at {time}")
