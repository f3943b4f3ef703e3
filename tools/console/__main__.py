"""Runs the console: `python -m tools.console`."""

from __future__ import annotations

import socket
import sys

import uvicorn

from shared.runtime.settings import CannotStart, read
from shared.runtime.telemetry import configure_logging
from shared.runtime.tracing import traced
from tools.console.app import make_app
from tools.console.settings import ConsoleSettings


def main() -> None:
    """Serve the console until a signal arrives; end with 2 where a setting cannot be used."""
    try:
        settings = read(ConsoleSettings)
        with traced("console", f"{socket.gethostname()}-{settings.port}"):
            configure_logging("console", settings.log_level)
            _serve(settings)
    except CannotStart as fault:
        print(fault, file=sys.stderr)
        sys.exit(2)


def _serve(settings: ConsoleSettings) -> None:
    uvicorn.run(
        make_app(settings, is_process=True), host=settings.host, port=settings.port, log_config=None, access_log=False,
        server_header=False, proxy_headers=bool(settings.fronts),
        forwarded_allow_ips=settings.fronts,
    )  # fmt: skip


if __name__ == "__main__":
    main()
