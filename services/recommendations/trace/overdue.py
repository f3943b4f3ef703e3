"""Facts past due on a day, in words: a trace does not hold them, since they depend on the day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from shared.domain.dates import in_words
from shared.domain.single_facts import is_before
from shared.events.values import latest_day

_ENDED = frozenset({"implemented", "not_pursued"})


def past_due(trace: Mapping[str, Any], today: date) -> list[str]:
    """Return what of a trace is past due."""
    actions = latest_by_action(trace["follow_up"])
    return [*_priority(trace.get("priority", {}), actions, today), *_actions(actions, today), *_reports(trace, today)]


def latest_by_action(follow_up: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the latest report of each action: the one recorded last, unless its own date lies before another's.

    Reports without an `action` are of one action if body responsible and due date are the same. An action whose latest
    report gives no due date is due when an earlier one said.
    """
    latest: dict[tuple[Any, ...], dict[str, Any]] = {}
    for item in follow_up:
        action = ("action", item["action"]) if "action" in item else (item.get("responsible"), item.get("due"))
        before = latest.get(action, item)
        older, newer = (item, before) if _is_earlier(item, before) else (before, item)
        latest[action] = ({"due": older["due"]} if "due" in older else {}) | newer
    return list(latest.values())


def _is_earlier(item: dict[str, Any], other: dict[str, Any]) -> bool:
    return "on" in item and "on" in other and is_before(item["on"], other["on"])


def _priority(priority: Mapping[str, Any], actions: list[dict[str, Any]], today: date) -> Iterator[str]:
    done = bool(actions) and all(item["progress"] in _ENDED for item in actions)
    end = priority.get("timeline_to")
    if end and latest_day(end) < today and not done and "closed" not in priority:
        yield f"The priority {priority['priority']} was to be achieved by {in_words(end)}."


def _actions(actions: list[dict[str, Any]], today: date) -> Iterator[str]:
    for item in actions:
        due, named = item.get("due"), f" on {item['action']}" if "action" in item else ""
        if due and item["progress"] not in _ENDED and latest_day(due) < today:
            yield f"A follow-up{named} was due by {in_words(due)} and is {item['progress'].replace('_', ' ')}."


def _reports(trace: Mapping[str, Any], today: date) -> Iterator[str]:
    for mandate in trace["mandates"]:
        duty = mandate.get("reporting_duty", {})
        due = duty.get("session_starts_on") or duty.get("due")
        if due and "reports" not in mandate and latest_day(due) < today:
            yield f"The report that {mandate['cite']} asks for was due by {in_words(due)}."
