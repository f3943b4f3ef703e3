"""One small command for each service, to check that the service executes it and its consumers show it."""

from __future__ import annotations

from typing import Any


def canary(service: str, key: str) -> tuple[str, dict[str, Any], str]:
    """Return the path and body of a command that starts a new stream, and that stream."""
    match service:
        case "nominations":
            return "/calls", {"call": key, "title": "Synthetic"}, f"call/{key}"
        case "meetings":
            return "/recorded-meetings", {"meeting": key, "title": "Synthetic", "kind": "forum"}, f"meeting/{key}"
        case "recommendations":
            written = {"instrument": key, "cite": f"Synthetic {key}", "body": "SYN", "title": "Synthetic"}
            return "/instruments", written, f"instrument/{key}"
        case _:
            details = {"name": "Synthetic Reader", "address": f"{key}@example.org"}
            body = {"subscription": key, "details": details, "events": ["CallForNominationsClosed"]}
            return "/subscriptions", body, f"subscription/{key}"
