"""The registry of services: one row each, from which every other list of services is derived.

Light on purpose: it imports nothing of the project, so that a command line can read it before anything else.
docs/adding-a-service.md names the places that cannot be derived; tests/architecture holds them against this table.
"""

from __future__ import annotations

from typing import NamedTuple

TOPIC_PREFIX = "throughline."


class RegisteredService(NamedTuple):
    """One service of the platform.

    Its package is `services.<name>`, its event module `shared.events.<name>`, its topic `throughline.<name>`.
    """

    name: str
    checkpoint_partition: int
    """Partition of the topic of checkpoints that is its own. Fixed for ever: signed checkpoints lie there."""
    announced_kinds: tuple[str, ...] = ()
    """Kinds of its streams whose events subscribers may be notified of."""
    person_kind: str | None = None
    """Kind of the streams of persons whose keys it holds."""

    @property
    def topic(self) -> str:
        """Topic that it alone publishes to."""
        return TOPIC_PREFIX + self.name

    @property
    def persons_path(self) -> str | None:
        """HTTP path under which it erases and exports persons."""
        return f"/{self.person_kind}s" if self.person_kind else None


REGISTRY = (
    RegisteredService("nominations", 0, ("call", "nomination", "membership", "expert"), person_kind="expert"),
    RegisteredService("meetings", 1, ("meeting",)),
    RegisteredService(
        "recommendations",
        2,
        ("instrument", "session", "body_session", "priority", "recommendation", "initiative", "deliverable"),
    ),
    RegisteredService("notifications", 3, person_kind="subscriber"),
)
SERVICES = tuple(service.name for service in REGISTRY)
_BY_NAME = {service.name: service for service in REGISTRY}


class UnknownService(LookupError):
    """No service of this name is registered."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: is not a service; they are {', '.join(SERVICES)}.")


def registered(name: str) -> RegisteredService:
    """Return a service's row. Raises UnknownService."""
    try:
        return _BY_NAME[name]
    except KeyError:
        raise UnknownService(name) from None
