"""Settings that are unsafe in production, by the rules that a service itself starts by."""

from __future__ import annotations

import os
from collections.abc import Iterator

from services.notifications.sending.settings import NotificationSettings
from shared.runtime.configuration import MODE, CannotStart, read
from shared.runtime.settings import Settings
from tools.client.stack_home import DATABASE, service_of_environment
from tools.deployment.doctor.outcomes import Check, Fault, Outcome

NAME = "settings"
CURE = "set it so, and restart the service: a service with THROUGHLINE_MODE=production refuses to start before"


def check(*, is_local: bool) -> Iterator[Outcome]:
    """Look at the settings of the service in whose environment this runs, if it is one's."""
    if is_local:
        yield Check(NAME, "the local stack").not_checked("it is for development, and open to this machine alone")
        return
    service = service_of_environment()
    if service is None:
        yield Check(NAME, "this environment").not_checked(
            f"it holds no service's settings ({DATABASE}): run the command in the container of each service"
        )
        return
    yield from Check(NAME, f"environment of {service}").judge(_faults(service), "safe for production")


def _faults(service: str) -> Iterator[Fault]:
    if os.environ.get(MODE) != "production":
        yield f"{MODE} is not production, so that nothing refuses an unsafe setting", f"set {MODE}=production"
    try:
        read(NotificationSettings if service == "notifications" else Settings, mode="production")
    except CannotStart as fault:
        for line in str(fault).splitlines():
            yield line, CURE
