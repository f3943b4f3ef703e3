"""Health check of an image: ask the process of this container, on the port of its settings, whether it is ready.

`python -m shared.runtime.health_check [PATH] [PREFIX]` prints the answer; it imports little, since it runs every few
seconds.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException

SECONDS = 8.0
ALL_ADDRESSES = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what it listens on


def place(environment: Mapping[str, str], prefix: str) -> tuple[str, int]:
    """Return host and port on which the process of this environment listens."""
    host = environment.get(f"{prefix}HOST", "127.0.0.1")
    return ALL_ADDRESSES.get(host, host), int(environment.get(f"{prefix}PORT", "8000"))


def answer(environment: Mapping[str, str], path: str = "/readyz", prefix: str = "THROUGHLINE_") -> tuple[bool, str]:
    """Return whether the process says yes, and its answer."""
    connection = HTTPConnection(*place(environment, prefix), timeout=SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read().decode("utf-8", "replace").rstrip("\n")
    except (OSError, HTTPException) as error:
        return False, f"{path}: no answer ({type(error).__name__})"
    finally:
        connection.close()
    return (True, body) if response.status == 200 else (False, f"{path}: {response.status} {body}")


if __name__ == "__main__":
    says_yes, says = answer(os.environ, *sys.argv[1:3])
    if not says_yes:
        sys.exit(says)
    print(says)
