"""Actions that follow a recommendation, by the latest report of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.domain.single_facts import is_before

ENDED = frozenset({"implemented", "not_pursued"})


def latest_by_action(reports: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the latest report of each action: the one recorded last, unless its own date lies before another's.

    Reports without an `action` are of one action if body responsible and due date are the same. An action whose latest
    report gives no due date is due when an earlier one said.
    """
    latest: dict[tuple[Any, ...], dict[str, Any]] = {}
    for item in reports:
        action = ("action", item["action"]) if "action" in item else (item.get("responsible"), item.get("due"))
        before = latest.get(action, item)
        older, newer = (item, before) if _is_earlier(item, before) else (before, item)
        latest[action] = ({"due": older["due"]} if "due" in older else {}) | newer
    return list(latest.values())


def _is_earlier(item: dict[str, Any], other: dict[str, Any]) -> bool:
    return "on" in item and "on" in other and is_before(item["on"], other["on"])
